"""What an operator's tool says to the control node: read, change, look back. Synchronous; standard library only."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from tenfold.kernel import TenfoldError
from tenfold.protect.channel.lines import Change
from tenfold.protect.channel.wire import Address, Failure, hung_up
from tenfold.respond.control.chain import Chain
from tenfold.respond.control.ledger import Ack, Presence
from tenfold.respond.control.log import Conflict, Put

TIMEOUT_S = 5.0


class ControlUnreachableError(TenfoldError):
    """The control node does not answer. What it was being told may or may not be in force."""


class ControlRefusedError(TenfoldError):
    """The control node answers, and will not do it."""


class ControlFailedError(ControlRefusedError):
    """The control node answers that it cannot, as one that is ending does: a change may have been made all the same."""


class Records(msgspec.Struct, frozen=True):
    """What is in force of one topic, and the newest epoch of all topics in that moment."""

    epoch: int
    records: list[Change]


class _Changes(msgspec.Struct):
    changes: list[Change]


class _Topics(msgspec.Struct):
    incarnation: str


class _Acks(msgspec.Struct):
    acks: list[Ack]


class _Presences(msgspec.Struct):
    processes: list[Presence]


class ControlClient:
    """One request a call, each within `timeout_s`; for one thread. All raise ControlUnreachableError.

    The connection is kept. One that the node has closed meanwhile is opened anew before anything is sent; what only
    reads is sent once more when it is closed in just that moment.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._address = Address(url, token)
        self._connection = self._address.connect()
        self._connection.timeout = timeout_s

    def get(self, topic: str, key: str) -> Change | None:
        status, body = self._ask("GET", _place(topic, key))
        return None if status == 404 else msgspec.json.decode(body, type=Change)

    def records(self, topic: str) -> list[Change]:
        return self.records_as_of(topic).records

    def records_as_of(self, topic: str) -> Records:
        """The same, with the epoch up to which that is so."""
        return msgspec.json.decode(self._ask("GET", f"/topics/{_quoted(topic)}")[1], type=Records)

    def put(
        self,
        topic: str,
        key: str,
        value: Any,
        *,
        if_epoch: int | None = None,
        by: str = "",
        reason: str = "",
        confirmed: bool = False,
    ) -> Change | Conflict:
        """Change the record; `value` is anything that msgspec can encode, msgspec.Raw for what is JSON already.

        With `if_epoch`, the epoch of the record as it was read (0: there was none), a Conflict says that somebody
        else was first; `confirmed` says that its reach is meant. Without an answer nobody knows whether it was made:
        read before trying again. Raises ControlRefusedError.
        """
        wish = Put(topic=topic, key=key, value=_written(value), if_epoch=if_epoch, by=by, reason=reason)
        return self._change("PUT", msgspec.structs.replace(wish, confirmed=confirmed))

    def remove(
        self,
        topic: str,
        key: str,
        *,
        if_epoch: int | None = None,
        by: str = "",
        reason: str = "",
        confirmed: bool = False,
    ) -> Change | Conflict:
        """Remove the record, under the same conditions."""
        wish = Put(topic=topic, key=key, value=None, if_epoch=if_epoch, by=by, reason=reason, confirmed=confirmed)
        return self._change("DELETE", wish)

    def history(
        self, topic: str | None = None, key: str | None = None, *, before: int | None = None, limit: int = 100
    ) -> list[Change]:
        """Durable changes, newest first."""
        asked = {"topic": topic, "key": key, "before": before, "limit": limit}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return msgspec.json.decode(self._ask("GET", f"/history?{query}")[1], type=_Changes).changes

    def chain(self, after: int, *, limit: int = 1000) -> Chain:
        """Durable changes after the epoch `after`, oldest first, with their digests as they were written; the head."""
        return msgspec.json.decode(self._ask("GET", f"/chain?after={after}&limit={limit}")[1], type=Chain)

    def store(self) -> str:
        """The incarnation of the node's store: epochs of two stores say nothing beside each other."""
        return msgspec.json.decode(self._ask("GET", "/topics")[1], type=_Topics).incarnation

    def processes(self) -> list[Presence]:
        """Who follows, or did a moment ago."""
        return msgspec.json.decode(self._ask("GET", "/processes")[1], type=_Presences).processes

    def acks(self, epoch: int) -> list[Ack]:
        """Who has this change in force, and how long it took."""
        return msgspec.json.decode(self._ask("GET", f"/changes/{epoch}/acks")[1], type=_Acks).acks

    def reports(self, topic: str) -> dict[str, msgspec.Raw]:
        """The newest report of each process, by its id."""
        body = self._ask("GET", f"/reports/{_quoted(topic)}")[1]
        return msgspec.json.decode(body, type=dict[str, dict[str, msgspec.Raw]])["reports"]

    def close(self) -> None:
        self._connection.close()

    def _change(self, method: str, wish: Put) -> Change | Conflict:
        headers = {"Content-Type": "application/json", "Tenfold-Confirmed": "1" if wish.confirmed else "0"}
        headers |= {"Tenfold-By": _quoted(wish.by), "Tenfold-Reason": _quoted(wish.reason)}
        if wish.if_epoch is not None:
            headers["If-Match"] = f'"{wish.if_epoch}"'
        status, answer = self._ask(method, _place(wish.topic, wish.key), headers, wish.value)
        if status == 200:
            return msgspec.json.decode(answer, type=Change)
        return msgspec.json.decode(answer, type=Conflict)

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, bytes]:
        """A status of 200, 404 or 412 and the body. Whatever else it is, is raised."""
        if hung_up(self._connection):
            self._connection.close()
        kept = self._connection.sock is not None
        try:
            status, text = self._exchange(method, path, headers or {}, body)
        except Failure as error:
            self._connection.close()
            if kept and method == "GET" and not isinstance(error, TimeoutError):
                return self._ask(method, path, headers)
            raise ControlUnreachableError(
                f"The control node at {self._address.url} does not answer ({error}); every process keeps what it has.",
                remedy="Start it again; then look at the record before changing it again.",
            ) from error
        if status in (200, 404, 412):
            return status, text
        kind = ControlFailedError if status >= 500 else ControlRefusedError
        raise kind(f"The control node at {self._address.url} answered {status}: {_problem_in(text)}")

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        """Raises one of Failure."""
        response = self._address.send(self._connection, method, path, headers, body)
        return response.status, response.read()


def _place(topic: str, key: str) -> str:
    return f"/topics/{_quoted(topic)}/{_quoted(key)}"


def _quoted(text: str) -> str:
    """Raises ControlRefusedError."""
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise ControlRefusedError(
            f"{text!r} is no text that can be told to a control node ({error.reason})."
        ) from error


def _written(value: Any) -> bytes:
    """As JSON. Raises ControlRefusedError."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError as error:
        raise ControlRefusedError(f"A value is not told to a control node: {error}.") from error


def _problem_in(text: bytes) -> str:
    try:
        return str(msgspec.json.decode(text)["problem"])
    except (ValueError, KeyError, TypeError):
        return text[:200].decode("utf-8", "replace")
