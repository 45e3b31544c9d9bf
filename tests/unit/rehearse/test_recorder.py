import json
from pathlib import Path
from random import Random

import pytest

from tenfold.kernel import Duration
from tenfold.plan.model import Journey, Slo, Tier
from tenfold.rehearse.load.journal import Journal, JournalFailed
from tenfold.rehearse.load.memory import Memory
from tenfold.rehearse.load.recorder import Recorder
from tenfold.rehearse.load.request import Request, Script
from tenfold.rehearse.load.response import Response
from tenfold.rehearse.load.tally import StageTally
from tenfold.telemetry import Registry

ORDER = Journey(
    tier=Tier.P0,
    share=1,
    method="POST",
    path="/orders",
    slo=Slo(p99=Duration.from_ms(100)),
    answers={201: "accepted", 409: "declined"},
    remember={"id": "/id"},
    journal=True,
)


def answer_all(tmp_path: Path, *responses: Response) -> tuple[list[object], Memory]:
    """What stands in the journal after these answers, and what is remembered."""
    script, memory, journal = Script("order", ORDER, {}), Memory(Random(1)), Journal(tmp_path / "answers.jsonl")
    recorder = Recorder(StageTally([script], Registry()), memory, journal)
    for response in responses:
        recorder.answered(Request(script, 0, b"", b"key"), response, 1)
    journal.close()
    return [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()], memory


def test_every_answer_is_journalled_on_one_line_with_its_key(tmp_path: Path) -> None:
    """Accepted, declined and failed; pretty-printed JSON too; text that is no JSON as a string."""
    lines, _ = answer_all(
        tmp_path,
        Response(201, False, True, b'{\n  "id": 7\n}'),
        Response(409, False, True, b'{"error":"sold-out"}'),
        Response(500, False, True, b"Internal\nError"),
        Response(504, False, True),
    )
    head = {"journey": "order", "key": "key"}
    assert lines == [
        {**head, "status": 201, "answer": {"id": 7}},
        {**head, "status": 409, "answer": {"error": "sold-out"}},
        {**head, "status": 500, "answer": "Internal\nError"},
        {**head, "status": 504, "answer": None},
    ]


def test_only_a_success_is_remembered(tmp_path: Path) -> None:
    """A declined order is nothing to ask after."""
    _, memory = answer_all(tmp_path, Response(409, False, True, b'{"id": 8}'))
    assert memory.draw("order.id") is None
    _, memory = answer_all(tmp_path, Response(201, False, True, b'{"id": 7}'))
    assert memory.draw("order.id") == b"7"


def test_a_journal_that_cannot_be_written_is_a_failure_and_no_silence(tmp_path: Path) -> None:
    """Without it the audit would hold the system to less than it said."""
    with pytest.raises(JournalFailed, match="cannot be written"):
        Journal(tmp_path / "missing" / "answers.jsonl")
    journal = Journal(Path("/dev/full"))
    journal.write(Request(Script("order", ORDER, {}), 0, b"", b"key"), Response(201, False, True), None)
    with pytest.raises(JournalFailed, match="No space left"):
        journal.flush()
