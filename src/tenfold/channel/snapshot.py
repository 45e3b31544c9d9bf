"""The last good state on disk, for the day on which a process starts and the control node is dead.

One header line, then the snapshot's own line:  tenfold-channel 1 <BLAKE2b of the rest> LF {"line":"snapshot",…} LF
Ephemeral records are not kept: nobody could say whether they still hold.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

from tenfold.channel.known_records import Followed, KnownRecords, State
from tenfold.channel.messages import Snapshot, decode, encode
from tenfold.kernel import Duration, TenfoldError

MAGIC = b"tenfold-channel 1 "
BYTES_MAX = 32 << 20
KEEP_EVERY = Duration.from_s(1)
AGAIN = Duration.from_ms(100)
"""When another process was writing the same file."""


class SnapshotRefused(TenfoldError):
    """The file of the last good state is not what this process wrote; it is left alone and not used."""


class SnapshotFile:
    """One file; several processes of a service may share it: what is older than what lies there is not written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> State:
        """The last good state, an empty one when there is no file. Raises SnapshotRefused."""
        if not self.path.exists():
            return State()
        followed = KnownRecords().weigh(self.read())
        return followed.state if isinstance(followed, Followed) else State()

    def read(self) -> Snapshot:
        """What the file holds. Raises SnapshotRefused."""
        try:
            return self._read()
        except (OSError, ValueError) as error:
            raise SnapshotRefused(
                f"The channel's last state in {self.path} cannot be used ({error}); it counts for nothing.",
                remedy="Nothing to do once the control node answers: the file is then written anew.",
            ) from error

    def save(self, state: State) -> bool:
        """Keep `state`, whole or not at all; nothing when the file's is as new. Raises OSError.

        False while another process is at it: who is as slow as a disk must not put an older state over a newer one,
        and nobody waits for a process that may have been stopped.
        """
        with self._locked() as mine:
            if mine and (state.incarnation, state.epoch) > self._kept():
                self._write(encode(kept(state)))
        return mine

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """True when the file is this process's alone; a process that dies lets go."""
        lock = self.path.with_name(f".{self.path.name}.lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        mine = False
        try:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                mine = True
            yield mine
        finally:
            if mine:  # closing would not do: a child that was forked just now has the descriptor too
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def _write(self, body: bytes) -> None:
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123  # Path.open takes no descriptor
            os.fchmod(descriptor, 0o600)
            file.write(MAGIC + _digest(body) + b"\n" + body)
            file.flush()
            os.fsync(descriptor)
        draft.replace(self.path)

    def _kept(self) -> tuple[str, int]:
        """What the file holds now; it may be anything."""
        try:
            snapshot = self._read()
        except (OSError, ValueError):
            return ("", -1)
        return (snapshot.incarnation, snapshot.epoch)

    def _read(self) -> Snapshot:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:  # noqa: PTH123
            _check_owner(os.fstat(descriptor))
            text = file.read(BYTES_MAX + 1)
        header, _, body = text.partition(b"\n")
        if len(text) > BYTES_MAX or header != MAGIC + _digest(body):
            raise ValueError("its digest does not match what it holds")
        snapshot = decode(body)
        if not isinstance(snapshot, Snapshot):
            raise ValueError("it holds no snapshot")
        return snapshot


class SnapshotWriter:
    """Writes what is new to the keepsake, at most every KEEP_EVERY. For one thread; time comes in."""

    def __init__(self, keepsake: SnapshotFile) -> None:
        self.keepsake = keepsake
        self._kept: State | None = None
        self._again_at_ns = 0

    def keep(self, state: State, now_ns: int, *, at_once: bool = False) -> float | None:
        """Write `state` when it is new and due; answers in how many seconds it will be due. Raises OSError; it is due
        again after KEEP_EVERY then.
        """
        if not state.incarnation or state is self._kept:
            return None
        if now_ns < self._again_at_ns and not at_once:
            return (self._again_at_ns - now_ns) / 1e9
        self._again_at_ns = now_ns + KEEP_EVERY.ns
        if not self.keepsake.save(state):
            self._again_at_ns = now_ns + AGAIN.ns
            return AGAIN.s
        self._kept = state
        return None


def kept(state: State) -> Snapshot:
    """What is kept of `state`: no boot, and nothing that a boot takes along."""
    records = tuple(record for record in state.records() if not record.ephemeral)
    return Snapshot(incarnation=state.incarnation, boot="", epoch=state.epoch, records=records)


def _check_owner(status: os.stat_result) -> None:
    """The file decides what this service does, so no other user may write it."""
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is no plain file")
    if status.st_uid not in (os.geteuid(), 0) or status.st_mode & 0o022:
        raise ValueError("others may write it")


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=32).hexdigest().encode()
