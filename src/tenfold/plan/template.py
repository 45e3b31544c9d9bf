"""What `${…}` in a plan may refer to: the address of a server's node or of a service, a part of an earlier answer."""

import re
from collections.abc import Iterator

from tenfold.plan.fault import has_unreadable_engine, server_nodes
from tenfold.plan.model import Engine
from tenfold.plan.node import Node, ScalarNode, keys_of, quoted, select_texts
from tenfold.plan.problem import Problems, nearest

REFERENCE = re.compile(r"\$\{([^{}]*)\}")

REHEARSAL_TOKEN = "rehearsal.token"  # noqa: S105  # the name of it, not the secret
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def check_templates(root: Node, problems: Problems) -> None:
    """Report every `${…}` that nothing will ever fill."""
    _check_environment(root, problems)
    _check_journeys(root, problems)


def _check_environment(root: Node, problems: Problems) -> None:
    nodes = server_nodes(root)
    whole = [f"{node.server}.url" for node in nodes if node.engine is Engine.VALKEY and node.is_first]
    services = [f"{service}.url" for _, service in keys_of(root, "services")]
    known = [*whole, *(f"{node.name}.url" for node in nodes), *services, REHEARSAL_TOKEN]
    for node, reference in _references(root, problems, ("environment", "*")):
        if reference not in known and not has_unreadable_engine(root):
            _refuse(node, reference, "a reference", known, problems)


def _check_journeys(root: Node, problems: Problems) -> None:
    known = [
        f"{journey}.{name}"
        for _, journey in keys_of(root, "journeys")
        for _, name in keys_of(root, "journeys", journey, "remember")
    ]
    for keys in (("request",), ("body",), ("headers", "*")):
        for node, reference in _references(root, problems, ("journeys", "*", *keys)):
            is_field = _FIELD.fullmatch(reference) is not None  # of the feed's row, or ${unique}
            if not is_field and reference not in known:
                what = "a field of the feed, ${unique}, or what a journey remembers,"
                _refuse(node, reference, what, known, problems)


def _references(root: Node, problems: Problems, pattern: tuple[str, ...]) -> Iterator[tuple[ScalarNode, str]]:
    for node, text in select_texts(root, *pattern):
        if "${" in REFERENCE.sub("", text):
            problems.refuse(node, "a ${…} that is closed", ("${store}",))
        for reference in REFERENCE.findall(text):
            yield node, reference


def _refuse(node: ScalarNode, reference: str, what: str, known: list[str], problems: Problems) -> None:
    stands = quoted("${" + reference + "}")
    hint = nearest(reference, known)
    examples = ["${" + name + "}" for name in known]
    problems.add(node.place, stands, what, examples, hint=f"${{{hint}}}" if hint else "")
