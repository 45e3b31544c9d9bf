"""A switch for each breaker of a process, by which a person holds it open or closed; set and unset like any other.

hold_by_switch(switches, breakers, "payment", "replica")
                                             # tenfold switch set breaker-payment open --reason "their incident"
"""

from functools import partial

from tenfold.protect.calls.breaker import Breakers
from tenfold.protect.live.switches.declaration import Tier
from tenfold.protect.live.switches.switch import Switch
from tenfold.protect.live.switches.switches import Switches

AUTO, OPEN, CLOSED = "auto", "open", "closed"
NOBODY = "nobody"


def hold_by_switch(
    switches: Switches, breakers: Breakers, *dependencies: str, owner: str = "", tier: Tier = "P1"
) -> None:
    """Declare `breaker-<dependency>` for each: auto (it decides by itself), open (nobody is let through to it, nor to
    any operation of it) or closed (everybody is, whatever fails). Raises DeclarationInvalid.
    """
    for dependency in dependencies:
        switch = switches.text(
            f"breaker-{dependency}",
            default=AUTO,
            choices=(AUTO, OPEN, CLOSED),
            says=f"whether {dependency} is called: open never, closed always, auto as its breaker decides",
            tier=tier,
            owner=owner,
        )
        switch.on_change(partial(_hold, breakers, dependency, switch))


def _hold(breakers: Breakers, dependency: str, switch: Switch[str], value: str) -> None:
    rule = switch.outcome().rule
    who, why = (rule.owner, rule.reason) if rule is not None else (NOBODY, "nothing is set any longer")
    if value == OPEN:
        breakers.isolate(dependency, owner=who, reason=why)
    elif value == CLOSED:
        breakers.trust(dependency, owner=who, reason=why)
    else:
        breakers.release(dependency, owner=who, reason=why)
