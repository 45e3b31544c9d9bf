"""Names for runs."""

from tenfold.kernel.clock import Clock, utc


def run_id(clock: Clock, seed: int) -> str:
    """A name that sorts by when the run began and does not collide: `20261122T180115.042Z-7f3a`."""
    began = utc(clock.wall_ns()).replace("-", "").replace(":", "")
    return f"{began}-{seed & 0xFFFF:04x}"
