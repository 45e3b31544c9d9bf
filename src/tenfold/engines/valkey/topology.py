"""Which servers hold which keys, asked of whoever knows: the address itself, the Sentinels, the Cluster's nodes."""

from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from tenfold.engines.valkey.address import Access, Address, Endpoint, Kind
from tenfold.engines.valkey.connection import Command, ReplyError
from tenfold.engines.valkey.server import Server, ServerUnreachable
from tenfold.engines.valkey.slots import SLOTS
from tenfold.kernel import TenfoldError

MakeServer = Callable[[Endpoint, Access], Server]


class TopologyUnknown(TenfoldError):
    """No Sentinel and no node said where the servers are."""


class ShardPlace(NamedTuple):
    """Servers that hold the same keys, as the address or another server says; each says itself whether it is the
    primary. `slots`: ends included.
    """

    endpoints: tuple[Endpoint, ...]
    slots: tuple[tuple[int, int], ...] = ((0, SLOTS - 1),)


async def locate(address: Address, make_server: MakeServer) -> list[ShardPlace]:
    """Raises TopologyUnknown when nobody answers; each is asked in turn, within the server's deadlines."""
    if address.kind is Kind.STANDALONE:
        return [ShardPlace(address.endpoints)]
    if address.kind is Kind.SENTINEL:
        return await _ask_sentinels(address, make_server)
    return await _ask_nodes(address, make_server)


async def _ask_sentinels(address: Address, make_server: MakeServer) -> list[ShardPlace]:
    name = address.primary_name
    access = Access(password=address.sentinel_password, tls=address.access.tls)
    questions: tuple[Command, ...] = (
        ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name),
        ("SENTINEL", "REPLICAS", name),
    )
    async for primary, replicas in _answers(address, access, make_server, questions):
        if isinstance(primary, list) and isinstance(replicas, list):
            return [ShardPlace((_endpoint(*primary), *filter(None, map(_replica, replicas))))]
    raise TopologyUnknown(f"No Sentinel knows where the primary '{name}' is.")


async def _ask_nodes(address: Address, make_server: MakeServer) -> list[ShardPlace]:
    async for ranges, *_ in _answers(address, address.access, make_server, (("CLUSTER", "SLOTS"),)):
        if isinstance(ranges, list) and ranges:
            return _places(ranges)
    raise TopologyUnknown("No node of the Cluster says which slots are where.")


async def _answers(
    address: Address, access: Access, make_server: MakeServer, questions: tuple[Command, ...]
) -> AsyncIterator[list[Any]]:
    """What each of the address's endpoints answers, those who answer nothing left out."""
    for endpoint in address.endpoints:
        server = make_server(endpoint, access)
        try:
            replies = await server.ask(*questions)
        except ServerUnreachable:
            continue
        finally:
            server.close()
        if not any(isinstance(reply, ReplyError) for reply in replies):
            yield replies


def _places(ranges: list[Any]) -> list[ShardPlace]:
    slots: dict[tuple[Endpoint, ...], list[tuple[int, int]]] = {}
    for first, last, *nodes in ranges:
        endpoints = tuple(_endpoint(node[0], node[1]) for node in nodes if node[0])
        slots.setdefault(endpoints, []).append((first, last))
    return [ShardPlace(endpoints, tuple(parts)) for endpoints, parts in slots.items()]


def _replica(pairs: list[bytes]) -> Endpoint | None:
    """Sentinel's flat list of names and values; a replica that it holds for dead is left out."""
    facts = dict(zip(pairs[::2], pairs[1::2], strict=False))
    flags = facts.get(b"flags", b"").split(b",")
    if b"s_down" in flags or b"o_down" in flags:
        return None
    return _endpoint(facts[b"ip"], facts[b"port"])


def _endpoint(host: bytes, port: bytes | int) -> Endpoint:
    return Endpoint(host.decode(), int(port))
