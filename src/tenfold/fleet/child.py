"""One child process: started so that it cannot outlive its parent, watched by the event loop, ended within a bound.

Three things end a child when `tenfold` dies without a word: the kernel (PR_SET_PDEATHSIG), the guard, a later run.
Children are forked from the main thread, since the kernel's promise is tied to the thread that forks.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tenfold.fleet.account import Account
from tenfold.fleet.register import Register
from tenfold.fleet.run import RunFolder
from tenfold.kernel import TenfoldError

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
)
KILL_LIMIT_S = 2.0
_TAIL_BYTES = 16_384


class CommandUnusable(TenfoldError):
    """A program cannot be started at all."""


class CommandFailed(TenfoldError):
    """A program that must succeed did not."""


class Child:
    """One running process and the group it leads."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path, log_start: int) -> None:
        self.name = name
        self.pid = process.pid
        self.log = log
        self._log_start = log_start
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._exit: asyncio.Future[int] = self._loop.create_future()
        self._handle = os.pidfd_open(process.pid)
        self._loop.add_reader(self._handle, self._reap)

    @property
    def exit_status(self) -> int | None:
        """None while it runs; minus the signal's number when one ended it."""
        return self._exit.result() if self._exit.done() else None

    def on_exit(self, listener: Callable[[int], None]) -> None:
        self._exit.add_done_callback(lambda exit_: listener(exit_.result()))

    async def wait(self, limit_s: float) -> int:
        """Its exit status. Raises TimeoutError."""
        async with asyncio.timeout(limit_s):
            return await asyncio.shield(self._exit)

    def send(self, number: signal.Signals) -> None:
        """Signal the process alone; one that has ended takes no harm."""
        if not self._exit.done():
            self._process.send_signal(number)

    async def stop(self, number: signal.Signals = signal.SIGTERM, *, grace_s: float) -> int:
        """Ask it to end, and after `grace_s` make it."""
        self.send(number)
        try:
            return await self.wait(grace_s)
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """SIGKILL it and its group. Raises TimeoutError when the kernel cannot end it."""
        if not self._exit.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        return await self.wait(KILL_LIMIT_S)

    def last_lines(self, count: int = 5) -> list[str]:
        """The end of what it has written since it was started."""
        with self.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - _TAIL_BYTES))
            return [line for line in log.read().decode(errors="replace").splitlines() if line.strip()][-count:]

    def _reap(self) -> None:
        """While it is a zombie its id is nobody else's, so what is left of its group can be ended safely."""
        self._loop.remove_reader(self._handle)
        os.close(self._handle)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._exit.set_result(self._process.wait())


class Children:
    """Starts the children of one run and writes each down before anybody can rely on it."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self._register = Register(run.register)
        self._running: list[Child] = []

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        account: Account | None = None,
        leaves: Iterable[str] = (),
    ) -> Child:
        """Start `command`; its output is appended to the run's `logs/<name>.log`. Raises CommandUnusable."""
        log = self.run.logs / f"{name}.log"
        with log.open("ab") as output:
            log_start = output.tell()
            process = _spawn(name, command, self.environment(name, environment), folder, account, output.fileno())
        child = Child(name, process, log, log_start)
        self._running.append(child)
        self._register.add(name, process.pid, leaves)
        return child

    async def finish(
        self,
        name: str,
        command: Sequence[str],
        *,
        limit_s: float,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        account: Account | None = None,
    ) -> None:
        """Run `command` to its end. Raises CommandFailed when it fails or takes longer than `limit_s`."""
        child = self.start(name, command, environment=environment, folder=folder, account=account)
        try:
            status = await child.wait(limit_s)
        except TimeoutError as cause:
            raise CommandFailed(f"{_failed(name, child)} did not end within {limit_s:g} s.") from cause
        finally:
            await child.kill()
        if status:
            said = "\n  ".join(["", *child.last_lines()])
            raise CommandFailed(
                f"{_failed(name, child)} ended with status {status}; nothing that needs it was started.",
                remedy=f"Its log is {child.log}; it ends:{said}",
            )

    async def end(self) -> None:
        """SIGKILL whoever is left."""
        await asyncio.gather(*(child.kill() for child in self._running if child.exit_status is None))

    def environment(self, name: str, stated: Mapping[str, str] | None = None) -> dict[str, str]:
        """Little is inherited: a child must not behave differently because of what somebody's shell exports."""
        inherited = {key: os.environ[key] for key in INHERITED if key in os.environ}
        promised = {
            "TENFOLD_RUN": self.run.id,
            "TENFOLD_EVENTS": str(self.run.events / f"{name}.jsonl"),
            "PYTHONUNBUFFERED": "1",
        }
        return {**inherited, **promised, **(stated or {})}


def _failed(name: str, child: Child) -> str:
    return f"Command '{name}' (process {child.pid})"


def _spawn(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path | None,
    account: Account | None,
    output: int,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(command),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509  # it calls nothing that another thread may hold
        )
    except (OSError, subprocess.SubprocessError) as cause:
        raise CommandUnusable(
            f"Command '{name}' cannot be started: {cause}; nothing that needs it was started.",
            remedy=f"It is '{command[0]}'.",
        ) from cause


def _die_with(parent: int) -> Callable[[], None]:
    """What the child does between fork and exec, after its user was changed (that would clear the promise)."""

    def promise() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return promise
