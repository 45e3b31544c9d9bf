"""From the text of a plan to a Plan."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from tenfold.fleet import FAULT_KINDS
from tenfold.kernel import Duration
from tenfold.plan import (
    Drill,
    Engine,
    Fault,
    Invariant,
    Journey,
    Mutants,
    Peak,
    Plan,
    PlanInvalid,
    ServerPlan,
    ServicePlan,
    Slo,
    Steps,
    Target,
    Tier,
    Traffic,
    parse_plan,
    read_plan,
)
from tenfold.plan.node import Location, MappingNode, ScalarNode, SequenceNode, written
from tenfold.plan.problem import Problem, Problems
from tenfold.plan.schema import plan_form
from tenfold.plan.schema.estate import SERVER, SERVICE
from tenfold.plan.schema.load import JOURNEY, PEAK, STEPS, TRAFFIC
from tenfold.plan.schema.promise import promise
from tenfold.plan.schema.proof import INVARIANT, MUTANTS, drill_form, read_fault
from tenfold.plan.shapes import Field, RecordOf

ROOT = Path(__file__).parents[3]
SHOP = (ROOT / "tests/golden/plan/shop.yaml").read_text()


def read(text: str) -> Plan:
    return parse_plan(text, Path("plans/shop.yaml"), FAULT_KINDS, is_file=lambda _: True)


def test_every_value_arrives_checked_and_with_its_unit_resolved() -> None:
    """What the rest of Tenfold works with has no text left to interpret."""
    plan = read(SHOP)
    assert plan.peak.daily_peak_rps == 300
    assert plan.servers["main"] == ServerPlan(engine=Engine.VALKEY, replicas=1, memory_bytes=96 * 2**20)
    assert plan.setup == (("python", "-m", "shop.seed"),)
    assert plan.services["api"].slo == Slo(p99=Duration.from_ms(100), availability_ratio=0.999)
    order = plan.journeys["order"]
    assert (order.tier, order.method, order.path, order.share) == (Tier.P0, "POST", "/orders", 0.3)
    assert order.answers == {201: "accepted", 409: "declined"}
    assert order.remember == {"id": "/id"}
    assert order.journal
    drill = plan.drills["cache-killed"]
    assert (drill.target, drill.fault) == (Target.CACHE, Fault("kill", ("main.primary",)))
    assert plan.mutants == Mutants(
        variable="SHOP_MUTANT", names=("oversell",), commands={"api": ("python", "-m", "shop.mutants")}
    )


def test_the_plan_that_the_guide_shows_is_right() -> None:
    """Who copies it from docs/how-to begins with a plan that can be carried out."""
    guide = (ROOT / "docs/how-to/write-a-plan-for-your-own-system.md").read_text()
    plans = [block for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if "schema: 1" in block]
    assert [read(plan).name for plan in plans] == ["weather"]


def test_freshmarts_plan_is_right() -> None:
    """The plan that `make rehearse` carries out, its feed included."""
    assert read_plan(ROOT / "plans/freshmart.yaml", FAULT_KINDS).name == "freshmart"


def test_names_keep_the_order_of_the_file() -> None:
    """Drills run, and journeys are shown, in the order in which their writer thought of them."""
    assert list(read(SHOP).journeys) == ["browse", "order", "status"]


def test_the_hours_of_a_day_are_made_to_add_up_to_one() -> None:
    """The file may state baskets, per cent or anything else that is in proportion."""
    hours = read(SHOP).peak.hours
    assert sum(hours) == pytest.approx(1)
    assert hours[9] == pytest.approx(2 * hours[7])


def test_the_quick_steps_are_the_full_ones_but_for_what_they_say() -> None:
    """`--quick` states only its difference."""
    plan = read(SHOP)
    assert plan.quick_steps == Steps(
        warm_up=plan.steps.warm_up, factors=(1, 10), hold=Duration.from_ms(500), peak_hold=plan.steps.peak_hold
    )


def test_without_quick_steps_the_quick_rehearsal_is_the_full_one() -> None:
    """Nothing is invented for who did not ask for it."""
    plan = read(SHOP.replace("  quick: {factors: [1, 10], hold: 500 ms}\n", ""))
    assert plan.quick_steps == plan.steps


def test_the_feed_is_found_from_the_folder_of_the_plan() -> None:
    """Whoever reads the feed may work in another folder."""
    assert read(SHOP).traffic.feed == Path.cwd() / "plans" / "baskets.jsonl"


def test_an_anchor_may_be_written_once_and_used_again() -> None:
    """Aliases are a plan's way not to repeat itself."""
    text = SHOP.replace("slo: {p99: 50 ms}", "slo: &fast {p99: 50 ms}", 1).replace("slo: {p99: 50 ms}", "slo: *fast", 1)
    assert read(text) == read(SHOP)


def test_a_byte_order_mark_is_no_part_of_the_plan(tmp_path: Path) -> None:
    """Some editors put one at the top of every file."""
    (tmp_path / "baskets.jsonl").write_text("{}\n")
    (tmp_path / "shop.yaml").write_bytes(b"\xef\xbb\xbf" + SHOP.encode())
    assert read_plan(tmp_path / "shop.yaml", FAULT_KINDS).name == "shop"


def test_a_folder_in_the_place_of_a_plan_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    """Only PlanInvalid leaves the reader."""
    with pytest.raises(PlanInvalid, match="no file that can be read"):
        read_plan(tmp_path, FAULT_KINDS)


def test_one_unreadable_value_does_not_make_others_look_wrong() -> None:
    """A server whose engine is mistyped is still a server: what refers to it is not complained about."""
    with pytest.raises(PlanInvalid) as caught:
        read(SHOP.replace("engine: valkey", "engine: redis"))
    assert [problem.key for problem in caught.value.problems] == ["servers.main.engine"]


def test_a_problem_says_line_column_and_key() -> None:
    """Editors jump to line and column; people look for the key."""
    with pytest.raises(PlanInvalid) as caught:
        read(SHOP.replace("factors: [1, 5, 10]", "factors: [1, five, 10]"))
    (problem,) = caught.value.problems
    assert (problem.line, problem.column, problem.key) == (68, 16, "steps.factors[1]")
    assert (problem.stands, problem.may_stand) == ("'five'", "a number above 0")


def test_what_stands_is_quoted_short_and_without_control_characters() -> None:
    """A hostile plan must not write to the terminal of who checks it."""
    quoted = written(ScalarNode(Location(1, 1), "\x1b[2J" + "x" * 500))
    assert quoted.startswith("'\\x1b[2J")
    assert len(quoted) < 80


@pytest.mark.parametrize(
    ("record", "model"),
    [
        (PEAK, Peak),
        *((kind, ServerPlan) for kind in SERVER.kinds.values()),
        (SERVICE, ServicePlan),
        (TRAFFIC, Traffic),
        (JOURNEY, Journey),
        (STEPS, Steps),
        (drill_form(FAULT_KINDS), Drill),
        (INVARIANT, Invariant),
        (MUTANTS, Mutants),
        (promise(availability=True), Slo),
        (promise(availability=False), Slo),
        (plan_form(FAULT_KINDS), Plan),
    ],
)
def test_the_default_that_the_schema_states_is_the_one_that_the_model_has(
    record: RecordOf[object], model: type
) -> None:
    """Editors show the schema's default, programs get the model's: they must be the same."""
    made_by_itself = {
        field.name: field.default if field.default_factory is MISSING else field.default_factory()
        for field in fields(model)
    }
    for field in record.fields:
        if not field.is_required and field.default is not None:
            assert read_default(field) == made_by_itself[field.argument], field.key


def read_default(field: Field) -> object:
    problems = Problems(Path("default"))
    read = field.form.read(node_of(field.default), problems)
    assert not problems
    return read


def node_of(value: object) -> ScalarNode | SequenceNode | MappingNode:
    place = Location(1, 1)
    if isinstance(value, dict):
        return MappingNode(place, tuple((ScalarNode(place, key), node_of(item)) for key, item in value.items()))
    if isinstance(value, list):
        return SequenceNode(place, tuple(node_of(item) for item in value))
    return ScalarNode(place, str(value).lower() if isinstance(value, bool) else str(value))


def test_what_slows_says_by_how_much_and_what_flaps_does_not() -> None:
    """Ten times as long is 1000 %; less than 100 % would be faster."""
    assert read_fault("slow 1000 % of payment", FAULT_KINDS) == Fault("slow", ("payment",), 10.0)
    assert str(Fault("slow", ("payment",), 10.0)) == "slow 1000 % of payment"
    assert read_fault("flap payment", FAULT_KINDS) == Fault("flap", ("payment",))
    wrong = ("slow payment", "slow 50 % of payment", "flap 10 % of payment")
    assert [read_fault(one, FAULT_KINDS) for one in wrong] == [None] * 3


@pytest.mark.parametrize(
    ("target", "fault", "problems"),
    [
        ("service", "slow 1000 % of api", 0),
        ("service", "flap worker", 0),
        ("service", "flap main.primary", 1),
        ("cache", "slow 1000 % of main.primary", 1),
        ("service", "shield anything-at-all", 0),
        ("cache", "shield reviews", 1),
        ("service\n    after: shield reviews", "kill control", 0),
        ("service\n    after: kill nobody", "kill control", 1),
    ],
)
def test_services_are_slowed_servers_are_not_and_any_feature_is_shielded(
    target: str, fault: str, problems: int
) -> None:
    """What a feature is called is known to the services alone."""
    text = SHOP.replace("target: cache", f"target: {target}").replace("kill main.primary", fault)
    assert len(problems_of(text)) == problems


def problems_of(text: str) -> list[Problem]:
    try:
        read(text)
    except PlanInvalid as error:
        return error.problems
    return []


def test_a_service_is_given_all_of_the_environment_or_what_it_needs_of_it() -> None:
    """A name that the environment does not have is a mistake of typing."""
    assert read(SHOP).services["api"].needs is None
    at = "    command: python -m shop.api\n"
    assert at in SHOP
    name = next(iter(read(SHOP).environment))
    assert read(SHOP.replace(at, f"{at}    needs: [{name}]\n")).services["api"].needs == (name,)
    assert read(SHOP.replace(at, f"{at}    needs: []\n")).services["api"].needs == ()
    with pytest.raises(PlanInvalid, match="the name of a variable of `environment`"):
        read(SHOP.replace(at, f"{at}    needs: [NOBODY]\n"))
