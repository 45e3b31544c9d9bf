"""What an operator's tool says to the control node: read, change, look back. Synchronous; standard library only."""

from collections.abc import Mapping
from typing import Any, TypedDict, TypeVar, Unpack
from urllib.parse import quote, urlencode

import msgspec

from tenfold.channel.messages import Change
from tenfold.channel.wire import ControlAddress, Failure, hung_up
from tenfold.kernel import TenfoldError
from tenfold.respond.control.change_writer import OutcomeUnknown
from tenfold.respond.control.ledger import Ack, Presence
from tenfold.respond.control.log import NO_RECORD, Conflict, Put
from tenfold.respond.control.store import Chain, RecordsHeld

TIMEOUT_S = 5.0

Body = TypeVar("Body")


class ControlUnreachableError(TenfoldError):
    """The control node does not answer. What it was being told may or may not be in force."""


class ControlOutcomeUnknownError(ControlUnreachableError):
    """The control node ended while it wrote the change down, and says that it may or may not be in force."""


class ControlRefusedError(TenfoldError):
    """The control node answers, and will not do it; or what answers is none."""


class ControlFailedError(ControlRefusedError):
    """The server that answers has failed, and does not say at what: a change may have been made all the same."""


class KeyRecords(msgspec.Struct, frozen=True):
    """What the topics that were asked have under one key, and its newest changes in the first of them."""

    records: list[Change]
    changes: list[Change]

    def of(self, topic: str) -> Change | None:
        return next((record for record in self.records if record.topic == topic), None)


class TopicRecords(msgspec.Struct, frozen=True):
    """The records of a topic, and the epoch up to which they are all there is: what is later is not in them yet."""

    epoch: int
    records: list[Change]


class Terms(TypedDict, total=False):
    """On which a record is changed: `if_epoch` is its epoch as it was read (0: there was none), `by` and `reason` stand
    in the history, `confirmed` says that its reach is meant.
    """

    if_epoch: int | None
    by: str
    reason: str
    confirmed: bool


class _Changes(msgspec.Struct):
    changes: list[Change]


class _Topics(msgspec.Struct):
    incarnation: str


class _Acks(msgspec.Struct):
    acks: list[Ack]


class _Presences(msgspec.Struct):
    processes: list[Presence]


class _Reports(msgspec.Struct):
    reports: dict[str, msgspec.Raw]


class _Problem(msgspec.Struct):
    detail: str
    kind: str = ""


class ControlClient:
    """One request a call, each within `timeout_s`; for one thread. All raise ControlUnreachableError, and
    ControlRefusedError when what answers is no control node.

    The connection is kept. One that the node has closed meanwhile is opened anew before anything is sent; what only
    reads is sent once more when it is closed in just that moment.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._address = ControlAddress(url, token)
        self._connection = self._address.connect()
        self._connection.timeout = timeout_s

    def get(self, topic: str, key: str) -> Change | None:
        status, body = self._ask("GET", _place(topic, key))
        if status == 404 and _problem_in(body).detail == NO_RECORD:
            return None
        return self._decoded(status, body, Change)

    def records(self, topic: str) -> list[Change]:
        return self.records_at(topic).records

    def records_at(self, topic: str) -> TopicRecords:
        """The same with the epoch of the moment in which the node looked, to be held against a later look."""
        return self._got(f"/topics/{_quoted(topic)}", TopicRecords)

    def put(self, topic: str, key: str, value: Any, **terms: Unpack[Terms]) -> Change | Conflict:
        """Change the record; `value` is anything that msgspec can encode, msgspec.Raw for what is JSON already.

        A Conflict says that somebody else was first. Without an answer nobody knows whether the change was made: read
        before trying again. Raises ControlRefusedError, ControlOutcomeUnknownError.
        """
        return self._change("PUT", Put(topic=topic, key=key, value=_written(value), **terms))

    def remove(self, topic: str, key: str, **terms: Unpack[Terms]) -> Change | Conflict:
        """Remove the record, under the same terms."""
        return self._change("DELETE", Put(topic=topic, key=key, value=None, **terms))

    def history(
        self, topic: str | None = None, key: str | None = None, *, before: int | None = None, limit: int = 100
    ) -> list[Change]:
        """Durable changes, newest first."""
        asked = {"topic": topic, "key": key, "before": before, "limit": limit}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return self._got(f"/history?{query}", _Changes).changes

    def at(self, key: str, *topics: str, changes: int = 0) -> KeyRecords:
        """The records of one key in several topics in one moment, with so many of its newest changes in the first."""
        query = urlencode({"topic": topics, "changes": changes}, doseq=True)
        return self._got(f"/keys/{_quoted(key)}?{query}", KeyRecords)

    def chain(self, after: int, *, limit: int = 1000) -> Chain:
        """Durable changes after the epoch `after`, oldest first, with their digests as they were written; the head."""
        return self._got(f"/chain?after={after}&limit={limit}", Chain)

    def held(self) -> dict[str, RecordsHeld]:
        """Every lasting record, `in force` and `in the file` of the store."""
        return self._got("/held", dict[str, RecordsHeld])

    def store(self) -> str:
        """The incarnation of the node's store: epochs of two stores say nothing beside each other."""
        return self._got("/topics", _Topics).incarnation

    def processes(self) -> list[Presence]:
        """The processes that follow, or did a moment ago."""
        return self._got("/processes", _Presences).processes

    def acks(self, epoch: int) -> list[Ack]:
        """The processes that have this durable change in force, and how long each took."""
        return self._got(f"/changes/{epoch}/acks", _Acks).acks

    def reports(self, topic: str) -> dict[str, msgspec.Raw]:
        """The newest report of each process, by its id."""
        return self._got(f"/reports/{_quoted(topic)}", _Reports).reports

    def close(self) -> None:
        self._connection.close()

    def _change(self, method: str, put: Put) -> Change | Conflict:
        headers = {"Content-Type": "application/json", "Tenfold-Confirmed": "1" if put.confirmed else "0"}
        headers |= {"Tenfold-By": _quoted(put.by), "Tenfold-Reason": _quoted(put.reason)}
        if put.if_epoch is not None:
            headers["If-Match"] = f'"{put.if_epoch}"'
        status, answer = self._ask(method, _place(put.topic, put.key), headers, put.value)
        if status == 412:
            return self._decoded(200, answer, Conflict)
        return self._decoded(status, answer, Change)

    def _got(self, path: str, kind: type[Body]) -> Body:
        return self._decoded(*self._ask("GET", path), kind)

    def _decoded(self, status: int, text: bytes, kind: type[Body]) -> Body:
        """Whatever is no answer of this kind is raised."""
        if status != 200:
            raise self._refused(status, text)
        try:
            return msgspec.json.decode(text, type=kind)
        except (ValueError, RecursionError) as error:
            raise ControlRefusedError(
                f"What answers at {self._address.url} is no control node: {error}.",
                remedy="Look at the address, which is the one that the node printed when it opened.",
            ) from error

    def _refused(self, status: int, text: bytes) -> TenfoldError:
        problem = _problem_in(text)
        kind: type[TenfoldError] = ControlRefusedError
        if problem.kind == OutcomeUnknown.__name__:
            kind = ControlOutcomeUnknownError
        elif status >= 500 and not problem.kind:
            kind = ControlFailedError
        return kind(f"The control node at {self._address.url} answered {status}: {problem.detail}")

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, bytes]:
        """The status and the body, whatever they say."""
        if hung_up(self._connection):
            self._connection.close()
        kept = self._connection.sock is not None
        try:
            return self._exchange(method, path, headers or {}, body)
        except Failure as error:
            self._connection.close()
            if kept and method == "GET" and not isinstance(error, TimeoutError):
                return self._ask(method, path, headers)
            raise ControlUnreachableError(
                f"The control node at {self._address.url} does not answer ({error}); every process keeps what it has.",
                remedy="Start it again; then look at the record before changing it again.",
            ) from error

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


def _problem_in(text: bytes) -> _Problem:
    """The node's own, or what another server says."""
    try:
        return msgspec.json.decode(text, type=_Problem)
    except (ValueError, RecursionError):
        return _Problem(text[:200].decode("utf-8", "replace").strip())
