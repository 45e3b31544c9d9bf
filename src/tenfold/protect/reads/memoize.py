"""Remembers in the near cache what a function answers: one decorator for sync and async functions alike."""

import inspect
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import partial, update_wrapper
from typing import Any, TypeVar, cast

from tenfold.kernel import Duration
from tenfold.protect.reads.flight import SingleFlight, ThreadFlight
from tenfold.protect.reads.near import NearCache

Function = TypeVar("Function", bound=Callable[..., Any])
Key = Callable[..., str]
Call = Callable[[], Any]
Hit = Callable[[str], bytes | None]
Answering = Callable[[str, Call], Any]
Steps = Generator[bool, bytes | None, bytes | None]

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
        flight: Any = SingleFlight() if is_async else ThreadFlight()
        run = _run_async if is_async else _run

        def load(name: str, call: Call, anew: bool) -> Any:
            return run(_loading(near, name, anew), lambda _: call())

        def fly(name: str, call: Call, anew: bool) -> Any:
            return flight.do(name, partial(load, name, call, anew), timeout=_NO_WAIT if anew else wait_max)

        def answer(name: str, call: Call) -> Any:
            return run(_answering(near, name), partial(fly, name, call))

        remembering = _remembering_async if is_async else _remembering
        return cast("Function", update_wrapper(remembering(near.hit, answer, function, key), function))

    return decorate


def _answering(near: NearCache, name: str) -> Steps:
    """A read that is no plain hit: yields whether what is at hand is loaded anew or there is nothing yet."""
    entry = near.read(name)
    if entry is None or not entry.answerable:
        try:
            return (yield False)
        except Exception as error:
            old = near.entry(name)
            if old is None:
                raise error
            return old.value
    if entry.refresh:
        with suppress(Exception):  # the value at hand is still good; when this refresh's lease ends another is asked
            yield True
    return entry.value


def _loading(near: NearCache, name: str, anew: bool) -> Steps:
    """A load: twice when its key was invalidated meanwhile, for some may have asked after that."""
    entry = None if anew else near.entry(name)
    if entry is not None and entry.answerable:  # between the caller's look and its flight another's may have landed
        return entry.value
    value = None
    for _ in range(_LOADS_MAX):
        token = near.begin(name)
        value = yield anew
        if near.put(name, value, token=token) or not near.enabled:
            break
    return value


def _run(steps: Steps, act: Callable[[bool], Any]) -> bytes | None:
    """Act as the steps ask, and tell them what came of it."""
    try:
        step = next(steps)
        while True:
            try:
                brought = act(step)
            except Exception as error:
                step = steps.throw(error)
            else:
                step = steps.send(brought)
    except StopIteration as end:
        return cast("bytes | None", end.value)


async def _run_async(steps: Steps, act: Callable[[bool], Any]) -> bytes | None:
    try:
        step = next(steps)
        while True:
            try:
                brought = await act(step)
            except Exception as error:
                step = steps.throw(error)
            else:
                step = steps.send(brought)
    except StopIteration as end:
        return cast("bytes | None", end.value)


def _remembering(hit: Hit, answer: Answering, function: Callable[..., Any], key: Key | None) -> Callable[..., Any]:
    def remembered(argument: str) -> bytes | None:
        value = hit(argument)
        return value if value is not None else answer(argument, partial(function, argument))

    def remembered_by_key(*args: Any, **kwargs: Any) -> bytes | None:
        name = key(*args, **kwargs)  # type: ignore[misc]  # only used where there is one
        value = hit(name)
        return value if value is not None else answer(name, partial(function, *args, **kwargs))

    return remembered if key is None else remembered_by_key


def _remembering_async(
    hit: Hit, answer: Answering, function: Callable[..., Any], key: Key | None
) -> Callable[..., Any]:
    async def remembered(argument: str) -> bytes | None:
        value = hit(argument)
        return value if value is not None else await answer(argument, partial(function, argument))

    async def remembered_by_key(*args: Any, **kwargs: Any) -> bytes | None:
        name = key(*args, **kwargs)  # type: ignore[misc]  # only used where there is one
        value = hit(name)
        return value if value is not None else await answer(name, partial(function, *args, **kwargs))

    return remembered if key is None else remembered_by_key
