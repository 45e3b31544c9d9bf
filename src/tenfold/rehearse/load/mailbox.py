"""The driver's end of the two pipes: orders come in on one, reports go out on the other, a JSON line each."""

import fcntl
import os
import stat
from collections.abc import Iterator

import msgspec

from tenfold.kernel import TenfoldError
from tenfold.rehearse.load.messages import Order, Report

_LINE_BYTES_MAX = 1024 * 1024
_READ_BYTES = 64 * 1024
_PIPE_BYTES = 1024 * 1024
"""Room for half a minute of ticks, so that a rehearsal that is busy elsewhere does not hold up the load."""


class MailInvalid(TenfoldError):
    """The rehearsal said something that is no order."""


class ParentGone(TenfoldError):
    """Nobody gives orders, or nobody reads reports."""


class Mailbox:
    """`fd` is readable when `read` has something to give."""

    def __init__(self, orders_fd: int, reports_fd: int) -> None:
        self.fd = orders_fd
        self._reports_fd = reports_fd
        self._buffer = b""
        self._decoder = msgspec.json.Decoder(Order)
        if stat.S_ISFIFO(os.fstat(reports_fd).st_mode):
            self._widen(reports_fd)

    def read(self) -> Iterator[Order]:
        """The orders that have arrived. Raises ParentGone at the end, MailInvalid."""
        received = os.read(self.fd, _READ_BYTES)
        if not received:
            raise ParentGone("The rehearsal is gone; nothing is sent any more.")
        *lines, self._buffer = (self._buffer + received).split(b"\n")
        if len(self._buffer) > _LINE_BYTES_MAX:
            raise MailInvalid("An order is longer than a mebibyte.")
        for line in filter(None, lines):
            try:
                yield self._decoder.decode(line)
            except msgspec.DecodeError as cause:
                raise MailInvalid(f"This is no order: {cause}.") from cause

    def write(self, report: Report) -> None:
        """Send one report. Raises ParentGone when nobody has read for so long that the pipe is full."""
        line = msgspec.json.encode(report) + b"\n"
        try:
            written = os.write(self._reports_fd, line)
        except OSError as cause:
            raise ParentGone(f"Nobody reads what the driver reports: {cause}.") from cause
        if written < len(line):
            raise ParentGone("Nobody reads what the driver reports.")

    def _widen(self, reports_fd: int) -> None:
        """Never block on the reader. An unprivileged user's pipes may have to stay small; then less is stored."""
        os.set_blocking(reports_fd, False)
        try:
            fcntl.fcntl(reports_fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except PermissionError:
            return
