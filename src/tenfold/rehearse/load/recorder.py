"""What becomes of each request goes to three places: counts to the tally, ids to the memory, answers to the journal."""

import msgspec

from tenfold.rehearse.load.journal import Journal
from tenfold.rehearse.load.memory import Memory, resolve
from tenfold.rehearse.load.request import Request
from tenfold.rehearse.load.response import Response
from tenfold.rehearse.load.tally import StageTally


class Recorder:
    """The pool's `Outcomes`."""

    def __init__(self, tally: StageTally, memory: Memory, journal: Journal) -> None:
        self._tally = tally
        self._memory = memory
        self._journal = journal
        self.waits = tally.waited  # what the tally alone hears of goes there without a call in between
        self.sent = tally.sent
        self.retried = tally.retried
        self.dropped = tally.dropped
        self.failed = tally.failed

    def answered(self, request: Request, response: Response, now_ns: int) -> None:
        """Only what a journey refers to or journals is decoded, and only a success is remembered."""
        self._tally.answered(request, response, now_ns)
        script = request.script
        if not script.keeps_body:
            return
        answer = decoded(response.body)
        if 200 <= response.status < 300:
            for name, pointer in script.remember.items():
                self._memory.keep(name, resolve(answer, pointer))
        if script.journal:
            self._journal.write(request, response, answer)


def decoded(body: bytes) -> object:
    """A body as JSON; one that is none, as text; an empty one as nothing."""
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body.decode(errors="replace")
