"""Laws of switches: a percentage is what it says, the narrowest rule wins, and nothing that is set can break a read."""

import json
import math
from collections.abc import Mapping
from typing import Any

import jsonschema
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.channel_in_memory import MemoryChannel

from tenfold.kernel import VirtualClock
from tenfold.protect.live.switches import Place, Rule, Switches, SwitchRecord, bucket_of
from tenfold.protect.live.switches.place_rules import PlaceRules
from tenfold.protect.live.switches.rule import BUCKETS
from tenfold.protect.live.switches.schema import check_schema, problem_with

NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)
STORES = st.sampled_from(["7", "8", "9"])
RULES = st.builds(
    Rule,
    value=st.integers(0, 9),
    services=st.lists(st.sampled_from(["shop", "till"]), max_size=1).map(tuple),
    stores=st.lists(STORES, max_size=2, unique=True).map(tuple),
    instances=st.lists(st.sampled_from(["a", "b"]), max_size=1).map(tuple),
    where=st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 1), max_size=1),
    percent=st.none() | st.floats(0, 100),
    until_ms=st.sampled_from([0, 0, 5]),
    owner=st.just("o"),
    reason=st.just("r"),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(name=NAMES, percent=st.integers(1, 99))
def test_a_percentage_holds_for_that_share_of_subjects(name: str, percent: int) -> None:
    """Within five standard deviations, for whatever the switch is called."""
    count, share = 2000, percent / 100
    inside = sum(bucket_of(name, f"customer-{n}") < int(percent * BUCKETS / 100) for n in range(count))
    assert abs(inside - count * share) <= 5 * math.sqrt(count * share * (1 - share)) + 1


@settings(max_examples=40, deadline=None)
@given(one=NAMES, other=NAMES)
def test_two_switches_choose_independently(one: str, other: str) -> None:
    """Half of those in one half are in the other's half: no customer is always the one who is tried on."""
    if one != other:
        half, count = BUCKETS // 2, 2000
        both = sum(bucket_of(one, str(n)) < half and bucket_of(other, str(n)) < half for n in range(count))
        assert abs(both - count / 4) <= 5 * math.sqrt(count * 3 / 16)


@settings(max_examples=30, deadline=None)
@given(name=NAMES, value=st.integers(5, 95), percent=st.integers(5, 95))
def test_a_percentage_of_a_percentage_is_their_product(name: str, value: int, percent: int) -> None:
    """Whom a rule counts says nothing about whom the value counts; and who is in at a value stays who they were."""
    channel, switches, count = MemoryChannel(), Switches(), 2000
    switch = switches.percentage(name, default=0)
    with switches.following(channel, tended=False):
        channel.put_record(name, Rule(value=value, percent=percent))
        inside = sum(switch.holds(str(n)) for n in range(count))
        channel.put_record(name, Rule(value=value))
        assert all(switch.holds(str(n)) is (bucket_of(name, str(n)) < int(value * BUCKETS / 100)) for n in range(count))
    share = value * percent / 10_000
    assert abs(inside - count * share) <= 5 * math.sqrt(count * share * (1 - share)) + 1


def test_where_a_subject_stands_is_the_same_in_every_year() -> None:
    """A value worked out once, by hand, with b2sum: processes of other versions and languages must agree."""
    assert bucket_of("new-checkout", "customer-7") == 0x581C4B0877BA17C1


@given(low=st.floats(0, 100), high=st.floats(0, 100), subject=st.text(max_size=8))
def test_whoever_is_in_a_percentage_is_in_a_larger_one(low: float, high: float, subject: str) -> None:
    """Growing a share never takes anybody out."""
    low, high = sorted((low, high))
    bucket = bucket_of("share", subject)
    if Rule(value=0, percent=low).applies(bucket, {}):
        assert Rule(value=0, percent=high).applies(bucket, {})


@given(
    rules=st.lists(RULES, max_size=6),
    place=st.builds(Place, st.sampled_from(["shop", "till"]), STORES, st.sampled_from(["a", "b"])),
    subject=st.none() | st.text(max_size=3),
    where=st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 1)),
)
def test_the_rule_that_wins_is_the_narrowest_of_all_that_apply(
    rules: list[Rule], place: Place, subject: str | None, where: Mapping[str, int]
) -> None:
    """Against the sentence itself: of all that apply, by rank, then by how late it was set."""
    bucket = None if subject is None else bucket_of("s", subject)
    applying = [(rule.rank, n) for n, rule in enumerate(rules) if rule.covers(place) and rule.applies(bucket, where)]
    expected = rules[max(applying)[1]] if applying else None
    plan = PlaceRules("s", rules, place, 0)
    chosen = plan.rule if plan.settled else plan.choose(subject, where)
    assert chosen is expected


@given(rules=st.lists(RULES, max_size=6), rule=RULES)
def test_setting_a_rule_replaces_what_is_set_for_its_scope_and_nothing_else(rules: list[Rule], rule: Rule) -> None:
    """The rule stands once, as the newest; taking its scope back takes it back."""
    before = SwitchRecord(tuple(rules))
    after = before.with_rule(rule)
    assert after.rules[-1] is rule
    assert all(not rule.replaces(other) for other in after.rules[:-1])
    assert [other for other in rules if not rule.replaces(other)] == list(after.rules[:-1])
    assert after.without_scope(rule) == before.without_scope(rule)
    assert SwitchRecord.read("s", after.json) == after


@settings(deadline=None)
@given(
    contents=st.lists(
        st.binary(max_size=30)
        | JSON.map(msgspec.json.encode)
        | st.lists(RULES, max_size=4).map(lambda rules: msgspec.json.encode(SwitchRecord(tuple(rules))))
        | st.dictionaries(st.sampled_from(["rules", "value"]), JSON).map(msgspec.json.encode)
        | st.none(),
        max_size=6,
    ),
    store=st.none() | STORES,
    subject=st.none() | st.text(max_size=4),
)
def test_nothing_that_is_set_can_break_a_read(
    contents: list[bytes | None], store: str | None, subject: str | None
) -> None:
    """Whatever a record holds, before and after the declaration: a value of the declared type, and no exception."""
    channel, switches = MemoryChannel(), Switches(clock=VirtualClock(wall_ns=3_000_000))
    number = switches.integer("s", default=1, minimum=0, maximum=9)
    for content in contents[:2]:
        channel.put_raw("switches", "late", content)
    with switches.following(channel, tended=False):
        text = switches.text("late", default="x")
        for content in contents:
            channel.put_raw("switches", "s", content)
            channel.put_raw("switches", "late", content)
            switches.look()
            for value in (number(), number.read(), number.at(store=store, subject=subject, where={"x": 1})):
                assert type(value) is int
                assert 0 <= value <= 9
            assert type(text.at(store=store, subject=subject)) is str


SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["boolean", "integer", "number", "string", "array", "object", "null"]),
            "enum": st.lists(JSON, min_size=1, max_size=3),
            "minimum": st.integers(-3, 3),
            "maximum": st.integers(-3, 3),
            "minLength": st.integers(0, 3),
            "maxLength": st.integers(0, 3),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from([["array", "null"], ["object", "string"]]),
            "items": inner,
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "properties": st.dictionaries(st.text(max_size=2), inner, max_size=2),
            "required": st.lists(st.text(max_size=2), max_size=2, unique=True),
            "additionalProperties": st.booleans(),
        },
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(schema=SCHEMAS, value=JSON)
def test_what_a_schema_allows_is_what_json_schema_says(schema: dict[str, Any], value: Any) -> None:
    """Against the reference validator; only a whole number written with a point is no integer here."""
    check_schema(schema)
    stated = json.loads(json.dumps(value))
    if not _has_whole_float(stated):
        valid = jsonschema.Draft202012Validator(schema).is_valid(stated)
        assert (problem_with(stated, schema) == "") is valid


def _has_whole_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_whole_float, value.values()))
    return (
        any(map(_has_whole_float, value))
        if isinstance(value, list)
        else isinstance(value, float) and value.is_integer()
    )
