"""Remembers in the near cache what a function answers: one decorator for sync and async functions alike."""

import inspect
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any, TypeVar, cast

from tenfold.kernel import Duration
from tenfold.protect.reads.flight import SingleFlight, ThreadFlight
from tenfold.protect.reads.near import NearCache

Function = TypeVar("Function", bound=Callable[..., Any])
Key = Callable[..., str]
Call = Callable[[], Any]

WAIT_MAX = Duration.from_s(30)
_NO_WAIT = Duration(0)
_LOADS_MAX = 2


def memoize(
    near: NearCache, *, key: Key | None = None, wait_max: Duration = WAIT_MAX
) -> Callable[[Function], Function]:
    """Answer from `near`; else call the function, once for all who ask meanwhile, and keep what it answers.

    The function answers bytes, or None for "there is nothing", which is kept too. `key` makes the key of its arguments;
    without it, the function takes one `str`, which is the key. A caller waits for at most `wait_max` (WaitTimeout).
    When a call fails, those who wait for it get the old value while `near` may still give one, else the error.
    """

    def decorate(function: Function) -> Function:
        is_async = inspect.iscoroutinefunction(function)
        remembered = (_async if is_async else _sync)(near, function, key, wait_max)
        return cast("Function", update_wrapper(remembered, function))

    return decorate


def _async(near: NearCache, function: Callable[..., Any], key: Key | None, wait_max: Duration) -> Callable[..., Any]:
    flight: SingleFlight[bytes | None] = SingleFlight()
    hit = near.hit

    async def load(name: str, call: Call) -> bytes | None:
        for _ in range(_LOADS_MAX):
            token = near.begin(name)
            value: bytes | None = await call()
            if _is_settled(near, near.put(name, value, token=token)):
                break
        return value

    async def answer(name: str, call: Call) -> bytes | None:
        entry = near.read(name)
        if entry is None or not entry.answerable:
            return await first(name, call)
        if entry.refresh:
            await begin(name, call)
        return entry.value

    async def first(name: str, call: Call) -> bytes | None:
        try:
            return await flight.do(name, partial(load, name, call), timeout=wait_max)
        except Exception as error:
            return _old(near, name, error)

    async def begin(name: str, call: Call) -> None:
        try:
            await flight.do(name, partial(load, name, call), timeout=_NO_WAIT)
        except Exception:
            return  # the value at hand is still good, and somebody is asked again when the lease of this refresh ends

    async def remembered(argument: str) -> bytes | None:
        value = hit(argument)
        return value if value is not None else await answer(argument, partial(function, argument))

    async def remembered_by_key(*args: Any, **kwargs: Any) -> bytes | None:
        name = key(*args, **kwargs)  # type: ignore[misc]  # only used where there is one
        value = hit(name)
        return value if value is not None else await answer(name, partial(function, *args, **kwargs))

    return remembered if key is None else remembered_by_key


def _sync(near: NearCache, function: Callable[..., Any], key: Key | None, wait_max: Duration) -> Callable[..., Any]:
    flight: ThreadFlight[bytes | None] = ThreadFlight()
    hit = near.hit

    def load(name: str, call: Call) -> bytes | None:
        for _ in range(_LOADS_MAX):
            token = near.begin(name)
            value: bytes | None = call()
            if _is_settled(near, near.put(name, value, token=token)):
                break
        return value

    def load_missing(name: str, call: Call) -> bytes | None:
        """Between this caller's look and its flight another thread's flight may have landed."""
        entry = near.entry(name)
        return entry.value if entry is not None and entry.answerable else load(name, call)

    def answer(name: str, call: Call) -> bytes | None:
        entry = near.read(name)
        if entry is None or not entry.answerable:
            return first(name, call)
        if entry.refresh:
            begin(name, call)
        return entry.value

    def first(name: str, call: Call) -> bytes | None:
        try:
            return flight.do(name, partial(load_missing, name, call), timeout=wait_max)
        except Exception as error:
            return _old(near, name, error)

    def begin(name: str, call: Call) -> None:
        try:
            flight.do(name, partial(load, name, call), timeout=_NO_WAIT)
        except Exception:
            return  # as above

    def remembered(argument: str) -> bytes | None:
        value = hit(argument)
        return value if value is not None else answer(argument, partial(function, argument))

    def remembered_by_key(*args: Any, **kwargs: Any) -> bytes | None:
        name = key(*args, **kwargs)  # type: ignore[misc]  # only used where there is one
        value = hit(name)
        return value if value is not None else answer(name, partial(function, *args, **kwargs))

    return remembered if key is None else remembered_by_key


def _is_settled(near: NearCache, kept: bool) -> bool:
    """Whether a load may be answered. Not when its key was invalidated meanwhile: some may have asked after that."""
    return kept or not near.enabled


def _old(near: NearCache, name: str, error: Exception) -> bytes | None:
    """The value for when nobody can load it; raises `error` when there is none."""
    entry = near.entry(name)
    if entry is None:
        raise error
    return entry.value
