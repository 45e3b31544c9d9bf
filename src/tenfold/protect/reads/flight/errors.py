"""What may become of a flight other than its load's own answer or error."""

from tenfold.kernel import TenfoldError


class FlightsFull(TenfoldError):
    """As many different keys are being loaded as may be."""


class LoadCancelled(TenfoldError):
    """The load itself was cancelled or given up; its callers were not."""


class WaitTimeout(TenfoldError, TimeoutError):
    """A caller waited as long as it wanted to; the load goes on for the others."""
