"""What freshmart reads from its environment, and when it refuses to start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from freshmart import mutants
from freshmart.settings import SettingInvalid, read_settings, refuse_mutant

WHOLE = {
    "FRESHMART_PRIMARY_URL": "postgresql://app:secret@127.0.0.1:1/app",
    "FRESHMART_REPLICA_URL": "postgresql://app:secret@127.0.0.1:2/app",
    "FRESHMART_MAIN_URL": "redis://:secret@127.0.0.1:3/0",
    "FRESHMART_STREAM_URL": "redis://:secret@127.0.0.1:3/0",
    "FRESHMART_STANDBY_URL": "redis://:secret@127.0.0.1:4/0",
    "FRESHMART_OBJECTS_URL": "http://key:secret@127.0.0.1:5",
    "FRESHMART_REHEARSAL_TOKEN": "secret",
}


@pytest.mark.parametrize("missing", [name for name in WHOLE if name.endswith("_URL")])
def test_a_missing_server_is_named(missing: str) -> None:
    """Which variable, and what follows from it."""
    with pytest.raises(SettingInvalid, match=missing):
        read_settings({name: value for name, value in WHOLE.items() if name != missing})


@pytest.mark.parametrize("port", ["", "0", "65536", "http", "-1", "٣"])
def test_a_port_that_cannot_be_is_named(port: str) -> None:
    """From 1 to 65535."""
    with pytest.raises(SettingInvalid, match="PORT"):
        read_settings({**WHOLE, "PORT": port})


@pytest.mark.parametrize(
    ("said", "folder"),
    [
        ({}, None),
        ({"TENFOLD_EVENTS": "/runs/7/events/api.jsonl"}, Path("/runs/7/events")),
        ({"TENFOLD_EVENTS": "/runs/7/events/api.jsonl", "FRESHMART_STATE": "/var/lib/shop"}, Path("/var/lib/shop")),
    ],
)
def test_what_outlives_the_process_lies_where_it_is_told_or_beside_its_events(
    said: dict[str, str], folder: Path | None
) -> None:
    """In a run every service has a folder for its events, so nobody needs to state another."""
    assert read_settings({**WHOLE, **said}).state_folder == folder


def test_printed_settings_show_no_secret() -> None:
    """They may end in a log."""
    assert "secret" not in repr(read_settings(WHOLE))


def test_the_product_refuses_to_start_as_a_mutant() -> None:
    """Whatever its name."""
    with pytest.raises(SettingInvalid, match="FRESHMART_MUTANT"):
        refuse_mutant({"FRESHMART_MUTANT": ""})


@pytest.mark.parametrize("name", mutants.MUTANTS)
def test_a_mutant_refuses_to_start_outside_a_rehearsal(name: str) -> None:
    """The rehearsal says so in its environment; nobody else does."""
    with pytest.raises(SettingInvalid, match="in a rehearsal only"):
        mutants.choose_mutant({"FRESHMART_MUTANT": name})
    assert mutants.choose_mutant({"FRESHMART_MUTANT": name, "TENFOLD_REHEARSAL": "1"}) is not None


def test_an_unknown_mutant_is_refused_with_the_known_ones() -> None:
    """So that a typing error is no GO."""
    with pytest.raises(SettingInvalid, match="oversell, lost-order, wrong-price"):
        mutants.choose_mutant({"FRESHMART_MUTANT": "overseel", "TENFOLD_REHEARSAL": "1"})


@pytest.mark.parametrize("module", ["freshmart.api", "freshmart.worker", "freshmart.mutants"])
def test_a_program_that_refuses_says_one_line_and_exits_with_two(module: str) -> None:
    """As every program of this house does when it was set up wrongly."""
    environment = {**os.environ, **WHOLE, "FRESHMART_MUTANT": "oversell"}
    environment.pop("TENFOLD_REHEARSAL", None)
    ended = subprocess.run([sys.executable, "-m", module], env=environment, capture_output=True, timeout=60)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)


def test_the_product_never_imports_its_mutants() -> None:
    """Neither the API nor the worker, by any way."""
    check = "import sys, freshmart.api, freshmart.worker; sys.exit('freshmart.mutants' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], timeout=60).returncode == 0
