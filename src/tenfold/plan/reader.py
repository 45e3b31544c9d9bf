"""From a plan's file to a `Plan`, or to everything that is wrong with it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tenfold.plan.consistency import check_consistency
from tenfold.plan.document import read_document
from tenfold.plan.fault import check_faults
from tenfold.plan.model import FaultKind, Plan
from tenfold.plan.node import THE_FILE, Location, MappingNode, Node, quoted, select_texts
from tenfold.plan.problem import PlanInvalid, Problems
from tenfold.plan.schema import VERSION, plan_form
from tenfold.plan.template import check_templates

PLAN_BYTES_MAX = 2**20


def read_plan(path: Path, kinds: Sequence[FaultKind]) -> Plan:
    """The plan in the file at `path`, whose drills may name the faults of these `kinds`.

    Raises PlanInvalid with all that is wrong with it, and nothing else.
    """
    problems = Problems(path)
    text = _read_text(path, problems)
    if text is None:
        raise PlanInvalid(path, problems.in_order())
    return parse_plan(text, path, kinds)


def parse_plan(
    text: str, path: Path, kinds: Sequence[FaultKind], *, is_file: Callable[[Path], bool] | None = None
) -> Plan:
    """The plan that `text` states, as if it stood at `path`, from whose folder its relative paths begin.

    Raises PlanInvalid.
    """
    problems = Problems(path)
    root = read_document(text, problems)
    plan = _read_root(root, problems, kinds, path.parent, is_file or _is_file) if root else None
    if problems or plan is None:
        raise PlanInvalid(path, problems.in_order())
    return replace(plan, path=path, traffic=replace(plan.traffic, feed=_from(path.parent, plan.traffic.feed)))


def _read_root(
    root: Node, problems: Problems, kinds: Sequence[FaultKind], folder: Path, is_file: Callable[[Path], bool]
) -> Plan | None:
    if not _is_version_known(root, problems):
        return None
    plan = plan_form(kinds).read(root, problems)
    check_consistency(root, problems)
    check_faults(root, problems, kinds)
    check_templates(root, problems)
    for node, feed in select_texts(root, "traffic", "feed"):
        if not is_file(_from(folder, Path(feed))):
            problems.refuse(node, "the path of a file that is there, from the plan's folder,")
    return plan


def _is_version_known(root: Node, problems: Problems) -> bool:
    """A plan of another version is told so and nothing else: every other complaint would be about the wrong rules."""
    stated = root.value("schema") if isinstance(root, MappingNode) else None
    return stated is None or VERSION.read(stated, problems) is not None


def _read_text(path: Path, problems: Problems) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(PLAN_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problems.add(THE_FILE, f"no file that can be read ({why})", "the path of a plan", ("plans/freshmart.yaml",))
        return None
    if len(content) > PLAN_BYTES_MAX:
        problems.add(THE_FILE, f"a file of more than {PLAN_BYTES_MAX // 2**20} MiB", "a plan of at most that size")
        return None
    return _decode(content, problems)


def _decode(content: bytes, problems: Problems) -> str | None:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Location(content.count(b"\n", 0, error.start) + 1, 1)
        problems.add(place, f"the byte {quoted(f'0x{content[error.start]:02x}')}", "text in UTF-8")
        return None


def _from(folder: Path, path: Path) -> Path:
    """Absolute, since those who use it may work in another folder."""
    return (folder / path).absolute()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, a folder that may not be entered
        return False
