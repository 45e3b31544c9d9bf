"""Who is signed in, and who may change something."""

from base64 import urlsafe_b64decode

import pytest

from tenfold.kernel.clock import VirtualClock
from tenfold.serving.guesses import FORGOTTEN_AFTER, FREE, PEERS_MAX, Guesses
from tenfold.serving.policy import is_own_page
from tenfold.serving.session import (
    LASTS,
    SESSIONS_MAX,
    Sessions,
    SessionTokenWeak,
    SignInRefused,
)

TOKEN = "0123456789abcdef"


def opened(token: str = "", clock: VirtualClock | None = None) -> tuple[Sessions, list[str]]:
    codes: list[str] = []
    sessions = Sessions(token=token, on_code=codes.append, clock=clock or VirtualClock())
    sessions.open()
    return sessions, codes


def cookie_of(sessions: Sessions, name: str = "Ann") -> str:
    cookie = sessions.sign_in(sessions.code or TOKEN, name)
    assert isinstance(cookie, str)
    return cookie


def test_a_code_is_good_once_and_the_next_is_told() -> None:
    """The terminal always shows one that nobody has used."""
    sessions, codes = opened()
    cookie_of(sessions)
    refusal = sessions.sign_in(codes[0], "Ben")
    assert isinstance(refusal, SignInRefused)
    assert refusal.status == 403
    assert len(codes) == 2
    assert isinstance(sessions.sign_in(codes[1], "Ben"), str)


def test_a_chosen_token_is_good_as_often_as_one_likes() -> None:
    """And no code is told then."""
    sessions, codes = opened(TOKEN)
    assert cookie_of(sessions, "Ann") != cookie_of(sessions, "Ben")
    assert codes == []


def test_without_open_nothing_is_good_not_even_nothing() -> None:
    """An empty code is no code."""
    assert isinstance(Sessions(clock=VirtualClock()).sign_in("", "Ann"), SignInRefused)


def test_a_token_that_could_be_guessed_is_refused() -> None:
    """Before anything listens."""
    with pytest.raises(SessionTokenWeak, match="15 characters"):
        Sessions(token=TOKEN[:-1])


@pytest.mark.parametrize("name", ["", "  ", "a" * 65, "Ann\x00", "\u202eAnn"])
def test_a_name_that_cannot_stand_in_the_history_is_refused(name: str) -> None:
    """And the code is not used up by it."""
    sessions, codes = opened()
    refusal = sessions.sign_in(codes[0], name)
    assert isinstance(refusal, SignInRefused)
    assert refusal.status == 422
    assert isinstance(sessions.sign_in(codes[0], "Ann"), str)


def test_a_session_ends_with_the_working_day() -> None:
    """Not a nanosecond later."""
    clock = VirtualClock()
    sessions, _ = opened(clock=clock)
    cookie = cookie_of(sessions)
    clock.advance(LASTS)
    assert sessions.of(cookie) is None


def test_a_cookie_that_is_changed_anywhere_stands_for_nobody() -> None:
    """Nor does one of another console."""
    sessions, _ = opened()
    cookie = cookie_of(sessions)
    session = sessions.of(cookie)
    assert session is not None
    assert session.name == "Ann"
    for place in range(len(cookie)):
        other = "a" if cookie[place] != "a" else "b"
        assert sessions.of(cookie[:place] + other + cookie[place + 1 :]) is None
    assert sessions.of("") is None
    assert sessions.of("\udcff.\udcff") is None
    assert opened()[0].of(cookie) is None


def test_who_signs_out_is_out() -> None:
    """The cookie is worth nothing any more."""
    sessions, _ = opened()
    cookie = cookie_of(sessions)
    session = sessions.of(cookie)
    assert session is not None
    sessions.sign_out(session)
    assert sessions.of(cookie) is None


def test_the_token_of_a_form_belongs_to_one_session() -> None:
    """Ben's page cannot press for Ann, and a cookie's seal is no form's token."""
    sessions, _ = opened()
    ann_cookie, ben_cookie = cookie_of(sessions, "Ann"), cookie_of(sessions, "Ben")
    ann, ben = sessions.of(ann_cookie), sessions.of(ben_cookie)
    assert ann is not None
    assert ben is not None
    assert sessions.is_csrf(ann, sessions.csrf(ann))
    assert not sessions.is_csrf(ann, sessions.csrf(ben))
    assert not sessions.is_csrf(ann, ann_cookie.partition(".")[2])
    assert not sessions.is_csrf(ann, "")


def test_sessions_are_bounded_and_the_oldest_makes_room() -> None:
    """Whatever signs in again and again."""
    sessions, _ = opened(TOKEN)
    cookies = [cookie_of(sessions) for _ in range(SESSIONS_MAX + 1)]
    assert sessions.of(cookies[0]) is None
    assert sessions.of(cookies[1]) is not None


def test_the_right_code_is_good_whoever_guessed_before() -> None:
    """Twenty wrong codes locked out the officer, too."""
    sessions, codes = opened()
    for _ in range(1000):
        assert isinstance(sessions.sign_in("wrong", "Eve", "10.0.0.1"), SignInRefused)
    assert isinstance(sessions.sign_in(codes[0], "Ann", "10.0.0.1"), str)


def test_a_wrong_code_is_answered_later_and_later() -> None:
    """Three are mistakes; after a quiet minute they are again. Each peer has its own count."""
    clock = VirtualClock()
    sessions, _ = opened(clock=clock)

    def wait_ms(peer: str = "10.0.0.1") -> float:
        refused = sessions.sign_in("wrong", "Eve", peer)
        assert isinstance(refused, SignInRefused)
        return refused.wait.ns / 1e6

    assert [wait_ms() for _ in range(10)] == [0, 0, 0, 250, 500, 1000, 2000, 4000, 8000, 8000]
    assert wait_ms("10.0.0.2") == 0
    clock.advance(FORGOTTEN_AFTER)
    assert wait_ms() == 0


def test_peers_that_guess_are_remembered_to_a_bound() -> None:
    """The one that was quiet for longest is forgotten."""
    guesses = Guesses()
    for number in range(PEERS_MAX + 1):
        for _ in range(FREE):
            guesses.wrong(str(number), 0)
    assert guesses.wrong("0", 0).ns == 0
    assert guesses.wrong(str(PEERS_MAX), 0).ns > 0


def test_a_code_cannot_be_guessed() -> None:
    """128 bits."""
    _, codes = opened()
    assert len(urlsafe_b64decode(codes[0] + "==")) * 8 == 128


HOST = {"host": "127.0.0.1:8000"}


@pytest.mark.parametrize(
    "stated",
    [
        {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:8000"},
        {"origin": "http://127.0.0.1:8000"},
        {"sec-fetch-site": "same-origin"},
    ],
)
def test_a_form_of_our_own_page_is_let_in(stated: dict[str, str]) -> None:
    """Browsers state one or both."""
    assert is_own_page({**HOST, **stated})


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9000"},
        {"origin": "http://localhost:8000"},
        {"origin": "https://127.0.0.1:8000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8000"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "http://evil.example"},
    ],
)
def test_a_form_of_any_other_page_is_not(stated: dict[str, str]) -> None:
    """Nor one that nobody vouches for; another port of this machine is another page."""
    assert not is_own_page({**HOST, **stated})
