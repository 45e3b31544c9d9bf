"""One sentence first, and what follows from one cause is one reason."""

from tenfold.rehearse.headline import GO, IN_SIGHT, Failure, headline, in_sight, reasons_by_cause


def failure(subject: str, cause: str = "server api", fate: str = "missed", evidence: str = "") -> Failure:
    evidence = evidence or f"evidence of {subject}"
    return Failure(subject=subject, fate=fate, cause=cause, evidence=evidence, reasons=(f"Step {subject} was late.",))


def test_nothing_that_failed_is_a_go() -> None:
    assert headline(reasons_by_cause([])) == GO


def test_two_steps_that_failed_for_one_reason_are_one_reason() -> None:
    """The evidence is that of the first; both are said in full below."""
    (reason,) = reasons_by_cause([failure("9×", evidence="api used 96% of a core"), failure("10×")])
    assert reason.says == "9× and 10× missed: api used 96% of a core."
    assert reason.subjects == ["9×", "10×"]
    assert reason.consequences == ["Step 9× was late.", "Step 10× was late."]


def test_drills_at_a_rate_that_is_not_borne_stand_below_it() -> None:
    """Steps missed and drills did not hold: one sentence for both."""
    failures = [failure("10×"), *(failure(f"drill {name}", fate="did not hold") for name in "abc")]
    (reason,) = reasons_by_cause(failures)
    assert reason.says == "10× missed and drill a, drill b and drill c did not hold: evidence of 10×."


def test_the_first_cause_is_named_first() -> None:
    reasons = reasons_by_cause([failure("8×", "machine stress"), failure("9×"), failure("10×", "machine stress")])
    assert headline(reasons) == "8× and 10× missed: evidence of 8×."
    assert len(reasons) == 2


def test_five_reasons_are_in_sight_at_most() -> None:
    reasons = reasons_by_cause(failure(f"{number}×", f"cause {number}") for number in range(9))
    shown = in_sight(reasons)
    assert (len(shown), shown[-1]) == (IN_SIGHT + 1, "And 4 more, in verdict.json.")
    assert in_sight(reasons[:IN_SIGHT]) == [reason.says for reason in reasons[:IN_SIGHT]]
