"""The people who are signed in: one-time codes, signed cookies, and a token for each session that its pages alone know.

A code is good for one person and is followed by the next, which the terminal shows. People who chose a token of their
own (`TENFOLD_CONSOLE_TOKEN`) sign in with that, as often as they like. Pure: time comes in.
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from tenfold.kernel import Clock, Duration, SystemClock, TenfoldError
from tenfold.serving.guesses import Guesses

LASTS = Duration.from_s(12 * 3600)
"""A working day of the sale."""
SESSIONS_MAX = 200
NAME_LENGTH_MAX = 64
TOKEN_LENGTH_MIN = 16
CODE_BYTES = 16
"""A code has 128 bits of chance: at a million guesses a second one is hit after 5·10²⁴ years on average. Guesses
wait for the sake of the machine; what keeps a guesser out is the code.
"""


class SessionTokenWeak(TenfoldError):
    """The token that was chosen for the console could be guessed."""


class SignedIn(NamedTuple):
    """One person at one browser. `name` is what they said when they signed in; it stands in the history."""

    id: str
    name: str
    until_ns: int


class SignInRefused(NamedTuple):
    """Why a person is not signed in, and what to do; the answer is held back for so long."""

    problem: str
    status: int
    wait: Duration = Duration(0)


class Sessions:
    """The sessions of one console, at most SESSIONS_MAX: the oldest makes room. They end with the process."""

    def __init__(
        self, *, token: str = "", on_code: Callable[[str], object] = lambda _: None, clock: Clock | None = None
    ) -> None:
        """Raises SessionTokenWeak. `on_code` is called with each new code, the first one by `open`."""
        if token and len(token) < TOKEN_LENGTH_MIN:
            raise SessionTokenWeak(
                f"The console's token has {len(token)} characters; fewer than {TOKEN_LENGTH_MIN} could be guessed.",
                remedy="Choose a longer one (openssl rand -hex 16), or none: a one-time code is printed then.",
            )
        self._token = token
        self._on_code = on_code
        self._clock = clock or SystemClock()
        self._key = secrets.token_bytes(32)
        self._code = ""
        self._sessions: OrderedDict[str, SignedIn] = OrderedDict()
        self._guesses = Guesses()

    @property
    def code(self) -> str:
        """The code that is good now; nothing when a token was chosen, or before `open`."""
        return self._code

    def open(self) -> None:
        """Make the first code, unless there is a token."""
        if not self._token:
            self._next_code()

    def sign_in(self, code: str, name: str, peer: str = "") -> str | SignInRefused:
        """The cookie of a new session, or why there is none. The right code is always good, whoever guessed before."""
        now_ns, name = self._clock.monotonic_ns(), " ".join(name.split())
        if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
            return SignInRefused(
                f"Say who you are, in up to {NAME_LENGTH_MAX} characters: it stands in the history.", 422
            )
        expected = self._token or self._code
        if not expected or not hmac.compare_digest(code.strip().encode(), expected.encode()):
            return SignInRefused(
                "This code is not good, or was used. The terminal of `tenfold` shows the newest one.",
                403,
                self._guesses.wrong(peer, now_ns),
            )
        if not self._token:
            self._next_code()
        return self._begin(name, now_ns)

    def of(self, cookie: str) -> SignedIn | None:
        """The session that a cookie stands for, while it lasts."""
        session_id, _, seal = cookie.partition(".")
        if not _equal(seal, self._seal("cookie", session_id)):
            return None
        session = self._sessions.get(session_id)
        if session is not None and session.until_ns <= self._clock.monotonic_ns():
            del self._sessions[session_id]
            return None
        return session

    def csrf(self, session: SignedIn) -> str:
        """What a form of this session carries, so that no other page can have made it."""
        return self._seal("csrf", session.id)

    def is_csrf(self, session: SignedIn, token: str) -> bool:
        return _equal(token, self.csrf(session))

    def sign_out(self, session: SignedIn) -> None:
        self._sessions.pop(session.id, None)

    def _begin(self, name: str, now_ns: int) -> str:
        session = SignedIn(secrets.token_urlsafe(24), name, now_ns + LASTS.ns)
        self._sessions[session.id] = session
        if len(self._sessions) > SESSIONS_MAX:
            self._sessions.popitem(last=False)
        return f"{session.id}.{self._seal('cookie', session.id)}"

    def _seal(self, use: str, session_id: str) -> str:
        return hmac.digest(self._key, f"{use} {session_id}".encode("utf-8", "surrogatepass"), "sha256").hex()

    def _next_code(self) -> None:
        self._code = secrets.token_urlsafe(CODE_BYTES)
        self._on_code(self._code)


def _equal(shown: str, expected: str) -> bool:
    return hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), expected.encode())
