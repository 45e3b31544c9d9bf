"""How many connections this process may hold: each takes a file, and the rest of the process needs some too."""

import resource

FILES_KEPT = 256
"""For everything else: without a file left, nothing could be opened, not even a log."""


def connections_within(wished: int) -> int:
    """As many of those wished for as its files allow; the soft limit is raised for them as far as the hard one goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wished
    needed = wished + FILES_KEPT
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(wished, soft - FILES_KEPT))
