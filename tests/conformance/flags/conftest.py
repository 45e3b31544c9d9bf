"""A provider with the flags of the OpenFeature specification."""

from collections.abc import Iterator

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from tests.channel_in_memory import MemoryChannel
from tests.openfeature_flags import FLAGS, METADATA, RULES, ZERO, Given

from tenfold.protect.live.openfeature import SwitchProvider
from tenfold.protect.live.switches import Switches


@pytest.fixture
def channel() -> MemoryChannel:
    channel = MemoryChannel()
    for name, rule in RULES.items():
        channel.put_record(name, rule)
    return channel


@pytest.fixture
def switches(channel: MemoryChannel) -> Iterator[Switches]:
    switches = Switches()
    for name, kind, default, variants in FLAGS:
        labels = METADATA if name == "metadata-flag" else {}
        switches.declare(name, kind, variants[default], variants=variants, labels=labels)  # type: ignore[arg-type]
    for word, kind, zero, other in ZERO:
        for name in (f"{word}-zero-flag", f"{word}-targeted-zero-flag"):
            switches.declare(name, kind, zero, variants={"zero": zero, "non-zero": other})  # type: ignore[arg-type]
    with switches.following(channel, tended=False):
        yield switches


@pytest.fixture
def client(switches: Switches) -> Iterator[OpenFeatureClient]:
    """Given a stable provider."""
    api.set_provider_and_wait(SwitchProvider(switches))
    yield api.get_client()
    api.clear_providers()


@pytest.fixture
def given(client: OpenFeatureClient) -> Given:
    return Given(client)
