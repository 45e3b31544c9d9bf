"""A service as the switchboard knows one: declares its switches, follows the control node, and reads them all the time.

    python -m tests.e2e.switch_service STORE

It ends when its standard input does. CONTROL_URL and CONTROL_TOKEN say where the node is.
"""

import os
import sys
import threading

from tenfold.channel import Channel
from tenfold.protect.doors.shields import Shields
from tenfold.protect.live.switches import Switches

READ_EVERY_S = 0.01


def declared() -> Switches:
    """Of each kind one, and features that say what their absence costs."""
    switches = Switches()
    shields = Shields(switches)
    shields.declare(
        "recommendations",
        tier="P3",
        says="What others bought, on every product page.",
        cost="baskets about 2 % smaller",
        owner="web team",
    )
    shields.declare(
        "reviews",
        tier="P3",
        says="What customers say of a product.",
        cost="fewer first-time buyers decide",
        owner="web team",
    )
    switches.percentage(
        "new-checkout", default=0, tier="P1", says="The new checkout, for so many.", owner="orders team"
    )
    switches.integer("payment-timeout-ms", default=800, minimum=50, maximum=5000, tier="P0", owner="orders team")
    switches.text("image-quality", default="full", choices=("full", "small", "none"), tier="P2", says="Of pictures.")
    switches.json(
        "delivery-slots",
        default={"days": 3, "per_hour": 20},
        schema={"type": "object", "required": ["days"], "properties": {"days": {"type": "integer", "maximum": 7}}},
        tier="P2",
        says="Which delivery slots are offered.",
    )
    return switches


def main() -> None:
    switches, store, ended = declared(), sys.argv[1], threading.Event()
    threading.Thread(target=wait_for_the_end, args=(ended,), daemon=True).start()
    url, token = os.environ["CONTROL_URL"], os.environ["CONTROL_TOKEN"]
    with Channel(url, token, service="shop", store=store) as channel, switches.following(channel):
        sys.stdout.write("follows\n")
        sys.stdout.flush()
        while not ended.wait(READ_EVERY_S):
            for switch in switches:
                switch.at(subject="a customer")


def wait_for_the_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    main()
