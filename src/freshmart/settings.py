"""What the environment says: where the servers are, which port to listen on, who may order in the shadow lane."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tenfold.kernel import TenfoldError
from tenfold.telemetry import EventLog

MUTANT = "FRESHMART_MUTANT"


class SettingInvalid(TenfoldError):
    """The environment lacks something or says something that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """URLs carry secrets, so none of them shows when this is printed."""

    primary_url: str = field(repr=False)
    replica_url: str = field(repr=False)
    main_url: str = field(repr=False)
    standby_url: str = field(repr=False)
    stream_url: str = field(repr=False)
    """The one server that carries order messages; the outbox is where they are safe."""
    objects_url: str = field(repr=False)
    bucket: str = "media"
    rehearsal_token: str = field(default="", repr=False)
    """Orders tagged with it are shadow orders; empty: there is no rehearsal, and every tag is wrong."""
    payment_url: str = ""
    """Where the acquirer is; empty: there is none, and every order's money is deferred."""
    control_url: str = ""
    """Where the control node is; empty: there is none to follow."""
    control_token: str = field(default="", repr=False)
    port: int = 0
    events_path: Path | None = None
    state_folder: Path | None = None
    """What a process remembers for the one that is started in its place; None: nothing."""

    def event_log(self, source: str) -> EventLog:
        return EventLog(source, path=self.events_path)


def read_settings(environ: Mapping[str, str] = os.environ, *, spares: Collection[str] = ()) -> Settings:
    """`spares` are the variables of servers that a program does without and need not be told of.

    Raises SettingInvalid, naming what is missing.
    """
    events = environ.get("TENFOLD_EVENTS")
    return Settings(
        primary_url=_required(environ, "FRESHMART_PRIMARY_URL", spares),
        replica_url=_required(environ, "FRESHMART_REPLICA_URL", spares),
        main_url=_required(environ, "FRESHMART_MAIN_URL", spares),
        standby_url=_required(environ, "FRESHMART_STANDBY_URL", spares),
        stream_url=_required(environ, "FRESHMART_STREAM_URL", spares),
        objects_url=_required(environ, "FRESHMART_OBJECTS_URL", spares),
        bucket=environ.get("FRESHMART_BUCKET", "media"),
        rehearsal_token=environ.get("FRESHMART_REHEARSAL_TOKEN", ""),
        payment_url=environ.get("FRESHMART_PAYMENT_URL", ""),
        control_url=environ.get("TENFOLD_CONTROL_URL", ""),
        control_token=environ.get("TENFOLD_CONTROL_TOKEN", ""),
        port=read_port(environ),
        events_path=Path(events) if events else None,
        state_folder=_state_folder(environ),
    )


def _state_folder(environ: Mapping[str, str]) -> Path | None:
    """Beside the events unless told: there a run lets every service write."""
    stated, events = environ.get("FRESHMART_STATE"), environ.get("TENFOLD_EVENTS")
    if stated:
        return Path(stated)
    return Path(events).parent if events else None


def refuse_mutant(environ: Mapping[str, str] = os.environ) -> None:
    """The product does not run in an environment that asks for a build that is wrong on purpose."""
    if MUTANT in environ:
        raise SettingInvalid(
            f"{MUTANT} is set, and this is the product: it did not start.",
            remedy=f"Unset {MUTANT}, or run `python -m freshmart.mutants` in a rehearsal.",
        )


def _required(environ: Mapping[str, str], name: str, spares: Collection[str]) -> str:
    value = environ.get(name, "")
    if not value and name not in spares:
        raise SettingInvalid(f"{name} is not set; freshmart cannot find one of its servers and did not start.")
    return value


def read_port(environ: Mapping[str, str] = os.environ) -> int:
    """Where to listen. Raises SettingInvalid."""
    text = environ.get("PORT", "8000")
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise SettingInvalid(f"PORT is '{text}'; a number from 1 to 65535 may stand there.")
    return int(text)
