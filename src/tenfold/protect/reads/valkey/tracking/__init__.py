"""Keeps what a process remembers coherent with the truth: invalidations told by the server, gaps noticed at once.

    Announcer ──notice──► server ──its name──► Session ─► Follower ─► Subscription ─► invalidate, doubt, prove

thread         Tracking: follows a server in a daemon thread; for any program
task           AsyncTracking: the same in an event loop
announcer      tells what has changed, for whoever changes the truth
notice         the names by which it is told
follower       from one connection to the next: when to doubt, to prove, to dial again; no I/O
session        what is said on one connection; no I/O
question       whom to follow, asked of Sentinels or of a Cluster; no I/O
subscription   one prefix and its target, such as a near cache: proven or in doubt
gap            why invalidations may have been missed, and how soon that must be noticed
"""

from tenfold.protect.reads.valkey.tracking.announcer import AnnouncementFailed, Announcer
from tenfold.protect.reads.valkey.tracking.follower import TrackingInvalid
from tenfold.protect.reads.valkey.tracking.gap import Gap, TrackingPace
from tenfold.protect.reads.valkey.tracking.subscription import TrackingTarget
from tenfold.protect.reads.valkey.tracking.task import AsyncTracking
from tenfold.protect.reads.valkey.tracking.thread import Tracking

__all__ = [
    "AnnouncementFailed",
    "Announcer",
    "AsyncTracking",
    "Gap",
    "Tracking",
    "TrackingInvalid",
    "TrackingPace",
    "TrackingTarget",
]
