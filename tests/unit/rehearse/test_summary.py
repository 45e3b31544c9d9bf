"""What a director reads first."""

import msgspec
import pytest
from tests.simulated_rehearsal import SimulatedRehearsal
from tests.worst_case import worst_verdict

from tenfold.rehearse.headline import Reason
from tenfold.rehearse.summary import CAUSES_SHOWN, Score, summary_of

WORST = worst_verdict()


def test_the_highest_step_is_the_highest_that_held() -> None:
    """10× was sent and missed; 5× is what the shop is known to bear."""
    summary = summary_of(WORST)
    assert (summary.held, summary.asked) == ("5×", "10×")
    assert summary_of(SimulatedRehearsal().verdict()).held == "10×"
    assert summary_of(SimulatedRehearsal(missed=(9, 10)).verdict()).held == "8×"
    assert summary_of(msgspec.structs.replace(WORST, steps=[])).held == "none"


def test_three_lines_say_what_held_of_what_was_asked() -> None:
    """Money and stock, load, faults: a fault that stayed in place did not hold."""
    assert summary_of(WORST).scores == [Score("Money and stock", 11, 11), Score("Load", 1, 10), Score("Faults", 4, 15)]
    left = summary_of(SimulatedRehearsal(unreverted=("primary-cut",)).verdict())
    assert left.scores[2] == Score("Faults", 3, 4)
    assert not Score("Faults", 0, 0).good


def test_each_cause_is_one_line_with_the_promise_and_its_limit() -> None:
    """Steps as ranges, drills by number, the promise that was broken the most, and who was the limit."""
    missed = summary_of(SimulatedRehearsal(missed=(4, 9, 10)).verdict()).causes
    promise = "order-status p99 77 ms, limit 50 ms (+4 more)"
    assert missed == [f"4× and 9×–10×: {promise}; limited by the server."]
    wrong = summary_of(SimulatedRehearsal(broken=("order-never-lost",)).verdict()).causes
    assert wrong == ["Invariant order-never-lost: 18 of 31,204 wrong, limit 0."]


def test_few_causes_are_shown_and_the_rest_counted() -> None:
    """Whoever wants all of them unfolds them."""
    summary = summary_of(WORST)
    assert len(WORST.causes) > CAUSES_SHOWN == len(summary.causes)
    assert summary.more == len(WORST.causes) - CAUSES_SHOWN
    assert max(len(line.split()) for line in summary.causes) <= 30


def test_whether_the_machine_could_judge_is_said() -> None:
    """Spoiled: no. Watched and not spoiled: yes. Not watched: nobody knows."""
    spoiled = summary_of(SimulatedRehearsal(spoiled=(10,)).verdict())
    assert (spoiled.fit, spoiled.fit_says) == (
        False,
        "Not fit to judge: the machine spoiled 1 of 14 steps and drills.",
    )
    assert summary_of(WORST).fit is True
    assert summary_of(SimulatedRehearsal().verdict()).fit is None


@pytest.mark.parametrize(
    ("rehearsal", "does"),
    [
        (SimulatedRehearsal(), "Nothing. Rehearse again"),
        (SimulatedRehearsal(broken=("effects-once",), missed=(10,)), "Mend the wrong orders"),
        (SimulatedRehearsal(unreverted=("primary-cut",)), "End the faults"),
        (SimulatedRehearsal(spoiled=(10,)), "End other programs"),
        (SimulatedRehearsal(missed=(10,)), "Make the server faster"),
        (SimulatedRehearsal(left_out=("primary-cut",)), "Rehearse the whole plan"),
    ],
)
def test_what_to_do_next_is_said_the_gravest_first(rehearsal: SimulatedRehearsal, does: str) -> None:
    """One sentence."""
    assert summary_of(rehearsal.verdict()).next.startswith(does)


def test_a_cause_that_is_about_no_step_and_no_drill_is_said_short() -> None:
    """A part of the plan that was left out may have fifteen names."""
    says = "Only a part was carried out: " + ", ".join(f"drill-{number}" for number in range(30)) + "."
    verdict = msgspec.structs.replace(WORST, causes=[Reason(says, ["a part of the plan"], [])])
    (line,) = summary_of(verdict).causes
    assert len(line.split()) <= 20
    assert line.endswith("…")


def test_a_verdict_without_causes_is_summed_up_by_its_reasons() -> None:
    """Such were written before causes were told apart."""
    old = msgspec.structs.replace(WORST, causes=[], reasons=["Step 1× missed.", "Step 2× missed."])
    assert summary_of(old).causes == ["Step 1× missed.", "Step 2× missed."]
