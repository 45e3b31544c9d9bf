"""What must agree between the keys of a plan: names that refer to other names, shares that make a whole.

Each rule looks at the tree as it was written, not at the plan made from it, so that a mistake in one key does not hide
a mistake in another.
"""

from collections.abc import Iterable
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter

from tenfold.plan.model import CONTROL, Engine
from tenfold.plan.node import Node, keys_of, quoted, select, select_texts
from tenfold.plan.problem import Problems
from tenfold.plan.quantity import SHARE

SHARES_TOLERANCE = Fraction(1, 10_000)


def check_consistency(root: Node, problems: Problems) -> None:
    """Report every disagreement between the keys of the plan at `root`."""
    for rule in (
        _shares_make_a_whole,
        _traffic_names_a_service,
        _dependencies_exist,
        _needs_are_in_the_environment,
        _dependencies_do_not_turn_in_a_circle,
        _servers_and_services_have_names_of_their_own,
        _drills_name_journeys,
        _drills_expect_one_thing_of_a_journey,
        _mutants_replace_services,
        _queries_have_one_database,
    ):
        rule(root, problems)


def names_in(root: Node, *keys: str) -> list[str]:
    """The names of the things that stand below the top keys `keys`."""
    return [name for key in keys for _, name in keys_of(root, key)]


def check_names(root: Node, problems: Problems, pattern: Iterable[str], names: list[str], may_stand: str) -> None:
    for node, name in select_texts(root, *pattern):
        if name not in names:
            problems.refuse(node, may_stand, names, known=names)


def _shares_make_a_whole(root: Node, problems: Problems) -> None:
    journeys = next(select(root, "journeys"), None)
    shares = [SHARE.read(text) for _, text in select_texts(root, "journeys", "*", "share")]
    stated = [share for share in shares if share is not None]
    total = sum(stated, Fraction(0))
    if journeys is None or not shares or len(stated) < len(shares) or abs(total - 1) <= SHARES_TOLERANCE:
        return
    problems.add(journeys.place, f"a sum of shares of {float(total * 100):g} %", "a sum of 100 %")


def _traffic_names_a_service(root: Node, problems: Problems) -> None:
    check_names(root, problems, ("traffic", "service"), names_in(root, "services"), "the name of a service")


def _dependencies_exist(root: Node, problems: Problems) -> None:
    names = names_in(root, "servers", "services")
    check_names(root, problems, ("services", "*", "depends_on", "*"), names, "the name of a server or service")


def _needs_are_in_the_environment(root: Node, problems: Problems) -> None:
    names = names_in(root, "environment")
    check_names(root, problems, ("services", "*", "needs", "*"), names, "the name of a variable of `environment`")


def _dependencies_do_not_turn_in_a_circle(root: Node, problems: Problems) -> None:
    services = dict(keys_of(root, "services"))
    graph = {
        name: [text for _, text in select_texts(root, "services", name, "depends_on", "*")]
        for name in services.values()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1][::-1]  # graphlib tells it from the needed to the needing
        key = next(key for key, name in services.items() if name == circle[0])
        problems.add(key.place, f"the circle {' → '.join(circle)}", "services that do not wait for themselves")


def _servers_and_services_have_names_of_their_own(root: Node, problems: Problems) -> None:
    servers = [*names_in(root, "servers"), CONTROL]
    for key, name in keys_of(root, "services"):
        if name in servers:
            problems.add(key.place, f"the name of a server, {quoted(name)},", "a name that no server has")


def _drills_name_journeys(root: Node, problems: Problems) -> None:
    names = names_in(root, "journeys")
    for key in ("unharmed", "delayed", "degraded"):
        check_names(root, problems, ("drills", "*", key, "*"), names, "the name of a journey")


def _drills_expect_one_thing_of_a_journey(root: Node, problems: Problems) -> None:
    for drill in select(root, "drills", "*"):
        seen: set[str] = set()
        for key in ("unharmed", "delayed", "degraded"):
            for node, name in select_texts(drill, key, "*"):
                if name in seen:
                    problems.add(node.place, f"{quoted(name)} a second time", "each journey once in a drill")
                seen.add(name)


def _mutants_replace_services(root: Node, problems: Problems) -> None:
    names = names_in(root, "services")
    for key, name in keys_of(root, "mutants", "commands"):
        if name not in names:
            problems.refuse(key, "the name of a service", names, known=names)


def _queries_have_one_database(root: Node, problems: Problems) -> None:
    engines = [engine for _, engine in select_texts(root, "servers", "*", "engine")]
    queried = next(select(root, "invariants"), None) or next(select(root, "settled"), None)
    if queried is None or any(engine not in list(Engine) for engine in engines):
        return
    count = engines.count(Engine.POSTGRESQL)
    if count != 1:
        problems.add(queried.place, f"a query, and {count or 'no'} postgresql servers,", "one database to ask")
