"""The command line: what it takes, what it says, and with which status it ends."""

import errno
from pathlib import Path

import pytest

from tenfold import __version__, bootstrap, cli
from tenfold.kernel import Interrupted, TenfoldError

PLAN = str(Path(__file__).parents[2] / "plans" / "freshmart.yaml")


def ends_with(monkeypatch: pytest.MonkeyPatch, outcome: BaseException | int) -> int:
    """The exit status when the rehearsal ends like this."""

    def rehearse(path: Path, **options: object) -> int:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(bootstrap, "rehearse", rehearse)
    return cli.main(["rehearse"])


@pytest.mark.parametrize("command", [[], ["rehearse"], ["up"], ["check"], ["doctor"], ["reports"]])
def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, with status 0."""
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"usage: {' '.join(['tenfold', *command])}")
    assert said.err == ""


def test_help_names_every_command_and_every_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    """What a newcomer needs stands on one screen."""
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    said = capsys.readouterr().out
    assert [
        word
        for word in ("rehearse", "up", "check", "doctor", "--quick", "--json", "0 GO", "1 NO-GO", "2 the")
        if word not in said
    ] == []
    assert max(map(len, said.splitlines())) <= 80
    assert len(said.splitlines()) <= 24


def test_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Name and number."""
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"tenfold {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "required: COMMAND"),
        (["rehaerse"], "invalid choice: 'rehaerse'"),
        (["rehearse", "--fast"], "unrecognized arguments: --fast"),
        (["rehearse", "--port", "https"], "'https' is no port; 0 to 65535 may stand here"),
        (["up", "--port", "65536"], "'65536' is no port; 0 to 65535 may stand here"),
        (["rehearse", "--drills", " ,"], "' ,' names no drill; a drill, several as a,b,c, or none may stand here"),
        (["rehearse", "--seed", "x"], "invalid int value: 'x'"),
    ],
)
def test_wrong_call_is_answered_with_what_may_stand_there(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, with status 2."""
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    heard = capsys.readouterr()
    assert said in heard.err
    assert heard.out == ""


@pytest.mark.parametrize(
    ("outcome", "status", "said"),
    [
        (0, 0, ""),
        (1, 1, ""),
        (TenfoldError("The plan is wrong.", remedy="Mend it."), 2, "tenfold: The plan is wrong. Mend it.\n"),
        (Interrupted(15), 143, "tenfold: Interrupted by SIGTERM; everything that was started has been ended.\n"),
        (KeyboardInterrupt(), 130, "tenfold: Interrupted by SIGINT; everything that was started has been ended.\n"),
    ],
)
def test_every_end_has_its_status_and_one_sentence(
    outcome: BaseException | int,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """GO, NO-GO, a fault, a signal."""
    assert ends_with(monkeypatch, outcome) == status
    assert capsys.readouterr().err == said


def test_machine_that_refuses_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of the system that nobody foresaw must not look like NO-GO."""
    assert ends_with(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "events/tenfold.jsonl")) == 2
    said = capsys.readouterr().err
    assert said.startswith("tenfold: The machine refused: [Errno 28] No space left on device: 'events/tenfold.jsonl'")
    assert said.count("\n") == 1


def test_check_says_what_a_sound_plan_holds(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, status 0."""
    assert cli.main(["check", PLAN]) == 0
    assert "is sound: freshmart, daily peak 300/s, 12 journeys" in capsys.readouterr().out


def test_options_reach_the_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they were given; a free port, the full steps, every drill and a fresh seed when they were not."""
    seen: list[object] = []
    flags = {"as_json": False, "stay": False, "print_sign_in": False}
    unsaid = {"port": 0, "quick": False, "drills": None, "seed": None, **flags}
    said = {**unsaid, "port": 8080, "quick": True, "seed": 7, "as_json": True, "print_sign_in": True}

    def rehearse(path: Path, **options: object) -> int:
        seen.append((path, options))
        return 0

    monkeypatch.setattr(bootstrap, "rehearse", rehearse)
    cli.main(["rehearse"])
    cli.main(["rehearse", "--plan", "p.yaml", "--port", "8080", "--quick", "--seed", "7", "--json", "--print-sign-in"])
    cli.main(["rehearse", "--drills", "hot-key, overload,"])
    cli.main(["rehearse", "--drills", "none"])
    assert seen == [
        (Path("plans/freshmart.yaml"), unsaid),
        (Path("p.yaml"), said),
        (Path("plans/freshmart.yaml"), {**unsaid, "drills": ("hot-key", "overload")}),
        (Path("plans/freshmart.yaml"), {**unsaid, "drills": ()}),
    ]
