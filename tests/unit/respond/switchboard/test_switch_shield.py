"""A feature over all processes, as its switch's page says it."""

import msgspec

from tenfold.commands.switch import text
from tenfold.protect.doors.shields.report import FeatureReport, ShieldReport
from tenfold.respond.switchboard import SwitchView
from tenfold.respond.switchboard.shield import read_reports, shield_views

VIEW = SwitchView(name="reviews", kind="boolean", tier="P3", says="", default=True, value=True)


def lines(*features: FeatureReport) -> list[str]:
    """Of each one process; those about the shield."""
    payloads = {f"p{n}": msgspec.Raw(msgspec.json.encode(ShieldReport([one]))) for n, one in enumerate(features)}
    payloads["odd"] = msgspec.Raw(b'{"features":7}')
    shield = shield_views(read_reports(payloads)).get("reviews")
    return list(text.page(VIEW, None, 0, shield))[2:]


def test_a_shield_that_nobody_set_is_seen_with_its_cause_and_what_it_saved() -> None:
    """By load in one process, by a rule of the app in the other; what one takes is known by those that served it."""
    assert lines(
        FeatureReport(name="reviews", by=("load",), served=1000, spared={"load": 3000}, timed=1000, spent_s=20),
        FeatureReport(name="reviews", by=("hand", "load"), spared={"load": 500, "hand": 20}),
    ) == [
        "  shielded by hand in 1 of 2 processes, by load in 2 of 2 processes",
        "  3,520 requests did without since these processes began (load 3,500, hand 20); saved: 1 min",
    ]


def test_after_a_shield_it_is_still_said_what_it_saved() -> None:
    """And what cannot be known is not called nothing."""
    assert lines(FeatureReport(name="reviews", spared={"rule": 5}, timed=10, spent_s=0.5)) == [
        "  not shielded now",
        "  5 requests did without since these processes began (rule 5); saved: 0.25 s",
    ]
    assert lines(FeatureReport(name="reviews", spared={"rule": 5}))[1].endswith(
        "saved: unknown, as none was served and timed"
    )
    assert lines(FeatureReport(name="reviews", served=7))[1] == "  every request was served since these processes began"


def test_what_no_process_told_of_has_no_such_lines() -> None:
    """A switch that is no feature."""
    assert lines(FeatureReport(name="other")) == []
