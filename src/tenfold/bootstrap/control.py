"""The control node of a run: how it is started, found and spoken to."""

import asyncio
import secrets
from contextlib import closing, suppress
from pathlib import Path

from tenfold.channel import Change
from tenfold.channel.messages import encode
from tenfold.fleet import Estate, write_private
from tenfold.kernel import TenfoldError
from tenfold.plan import CONTROL
from tenfold.respond.control import ControlClient, service_token
from tenfold.respond.switchboard import SwitchOperator

URL, TOKEN = "TENFOLD_CONTROL_URL", "TENFOLD_CONTROL_TOKEN"  # names, not secrets
EXPORTED_MAX = 1000
EXPORT_LIMIT_S = 0.5


class ControlProcess:
    """A process of its own that leans on nothing it controls. It has an address once it is open."""

    def __init__(self, estate: Estate) -> None:
        self.token = secrets.token_urlsafe(24)
        self._estate = estate

    async def open(self) -> None:
        """It answers; a shell and every service can find it. Raises ServerUnready."""
        store = self._estate.run.state / "control.db"
        command = ("python", "-m", "tenfold.respond.control", "--store", str(store))
        leaves = [str(self.file), *(f"{store}{end}" for end in ("", "-wal", "-shm", ".lock"))]
        await self._estate.start_service(CONTROL, command, {TOKEN: self.token}, "/health", leaves=leaves)
        write_private(self.file, "".join(f"export {name}={value}\n" for name, value in self.environment.items()))

    @property
    def url(self) -> str:
        return self._estate.references[f"{CONTROL}.url"]

    @property
    def environment(self) -> dict[str, str]:
        """How an operator finds it."""
        return {URL: self.url, TOKEN: self.token}

    def environment_of(self, service: str) -> dict[str, str]:
        """How that service finds it: with a token of its own, which is for following and not for changing."""
        return {URL: self.url, TOKEN: service_token(self.token, service)}

    @property
    def file(self) -> Path:
        """What a shell reads before it says `tenfold switch`; for the run's owner alone."""
        return self._estate.run.state / "control.env"

    async def export(self) -> None:
        """Leave the newest changes beside the report, since the store goes with the run; nothing when it is away."""
        if f"{CONTROL}.url" not in self._estate.references:
            return
        with suppress(TenfoldError, OSError):
            changes = await asyncio.to_thread(self._history)
            path = self._estate.run.reports / "changes.jsonl"
            write_private(path, b"".join(encode(change) for change in reversed(changes)).decode())

    def _history(self) -> list[Change]:
        with closing(ControlClient(self.url, self.token, timeout_s=EXPORT_LIMIT_S)) as client:
            return client.history(limit=EXPORTED_MAX)

    def operator(self) -> SwitchOperator:
        """Sets switches in the name of the rehearsal."""
        return SwitchOperator(ControlClient(self.url, self.token), by="rehearsal")
