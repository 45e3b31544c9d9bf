"""Which node of which server a drill may strike, and with what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tenfold.plan.model import CONTROL, NODES_OF, Engine, Fault, FaultKind, Target
from tenfold.plan.node import Node, keys_of, select_texts
from tenfold.plan.problem import Problems
from tenfold.plan.schema.proof import read_fault

ENGINE_OF = {
    Target.DATABASE: Engine.POSTGRESQL,
    Target.CACHE: Engine.VALKEY,
    Target.OBJECT_STORE: Engine.SEAWEEDFS,
}


@dataclass(frozen=True, slots=True)
class ServerNode:
    """One process of a server: what a fault strikes and what `${…}` refers to."""

    server: str
    member: str
    engine: Engine

    @property
    def name(self) -> str:
        return f"{self.server}.{self.member}"

    @property
    def is_first(self) -> bool:
        """True when it stands for its server where the server is meant as a whole."""
        return self.member != "replica"


def server_nodes(root: Node) -> list[ServerNode]:
    """Every node of the servers in the plan at `root`; a server whose engine cannot be read has none."""
    nodes = []
    for _, server in keys_of(root, "servers"):
        engine = next((text for _, text in select_texts(root, "servers", server, "engine")), "")
        replicas = next((text for _, text in select_texts(root, "servers", server, "replicas")), "0")
        if engine in list(Engine):
            members = [member for member in NODES_OF[Engine(engine)] if member != "replica" or replicas != "0"]
            nodes += [ServerNode(server, member, Engine(engine)) for member in members]
    return nodes


def has_unreadable_engine(root: Node) -> bool:
    """True when a server's nodes are unknown: a reference that leads nowhere is then not the mistake to speak of."""
    return {server for _, server in keys_of(root, "servers")} != {node.server for node in server_nodes(root)}


def check_faults(root: Node, problems: Problems, kinds: Sequence[FaultKind]) -> None:
    """Report every drill whose fault nobody can suffer, or strikes another kind of thing than it says."""
    if has_unreadable_engine(root):
        return
    for _, drill in keys_of(root, "drills"):
        target = next((text for _, text in select_texts(root, "drills", drill, "target")), "")
        for key, struck in (("fault", target), ("after", "")):
            _check_fault(root, problems, kinds, (drill, key), struck)


def _check_fault(root: Node, problems: Problems, kinds: Sequence[FaultKind], key: tuple[str, str], target: str) -> None:
    """The services alone know what their features are called, so any name may be that of a feature."""
    known = [str(fault) for fault in _possible(root, kinds, target)]
    of_features = [kind.word for kind in kinds if kind.features]
    for node, written in select_texts(root, "drills", *key):
        fault = read_fault(written, kinds)
        if fault is None or (fault.kind in of_features and target in ("", Target.SERVICE)):
            continue
        if not all(one in known for one in _single(fault)):
            what = f"a fault of target {target}" if target in list(Target) else "a fault"
            problems.refuse(node, what, known, known=known)


def _possible(root: Node, kinds: Sequence[FaultKind], target: str) -> Iterator[Fault]:
    """Every fault, without its share, that can strike what the target says."""
    anything = target not in list(Target)
    for node in server_nodes(root):
        if anything or ENGINE_OF.get(Target(target)) is node.engine:
            own = (kind for kind in kinds if (node.engine, node.member) in kind.nodes)
            yield from (Fault(kind.word, (node.name,)) for kind in own)
            yield from (Fault(kind.word, (node.server,)) for kind in kinds if kind.servers and node.is_first)
    if anything or target == Target.SERVICE:
        services = [CONTROL, *(service for _, service in keys_of(root, "services"))]
        yield from (Fault(kind.word, (name,)) for name in services for kind in kinds if kind.services)
    if anything or target == Target.TRAFFIC:
        journeys = [journey for _, journey in keys_of(root, "journeys")]
        yield from (Fault(kind.word, (name,)) for kind in kinds if kind.journeys for name in journeys)
        yield from (Fault(kind.word) for kind in kinds if kind.load)


def _single(fault: Fault) -> list[str]:
    """The fault for each that it strikes, as `_possible` names them."""
    return [str(Fault(fault.kind, (name,))) for name in fault.at] or [str(Fault(fault.kind))]
