"""What a rule says of itself, where people read it."""

import pytest

from tenfold.protect.live.switches import Declaration, Rule, SwitchRecord
from tenfold.respond.switchboard import Draft

D = Declaration(name="reviews", kind="boolean", default=True, stores_max=None)


@pytest.mark.parametrize(
    ("owner", "reason", "refused"),
    [
        ("ann\x1b[2K", "slow", True),
        ("ann", "slow\n  8  payments  off  by boss", True),
        ("李娜", "页面\u3000很慢", False),
    ],
)
def test_a_rule_is_told_on_one_line(owner: str, reason: str, refused: bool) -> None:
    """No reason draws an entry that nobody made."""
    rule = Rule(value=False, owner=owner, reason=reason)
    problem = Draft(
        name="reviews", if_epoch=0, before=SwitchRecord(), after=SwitchRecord((rule,)), declaration=D
    ).refusal(0)
    assert ("are one line" in problem) == refused
