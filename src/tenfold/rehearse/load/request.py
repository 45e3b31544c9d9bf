"""One request: whose it is, what it says, and its three stamps. And the journeys, ready to make requests.

due ──────── sent ─────────────── done          CLOCK_MONOTONIC, nanoseconds
 │ lateness,  │    service time     │
 │ waiting    │                     │
 └────────── response time ─────────┘          the one that a customer feels, and that is promised
"""

from collections.abc import Mapping

from tenfold.plan.model import Journey
from tenfold.rehearse.load.template import RequestTemplate


class Script:
    """A journey with everything about it that does not change worked out."""

    __slots__ = ("answers", "journal", "keeps_body", "name", "remember", "share", "template")

    def __init__(self, name: str, journey: Journey, constant_headers: Mapping[str, str]) -> None:
        headers = {**constant_headers, **journey.headers}
        if journey.body is not None and not any(known.lower() == "content-type" for known in headers):
            headers["Content-Type"] = "application/json"
        self.name = name
        self.share = journey.share
        self.template = RequestTemplate(journey.method, journey.path, headers, journey.body)
        self.answers = dict(journey.answers)
        self.remember = {f"{name}.{field}": pointer for field, pointer in journey.remember.items()}
        self.journal = journey.journal
        self.keeps_body = journey.journal or bool(self.remember)


class Request:
    """One arrival. `key` is what `${unique}` was; `retried` says that it was sent a second time."""

    __slots__ = ("due_ns", "key", "payload", "retried", "script", "sent_ns")

    def __init__(self, script: Script, due_ns: int, payload: bytes, key: bytes) -> None:
        self.script = script
        self.due_ns = due_ns
        self.payload = payload
        self.key = key
        self.sent_ns = 0
        self.retried = False
