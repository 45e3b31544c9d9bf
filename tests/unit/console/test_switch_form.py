"""What a form says of a switch, and the rule that it comes to."""

import pytest

from tenfold.console.switchboard.switch_form import FormProblems, SwitchForm, clocks_note, form_of, rule_of
from tenfold.protect.live.switches import Declaration, Rule

NOW_MS = 1_767_225_600_000
BOOLEAN = Declaration(name="reviews", kind="boolean", default=True)
INTEGER = Declaration(name="limit", kind="integer", default=5, schema={"maximum": 10})


def ruled(form: SwitchForm, declaration: Declaration | None = BOOLEAN) -> Rule:
    rule = rule_of(form, declaration, NOW_MS)
    assert isinstance(rule, Rule)
    return rule


def problems(form: SwitchForm, declaration: Declaration | None = BOOLEAN) -> dict[str, str]:
    rule = rule_of(form, declaration, NOW_MS)
    assert isinstance(rule, FormProblems)
    return dict(rule.problems)


@pytest.mark.parametrize(
    ("kind", "default", "text", "value"),
    [
        ("boolean", True, "off", False),
        ("integer", 1, "7", 7),
        ("number", 1.0, "0.5", 0.5),
        ("percentage", 0, "12.5 %", 12.5),
        ("text", "full", "7", "7"),
        ("text", "full", "", ""),
        ("json", {}, '{"days": 2}', {"days": 2}),
    ],
)
def test_a_value_is_read_as_its_switch_wants_it(kind: str, default: object, text: str, value: object) -> None:
    """A text that looks like a number stays a text."""
    declaration = Declaration(name="one", kind=kind, default=default)  # type: ignore[arg-type]
    assert ruled(SwitchForm(value=text), declaration).value == value


@pytest.mark.parametrize("text", ["11", "1.5", "seven", "", "true", "null", "[" * 5000, "9" * 400])
def test_a_value_that_may_not_be_is_said_beside_its_field(text: str) -> None:
    """In a sentence, with nothing asked of the node."""
    assert set(problems(SwitchForm(value=text), INTEGER)) == {"value"}


def test_a_number_that_not_every_reader_holds_is_refused_for_what_nobody_has_declared_too() -> None:
    """It would be another one in the next reader."""
    assert "every JSON reader" in problems(SwitchForm(value="9" * 400), None)["value"]


def test_places_are_separated_by_commas_or_blanks() -> None:
    """As people type them, each once."""
    rule = ruled(SwitchForm(value="off", stores="7, 12  7,,31", percent="10 %"))
    assert (rule.stores, rule.percent) == (("7", "12", "31"), 10.0)


def test_an_end_is_a_length_or_a_moment() -> None:
    """Nothing is no end."""
    assert ruled(SwitchForm(value="off")).until_ms == 0
    assert ruled(SwitchForm(value="off", ends="30m")).until_ms == NOW_MS + 1_800_000
    assert ruled(SwitchForm(value="off", ends="2026-01-01T02:00+00:00")).until_ms == NOW_MS + 7_200_000
    assert ruled(SwitchForm(value="off", ends="10:00 Asia/Shanghai")).until_ms == NOW_MS + 7_200_000


def test_what_a_change_of_the_clocks_makes_of_an_end_is_said() -> None:
    """Of what is sound; a length of time knows no clocks."""
    assert "skip 02:30" in clocks_note(SwitchForm(ends="2026-03-29T02:30 Europe/Berlin"), NOW_MS)
    assert not any(clocks_note(SwitchForm(ends=ends), NOW_MS) for ends in ("", "30m", "soon:", "02:30 UTC"))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("ends", "soon"),
        ("ends", "500d"),
        ("ends", "9" * 400 + "d"),
        ("ends", "2020-01-01T00:00+00:00"),
        ("percent", "101"),
        ("percent", "nan"),
        ("percent", "a few"),
        ("stores", " ".join(map(str, range(201)))),
        ("stores", "s" * 129),
        ("reason", "r" * 501),
    ],
)
def test_a_field_that_cannot_be_is_said_beside_it(field: str, text: str) -> None:
    """Each field has its own sentence."""
    assert set(problems(form_of({"value": "off", field: text}))) == {field}


def test_every_fault_is_said_at_once() -> None:
    """Nobody likes to be told one by one."""
    assert set(problems(SwitchForm(value="maybe", percent="x", ends="y"))) == {"value", "percent", "ends"}


def test_a_look_is_for_what_was_looked_at() -> None:
    """Another value, place or end is another form; another reason is not."""
    form = SwitchForm(value="off", stores="7")
    assert SwitchForm(value="off", stores="7", reason="slow", owner="Ann").seal == form.seal
    others = [
        SwitchForm(value="on", stores="7"),
        SwitchForm(value="off"),
        SwitchForm(value="off", services="7"),
        SwitchForm(value="off7"),
    ]
    assert len({other.seal for other in [form, *others]}) == 5


def test_what_nobody_declared_is_read_as_json() -> None:
    """Whoever sets it early knows what it will be."""
    assert ruled(SwitchForm(value="[1]"), None).value == [1]
