"""Which node of which server a drill may strike, and with what."""

from dataclasses import dataclass

from tenfold.plan.model import Engine, FaultKind, Target
from tenfold.plan.node import Node, keys_of, select_texts
from tenfold.plan.problem import Problems

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
    def faults(self) -> tuple[str, ...]:
        """What can be done to it and undone: anything dies, but only some can be cut off alive."""
        can_be_cut = self.engine is Engine.POSTGRESQL and self.member == "primary"
        special = [FaultKind.CUT] if can_be_cut else [FaultKind.REFUSE] if self.engine is Engine.SEAWEEDFS else []
        return tuple(f"{kind} {self.name}" for kind in (FaultKind.KILL, FaultKind.STOP, *special))


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
    """Report every drill whose fault no node can suffer, or strikes another kind of store than it says."""
    nodes = server_nodes(root)
    for _, drill in keys_of(root, "drills"):
        target = next((text for _, text in select_texts(root, "drills", drill, "target")), "")
        fitting = [node for node in nodes if target not in list(Target) or ENGINE_OF[Target(target)] is node.engine]
        faults = [fault for node in fitting for fault in node.faults]
        for node, fault in select_texts(root, "drills", drill, "fault"):
            if fault not in faults and fault.partition(" ")[0] in list(FaultKind) and not has_unreadable_engine(root):
                what = f"a fault of target {target}" if target in list(Target) else "a fault"
                problems.refuse(node, what, faults, known=faults)
