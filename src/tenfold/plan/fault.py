"""Which node of which server a drill may strike, and with what."""

from collections.abc import Iterator
from dataclasses import dataclass

from tenfold.plan.model import CONTROL, OF_LOAD, Engine, Fault, FaultKind, Target
from tenfold.plan.node import Node, keys_of, select_texts
from tenfold.plan.problem import Problems
from tenfold.plan.schema.proof import read_fault

NODES_OF = {
    Engine.POSTGRESQL: ("primary", "replica"),
    Engine.VALKEY: ("primary", "replica"),
    Engine.SEAWEEDFS: ("s3",),
}
"""The nodes of a server. A replica is there when the plan asks for one."""

ENGINE_OF = {
    Target.DATABASE: Engine.POSTGRESQL,
    Target.CACHE: Engine.VALKEY,
    Target.OBJECT_STORE: Engine.SEAWEEDFS,
}

OF_A_SERVICE = (FaultKind.KILL, FaultKind.STOP, FaultKind.HANG, FaultKind.SLOW, FaultKind.FLAP)


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
        """Whether it stands for its server where the server is meant as a whole."""
        return self.member != "replica"

    @property
    def faults(self) -> tuple[FaultKind, ...]:
        """What can be done to it and undone: anything dies, but only some can be cut off alive."""
        return (FaultKind.KILL, FaultKind.STOP, *_SPECIAL.get((self.engine, self.member), ()))


_SPECIAL = {
    (Engine.POSTGRESQL, "primary"): (FaultKind.CUT,),
    (Engine.VALKEY, "primary"): (FaultKind.HANG, FaultKind.BLACKHOLE, FaultKind.SCRAMBLE),
    (Engine.VALKEY, "replica"): (FaultKind.HANG, FaultKind.BLACKHOLE),
    (Engine.SEAWEEDFS, "s3"): (FaultKind.REFUSE,),
}


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
    """Whether a server's nodes are unknown: then a reference that leads nowhere is not the mistake to speak of."""
    return {server for _, server in keys_of(root, "servers")} != {node.server for node in server_nodes(root)}


def check_faults(root: Node, problems: Problems) -> None:
    """Report every drill whose fault nobody can suffer, or strikes another kind of thing than it says."""
    if has_unreadable_engine(root):
        return
    nodes = server_nodes(root)
    for _, drill in keys_of(root, "drills"):
        target = next((text for _, text in select_texts(root, "drills", drill, "target")), "")
        _check_fault(root, problems, nodes, (drill, "fault"), target)
        _check_fault(root, problems, nodes, (drill, "after"), "")


def _check_fault(root: Node, problems: Problems, nodes: list[ServerNode], key: tuple[str, str], target: str) -> None:
    """What a feature is called is known to the services alone, so any name may be shielded."""
    known = [str(fault) for fault in _possible(root, nodes, target)]
    for node, written in select_texts(root, "drills", *key):
        fault = read_fault(written)
        if fault is None or (fault.kind is FaultKind.SHIELD and target in ("", Target.SERVICE)):
            continue
        if not all(one in known for one in _single(fault)):
            what = f"a fault of target {target}" if target in list(Target) else "a fault"
            problems.refuse(node, what, known, known=known)


def _possible(root: Node, nodes: list[ServerNode], target: str) -> Iterator[Fault]:
    """Every fault, without its share, that can strike what the target says."""
    for node in nodes:
        if target not in list(Target) or ENGINE_OF.get(Target(target)) is node.engine:
            yield from (Fault(kind, (node.name,)) for kind in node.faults)
            yield from (Fault(kind, (node.server,)) for kind in (FaultKind.KILL, FaultKind.STOP) if node.is_first)
    if target not in list(Target) or target == Target.SERVICE:
        services = [CONTROL, *(service for _, service in keys_of(root, "services"))]
        yield from (Fault(kind, (service,)) for service in services for kind in OF_A_SERVICE)
    if target not in list(Target) or target == Target.TRAFFIC:
        yield from (Fault(FaultKind.FOCUS, (journey,)) for _, journey in keys_of(root, "journeys"))
        yield Fault(FaultKind.SURGE)


def _single(fault: Fault) -> list[str]:
    """The fault for each that it strikes, as `_possible` names them."""
    return [str(Fault(fault.kind, (name,))) for name in fault.at] or [str(Fault(fault.kind))]


def struck_by(fault: Fault, nodes: list[str]) -> list[str]:
    """The names, among `nodes`, of what the fault strikes: a server's name stands for all its nodes, primary first."""
    if fault.kind in OF_LOAD or fault.kind is FaultKind.SHIELD:
        return []
    return [node for name in fault.at for node in nodes if name in (node, node.partition(".")[0])]
