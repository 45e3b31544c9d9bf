"""How many reads of a key are more than chance."""

import math

DOUBT = 8.0
"""A key below the share passes the bar with a chance of at most e^-8, one in three thousand, at a look."""
READS_MIN = 8.0
"""Fewer reads than this within the fading past are not worth holding, whatever their share: a refresh costs one too."""


def bar(total: float, share: float, grain: float = 1.0) -> float:
    """The count from which it is certain that a key has more than `share` (0..1) of `total` reads.

    Bernstein's bound for a sum of independent arrivals (Boucheron et al., Concentration Inequalities, 2013, ch. 2):
    mean, plus what chance adds when the mean is large, plus what it adds when it is small. `grain` is the variance of
    a count over its mean. So the bar follows the traffic: high above the share while little was seen, close to it
    when much was.
    """
    mean = share * total
    return max(READS_MIN, mean + math.sqrt(2 * mean * grain * DOUBT) + 2 * grain * DOUBT / 3)
