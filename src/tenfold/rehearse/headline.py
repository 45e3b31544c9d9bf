"""One sentence first: the first cause of all that failed, with what followed from it folded below.

What failed at 9× and at 10× for the same reason is one reason, and a drill that failed at a rate which the system does
not bear anyway has told nothing new.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

IN_SIGHT = 5
GO = "Every step kept its promises, every drill held and was reverted, and no invariant was broken."


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One thing that did not hold. `cause` is the same word for all that failed for the same reason."""

    subject: str
    """`9×`, `drill hot-key`, `invariant paid-once`."""
    fate: str
    """`missed`, `did not hold`, `is broken`: what the subjects of one sentence share."""
    cause: str
    evidence: str = ""
    reasons: tuple[str, ...]
    """The sentences that say it in full, the first of them what it was."""
    against: bool = True
    """Whether it speaks against the system; False where it only leaves something unknown."""


class Reason(msgspec.Struct, frozen=True):
    """One cause: a sentence that names it, and in full all that failed for it."""

    says: str
    subjects: list[str]
    consequences: list[str]


def reasons_by_cause(failures: Iterable[Failure]) -> list[Reason]:
    """In the order in which each cause first appears."""
    groups: dict[str, list[Failure]] = {}
    for failure in failures:
        groups.setdefault(failure.cause, []).append(failure)
    return [_reason(group) for group in groups.values()]


def headline(reasons: Sequence[Reason]) -> str:
    """The first cause."""
    return reasons[0].says if reasons else GO


def in_sight(reasons: Sequence[Reason]) -> list[str]:
    """What a person is shown: so many sentences, and how many more there are."""
    shown, more = [reason.says for reason in reasons[:IN_SIGHT]], len(reasons) - IN_SIGHT
    return [*shown, f"And {more} more, in verdict.json."] if more > 0 else shown


def _reason(group: Sequence[Failure]) -> Reason:
    """One failure that is said in one sentence needs no other."""
    first = group[0]
    if len(group) == len(first.reasons) == 1 and not first.evidence:
        return Reason(first.reasons[0], [first.subject], [])
    fates: dict[str, list[str]] = {}
    for failure in group:
        fates.setdefault(failure.fate, []).append(failure.subject)
    what = " and ".join(f"{listed(subjects)} {fate}" for fate, subjects in fates.items())
    evidence = f": {first.evidence}" if first.evidence else ""
    says = f"{what}{evidence}."
    consequences = [sentence for failure in group for sentence in failure.reasons]
    return Reason(says[0].upper() + says[1:], [failure.subject for failure in group], consequences)


def listed(parts: Iterable[str]) -> str:
    """`a, b and c`."""
    *head, last = parts
    return f"{', '.join(head)} and {last}" if head else last
