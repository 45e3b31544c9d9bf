"""JSON in which one object has a name twice: readers differ in which they believe (RFC 8259, section 4), so none is."""

import json


class _Twice(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def name_twice(text: bytes) -> str | None:
    """The first name that one object has twice; None when there is none, or the text is no JSON at all."""
    try:
        json.loads(text, object_pairs_hook=_refuse_twice, parse_int=str, parse_float=str)
    except _Twice as twice:
        return twice.name
    except (ValueError, RecursionError):
        return None
    return None


def _refuse_twice(pairs: list[tuple[str, object]]) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise _Twice(name)
        names.add(name)
