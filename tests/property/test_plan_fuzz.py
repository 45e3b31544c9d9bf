"""Whatever is done to the text of a plan, reading it ends in a Plan or in PlanInvalid."""

import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold.fleet import FAULT_KINDS
from tenfold.kernel import Duration
from tenfold.plan import Plan, PlanInvalid, parse_plan, read_plan
from tenfold.plan.quantity import DURATION

SHOP = (Path(__file__).parents[1] / "golden/plan/shop.yaml").read_text()
LINES = SHOP.splitlines(keepends=True)

SHARDS = ["{", "}", "[", "]", ": ", "- ", "#", "&a ", "*a", "!!int ", "!t ", "? ", "|\n", "'", '"', "\t", "%", "~"]
SHARDS += ["${", "${a.b}", "\\ud800", '"\\ud800"', '"\\UFFFFFFFF"', "\0", "\ufeff", "---\n", "...\n", "<<: "]
SHARDS += ["null", "9" * 50, "é"]

edits = st.lists(
    st.tuples(
        st.sampled_from(["drop", "double", "swap", "cut", "insert"]),
        st.integers(0, len(LINES) - 1),
        st.integers(0, 80),
        st.sampled_from(SHARDS) | st.text(max_size=8),
    ),
    min_size=1,
    max_size=4,
)


def edited(changes: list[tuple[str, int, int, str]]) -> str:
    lines = list(LINES)
    for kind, row, column, shard in changes:
        line = lines[row % len(lines)]
        other = lines[(row + column) % len(lines)]
        lines[row % len(lines)] = {
            "drop": "",
            "double": line + line,
            "swap": other,
            "cut": line[: column % (len(line) + 1)] + "\n",
            "insert": line[: column % (len(line) + 1)] + shard + line[column % (len(line) + 1) :],
        }[kind]
    return "".join(lines)


def assert_answered(answer: Plan | PlanInvalid, text: str) -> None:
    if isinstance(answer, Plan):
        assert abs(sum(answer.peak.hours) - 1) < 1e-9
        return
    assert answer.problems
    for problem in answer.problems:
        sentence = str(problem)
        assert sentence.isprintable()
        assert sentence.encode()
        assert 0 <= problem.line <= text.count("\n") + len(re.findall("[\r\x85\u2028\u2029]", text)) + 2


@settings(max_examples=300, deadline=None)
@given(edits)
def test_an_edited_plan_is_read_or_refused_and_nothing_else(changes: list[tuple[str, int, int, str]]) -> None:
    """A slip of the hand never ends in a traceback."""
    text = edited(changes)
    try:
        answer: Plan | PlanInvalid = parse_plan(text, Path("plans/shop.yaml"), FAULT_KINDS, is_file=lambda _: True)
    except PlanInvalid as refused:
        answer = refused
    assert_answered(answer, text)


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, len(SHOP)), removed=st.integers(0, 40), inserted=st.binary(max_size=12))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(at: int, removed: int, inserted: bytes) -> None:
    """Nor does a file that a disk or a transfer has damaged."""
    content = SHOP.encode()
    damaged = content[:at] + inserted + content[at + removed :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.yaml"
        path.write_bytes(damaged)
        try:
            answer: Plan | PlanInvalid = read_plan(path, FAULT_KINDS)
        except PlanInvalid as refused:
            answer = refused
    assert_answered(answer, damaged.decode(errors="replace"))


@given(st.from_regex(DURATION.pattern.removesuffix("$"), fullmatch=True).filter(lambda text: len(text) <= 20))
def test_a_plan_reads_lengths_of_time_as_the_kernel_does(text: str) -> None:
    """One notation in the whole house."""
    nanoseconds = DURATION.read(text)
    assert nanoseconds is not None
    assert Duration.parse(text) == Duration(int(nanoseconds))
