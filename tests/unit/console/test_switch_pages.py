"""The switchboard's pages at a control node in memory, which has the real one's rules."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

import msgspec
import pytest
from starlette.routing import Route
from tests.console_visitor import HOST, OWN_PAGE, Visitor, fields_of
from tests.memory_control import MemoryControl

from tenfold.channel import Process
from tenfold.console import Publisher, console_app
from tenfold.console.drawing import draw
from tenfold.console.switchboard import HOME, NodeGateway, Watch, switch_routes
from tenfold.kernel import Duration
from tenfold.kernel.clock import VirtualClock
from tenfold.protect.live.switches import Declaration, Rule, SwitchRecord
from tenfold.protect.live.switches.rule import TOPIC
from tenfold.respond.control import ControlRefusedError, ControlUnreachableError
from tenfold.respond.control.client import ControlFailedError
from tenfold.respond.control.ledger import Ack
from tenfold.respond.switchboard import SwitchOperator
from tenfold.serving import Door, Sessions
from tenfold.telemetry import Registry

HOSTILE = "</b><script>alert(1)</script>\"'&"
SHIELD: dict[str, bool | int | float | str] = {"feature": "Reviews", "cost": "fewer first-time buyers decide"}


@dataclass
class Room:
    """A console, a node in memory, and whoever comes by."""

    control: MemoryControl
    clock: VirtualClock
    sessions: Sessions
    gateway: NodeGateway
    registry: Registry
    visitor: Visitor
    runner: asyncio.Runner
    pages: list[Route]

    def newcomer(self, name: str = "") -> Visitor:
        visitor = Visitor(console_app(Publisher(self.registry), self.pages), self.runner)
        if name:
            assert visitor.sign_in(self.sessions.code, name).status == 303
        return visitor

    def operator(self, by: str) -> SwitchOperator:
        return SwitchOperator(self.control, by=by, clock=self.clock)  # type: ignore[arg-type]

    def set_by(self, by: str, name: str, value: object, reason: str = "a reason", **scope: object) -> int:
        operator = self.operator(by)
        rule = Rule(value=value, owner=by, reason=reason, **scope)  # type: ignore[arg-type]
        change = operator.put(operator.draft_set(name, rule), reason=reason, confirmed=True)
        self.clock.advance(Duration.from_s(1))
        return int(change.epoch)  # type: ignore[union-attr]


@pytest.fixture
def room() -> Iterator[Room]:
    clock = VirtualClock()
    control, sessions, registry = MemoryControl(clock), Sessions(clock=clock), Registry()
    gateway = NodeGateway(clock=clock, connect=lambda node, timeout_s: control)  # type: ignore[arg-type, return-value]
    gateway.attach("http://127.0.0.1:7600", "the-control-token")
    pages = switch_routes(gateway, Watch(gateway, registry), Door(sessions, draw, HOME, registry))
    sessions.open()
    for declaration in (
        Declaration(
            name="reviews", kind="boolean", default=True, tier="P3", functions=("product page",), labels=SHIELD
        ),
        Declaration(name="limit", kind="integer", default=5, schema={"maximum": 10}, stores_max=None),
    ):
        control.declare(declaration)
    control.follow(Process(id="p1", service="api", store="7", pid=11))
    control.loads["p1"] = msgspec.Raw(b'{"seconds":5,"loads":[["reviews",120.0,"api","7"]]}')
    with asyncio.Runner() as runner:
        app = console_app(Publisher(registry), pages)
        yield Room(control, clock, sessions, gateway, registry, Visitor(app, runner), runner, pages)
    gateway.close()


def form_for(visitor: Visitor, name: str, **fields: str) -> dict[str, str]:
    """The form as a person without JavaScript has it once they have looked at what it would touch."""
    action = f"/switches/set/{name}"
    looked = visitor.post(action, {**visitor.form_at(action, action), **fields, "look": "1"})
    return {**fields_of(looked.text, action), **fields}


def test_the_board_shows_every_switch_to_whoever_looks(room: Room) -> None:
    """Value, default, tier, owner, reason, scope, time left, epoch, who has it and how fast; without a session."""
    epoch = room.set_by("Ben", "reviews", False, "pages are slow", until_ms=room.clock.wall_ns() // 1_000_000 + 90_500)
    room.control.presences[0].epoch = epoch
    room.control.acknowledged[epoch] = [Ack("p1", 3_160_000, 0)]
    page = room.visitor.get("/switches").text
    for said in ("reviews", "P3", "default on", "everywhere", "Ben", "pages are slow", "1 min 29 s", f"epoch {epoch}"):
        assert said in page, said
    assert "1 of 1 process, slowest 3.16 ms" in page
    assert "Sign in" in page
    assert "/undo/" not in page


@pytest.mark.parametrize("json", [b"7", b'{"rules":[{"value":false,"until_ms":8640001000000000000}]}'])
def test_one_record_that_cannot_be_read_does_not_take_the_board_down(room: Room, json: bytes) -> None:
    """It is said to be so; the others are shown, and its own page opens."""
    room.control.slip_in("ghost", json)
    page = room.visitor.get("/switches")
    assert page.status == 200
    assert "The record of the switch &#39;ghost&#39; cannot be read" in page.text
    assert "limit" in page.text
    assert room.visitor.get("/switches/of/ghost").status == 200
    assert room.visitor.get("/switches/history").status == 200


def test_the_board_says_who_holds_what_a_lost_store_had(room: Room) -> None:
    """And what ends it; they do not count as who follows."""
    room.control.follow(Process(id="p2", service="worker", pid=12))
    room.control.presences[1].holds = "0001-lost"
    page = room.visitor.get("/switches").text
    assert "1 process holds what another store had and will not follow this one: worker/12." in page
    assert "--adopt" in page
    assert "followed by 1 process" in page


def test_who_has_not_applied_a_change_is_named_first(room: Room) -> None:
    """With a callback that raised told apart, and no time where none can be told."""
    room.control.follow(Process(id="p2", service="worker", pid=12))
    room.control.follow(Process(id="p3", service="operator", pid=13))
    epoch = room.set_by("Ben", "reviews", False)
    room.control.presences[0].epoch = epoch
    room.control.acknowledged[epoch] = [Ack("p1", None, 2)]
    assert "1 of 2 processes" in room.visitor.get("/switches").text
    page = room.visitor.get("/switches/of/reviews").text
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr><td>(.*?)</tr>", page)]
    assert rows == [
        ["worker/12", "12", "not", "yet", "–"],
        ["api/7/11", "11", "applied,", "a", "callback", "raised", "–"],
    ]


def test_all_who_have_a_change_are_counted_however_many(room: Room) -> None:
    """A page shows the first 200 one by one; also of a change that took the last setting back."""
    for number in range(2, 501):
        room.control.follow(Process(id=f"p{number}", service="api", pid=number))
    epoch = room.set_by("Ben", "reviews", False)
    for presence in room.control.presences[:190]:
        presence.epoch = epoch
    assert "190 of 500 processes" in room.visitor.get("/switches").text
    operator = room.operator("Ben")
    change = operator.put(operator.draft_unset("reviews", None), reason="over", confirmed=True)
    for presence in room.control.presences[:490]:
        presence.epoch = change.epoch  # type: ignore[union-attr]
    page = room.visitor.get(f"/switches/of/reviews?made={change.epoch}").text  # type: ignore[union-attr]
    assert "490 of 500 processes have it" in page
    assert "300 more are not shown" in page


def test_who_refuses_a_change_is_said_with_the_reason(room: Room) -> None:
    """It does not count as having it; and who declares the switch otherwise is named."""
    room.control.follow(Process(id="p2", service="worker", pid=12))
    epoch = room.set_by("Ben", "limit", 9)
    for presence in room.control.presences:
        presence.epoch = epoch
    room.control.acknowledged[epoch] = [Ack("p1", 1_000_000, 0), Ack("p2", 1_000_000, 0, "9 is more than 5.")]
    room.control.standings["p2"] = msgspec.Raw(b'{"otherwise":[["limit",["schema"]]]}')
    page = room.visitor.get("/switches").text
    assert "1 of 2 processes" in page
    assert "refused in 1 process: 9 is more than 5." in page
    assert "declared otherwise by worker/12 (schema)" in page
    page = room.visitor.get("/switches/of/limit").text
    assert "refused: 9 is more than 5." in page
    assert "Declared otherwise by worker/12 (schema)" in page


def test_a_shield_is_shown_as_what_it_is(room: Room) -> None:
    """The feature, what its absence costs, and what it spares now."""
    before = room.visitor.get("/switches").text
    assert "Feature: Reviews" in before
    assert "120/s calls now" in before
    room.set_by("Ben", "reviews", False)
    after = room.visitor.get("/switches").text
    assert "Shielded: Reviews" in after
    assert "fewer first-time buyers decide" in after
    assert "spares <b>120/s</b> of 120/s" in after


def test_a_shield_by_load_is_shown_though_nobody_set_the_switch(room: Room) -> None:
    """With its cause; and afterwards what it saved stays to be seen."""

    def tell(**said: object) -> str:
        report = {"features": [{"name": "reviews", "spared": {"load": 3000}, "timed": 100, "spent_s": 4, **said}]}
        room.control.shields["p1"] = msgspec.Raw(msgspec.json.encode(report))
        room.clock.advance(Duration.from_s(1))
        page = room.visitor.get("/switches").text
        assert re.findall(r'<p class="shield">.*?</p>', page, re.DOTALL) == re.findall(
            r'<p class="shield">.*?</p>', room.visitor.get("/switches/of/reviews").text, re.DOTALL
        )
        return re.sub(r"<[^>]+>", "", page)

    during, after = tell(by=["load"]), tell()
    assert "Shielded by load or by a rule" in during
    assert "Shielded: Reviews" in during
    assert "by load in 1 of 1 process" in during
    assert "Feature: Reviews" in after
    for page in (during, after):
        assert "3,000 requests did without (load 3,000) since they began; saved: 2 min 00 s" in page
    assert "saved: unknown, as none was served and timed" in tell(timed=0)


def test_a_switch_is_set_with_its_effect_beside_the_button(room: Room) -> None:
    """Look, press once, and see it done; all of it plain forms."""
    ann = room.newcomer("Ann")
    page = ann.get("/switches/set/reviews").text
    assert "<b>120/s</b> of 120/s reads" in page
    assert "product page" in page
    assert "It reaches every store at once" in page
    answer = ann.post("/switches/set/reviews", {**fields_of(page, "/switches/set/reviews"), "reason": "slow"})
    assert answer.status == 303
    record = room.operator("x").view("reviews")
    assert (record.value, record.changed_by) == (False, "Ann")
    assert (record.rules[0].owner, record.rules[0].reason) == ("Ann", "slow")
    done = ann.get(answer.headers["location"]).text
    assert "Done" in done
    assert re.search(r'class="hold"><div class="now"><span class="value" data-on="no">off', done)


def test_a_switch_is_undone_by_one_press(room: Room) -> None:
    """And the page says before what that would touch."""
    ann, epoch = room.newcomer("Ann"), room.set_by("Ben", "reviews", False, "slow")
    page = ann.get("/switches/of/reviews").text
    assert "Undoing takes it back to on: 120/s of 120/s reads" in page
    answer = ann.post("/switches/undo/reviews", fields_of(page, "/switches/undo/reviews"))
    assert answer.status == 303
    assert room.operator("x").view("reviews").value is True
    newest = room.operator("x").history("reviews")[0]
    assert (newest.by, newest.reason) == ("Ann", f"undo of {epoch}: slow")


def test_one_setting_of_several_is_taken_back(room: Room) -> None:
    """The others stay; a setting that is gone meanwhile is not mistaken for another."""
    room.set_by("Ben", "reviews", False, "store 7", stores=("7",))
    room.set_by("Ben", "reviews", False, "store 8", stores=("8",))
    ann = room.newcomer("Ann")
    links = re.findall(r'href="(/switches/unset/reviews\?rule=[^"]+)"', ann.get("/switches/of/reviews").text)
    assert len(links) == 2
    form = ann.form_at(links[0].replace("&amp;", "&"), "/switches/unset/reviews")
    assert ann.post("/switches/unset/reviews", {**form, "reason": ""}).status == 422
    assert ann.post("/switches/unset/reviews", {**form, "reason": "over"}).status == 303
    assert [rule.stores for rule in room.operator("x").view("reviews").rules] == [("8",)]
    again = ann.post("/switches/unset/reviews", {**form, "reason": "over"})
    assert again.status == 409
    assert "not set any longer" in again.text


def test_one_setting_is_taken_back_and_a_percentage_of_the_same_scope_stays(room: Room) -> None:
    """The button stands beside one of them; what it takes away is named."""
    room.set_by("Ben", "reviews", False, "off")
    room.set_by("Ben", "reviews", True, "ten", percent=10)
    ann = room.newcomer("Ann")
    links = re.findall(r'href="(/switches/unset/reviews\?rule=[^"]+)"', ann.get("/switches/of/reviews").text)
    page = ann.get(links[0].replace("&amp;", "&")).text
    assert re.findall(r"Takes away: .*?<b>(.*?)</b>", page) == ["everywhere"]
    form = fields_of(page, "/switches/unset/reviews")
    assert ann.post("/switches/unset/reviews", {**form, "reason": "over"}).status == 303
    assert [rule.percent for rule in room.operator("x").view("reviews").rules] == [10]


def test_the_second_of_two_is_told_who_was_faster(room: Room) -> None:
    """Nothing of theirs is set, and they have to look before they can press again."""
    ann, ben = room.newcomer("Ann"), room.newcomer("Ben")
    anns, bens = form_for(ann, "reviews", reason="slow"), form_for(ben, "reviews", reason="ugly")
    assert ann.post("/switches/set/reviews", anns).status == 303
    answer = ben.post("/switches/set/reviews", bens)
    assert answer.status == 409
    assert "Ann was faster." in answer.text
    assert "It is now <b>off</b>" in answer.text
    assert "“slow”" in answer.text
    assert 'name="if_epoch"' not in answer.text
    assert [one.by for one in room.operator("x").history("reviews")] == ["Ann"]
    looked = ben.post("/switches/set/reviews", {**fields_of(answer.text, "/switches/set/reviews"), "look": "again"})
    form = {**fields_of(looked.text, "/switches/set/reviews"), "reason": "ugly"}
    assert ben.post("/switches/set/reviews", form).status == 303


def test_a_look_tells_that_somebody_was_faster(room: Room) -> None:
    """What is typed while another presses does not become a change of what nobody looked at."""
    ann = room.newcomer("Ann")
    form = form_for(ann, "reviews", reason="slow")
    room.set_by("Ben", "reviews", False, "first")
    answer = ann.get(f"/switches/set/reviews?value=off&stores=7&if_epoch={form['if_epoch']}")
    assert "Ben was faster." in answer.text
    assert "Set to" not in answer.text


def test_the_second_of_two_who_undo_is_told_so(room: Room) -> None:
    """An undo is of one change; it never takes another along."""
    ann, epoch = room.newcomer("Ann"), room.set_by("Ben", "reviews", False)
    form = ann.form_at("/switches/of/reviews", "/switches/undo/reviews")
    room.set_by("Cat", "reviews", True, "back again")
    answer = ann.post("/switches/undo/reviews", form)
    assert answer.status == 409
    assert "Cat was faster." in answer.text
    assert form["change"] == str(epoch)
    assert room.operator("x").history("reviews")[0].by == "Cat"


def test_who_was_faster_is_known_when_nothing_is_set_any_longer(room: Room) -> None:
    """An undo leaves no record; the history has its name."""
    ann = room.newcomer("Ann")
    room.set_by("Ben", "limit", 7)
    form = form_for(ann, "limit", value="9", reason="more")
    operator = room.operator("Cat")
    operator.put(operator.draft_undo("limit"), reason="no", confirmed=True)
    answer = ann.post("/switches/set/limit", form)
    assert answer.status == 409
    assert "Cat was faster." in answer.text


def test_a_form_that_was_changed_since_the_look_is_looked_at_again(room: Room) -> None:
    """Nobody sets what they were not shown the effect of."""
    ann = room.newcomer("Ann")
    form = form_for(ann, "reviews", stores="7", reason="slow")
    answer = ann.post("/switches/set/reviews", {**form, "stores": ""})
    assert answer.status == 422
    assert "changed after the last look" in answer.text
    assert room.operator("x").history("reviews") == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"reason": ""}, "Say why"), ({"reason": "x", "value": "11"}, "more than 10"), ({"value": ""}, "Say what")],
)
def test_what_cannot_be_set_is_said_beside_its_field(room: Room, fields: dict[str, str], said: str) -> None:
    """And the form keeps what was typed."""
    ann = room.newcomer("Ann")
    form = form_for(ann, "limit", value="7", reason="more")
    answer = ann.post("/switches/set/limit", {**form, **fields})
    assert answer.status == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert room.operator("x").history("limit") == []


@pytest.mark.parametrize(
    "address", ["/switches/set/reviews", "/switches/unset/reviews", "/switches/undo/reviews", "/sign-out"]
)
def test_nothing_is_changed_without_a_session_a_token_and_an_own_page(room: Room, address: str) -> None:
    """Each of the three alone keeps it shut."""
    ann = room.newcomer("Ann")
    form = {**form_for(ann, "reviews", reason="slow"), "change": "1", "rule": "0"}
    stranger = room.newcomer()
    assert stranger.post(address, form).status == 401
    assert ann.post(address, {**form, "csrf": "0" * 64}).status == 403
    assert ann.post(address, {name: value for name, value in form.items() if name != "csrf"}).status == 403
    assert ann.post(address, form, headers={**OWN_PAGE, "origin": "http://127.0.0.1:9000"}).status == 403
    assert ann.post(address, form, headers={**OWN_PAGE, "sec-fetch-site": "cross-site"}).status == 403
    assert ann.post(address, form, headers={}).status == 403
    assert room.operator("x").history() == []
    refusals = next(family for family in room.registry if family.name == "tenfold_console_refusals_total")
    assert {labels: child.value for labels, child in refusals} == {("session",): 1, ("csrf",): 2, ("origin",): 3}  # type: ignore[union-attr]


def test_a_form_is_read_to_a_bound(room: Room) -> None:
    """Neither size nor kind nor rubbish of a body does harm."""
    ann = room.newcomer("Ann")
    assert ann.post("/switches/set/reviews", {}, body=b"a=" + b"x" * (300 << 10)).status == 400
    assert ann.post("/switches/set/reviews", {}, body=b"&".join(b"a=1" for _ in range(50))).status == 400
    assert ann.post("/switches/set/reviews", {}, body=b"\xff\xfe=%ff").status == 400
    json = {**OWN_PAGE, "content-type": "application/json"}
    assert ann.post("/switches/set/reviews", {}, headers=json, body=b"{}").status == 400


def test_a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get(room: Room) -> None:
    """And no secret stands on any page or in any address."""
    code = room.sessions.code
    ann = room.newcomer("Ann")
    [cookie] = ann.set_cookies
    assert cookie.startswith("tenfold-session-8000=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    value = ann.cookies["tenfold-session-8000"]
    for address in ("/switches", "/switches/of/reviews", "/switches/set/reviews", "/switches/history", "/metrics", "/"):
        text = ann.get(address).text
        assert not any(secret in text for secret in (code, room.sessions.code, value, "the-control-token")), address


def test_who_signs_out_changes_nothing_any_more(room: Room) -> None:
    """The page that is still open is turned away in words."""
    ann = room.newcomer("Ann")
    form = form_for(ann, "reviews", reason="slow")
    kept = dict(ann.cookies)
    assert ann.post("/sign-out", {"csrf": form["csrf"]}).status == 303
    ann.cookies = kept
    answer = ann.post("/switches/set/reviews", form)
    assert answer.status == 401
    assert "Sign in, then press again" in answer.text


@pytest.mark.parametrize(
    ("wished", "led"),
    [
        ("/switches/set/reviews?value=off", "/switches/set/reviews?value=off"),
        ("//evil.example/switches", "/switches"),
        ("https://evil.example/switches", "/switches"),
        ("/switches\\@evil.example", "/switches"),
        ("/switches/\r\nSet-Cookie: a=b", "/switches"),
        ("/report", "/switches"),
        ("", "/switches"),
    ],
)
def test_signing_in_leads_back_and_nowhere_else(room: Room, wished: str, led: str) -> None:
    """An address that somebody sent cannot lead a person away."""
    answer = room.visitor.post("/sign-in", {"code": room.sessions.code, "name": "Ann", "next": wished})
    assert answer.status == 303
    assert answer.headers["location"] == led


def test_a_wrong_code_is_answered_in_words(room: Room) -> None:
    """And the code is not repeated on the page."""
    answer = room.visitor.sign_in("a-wrong-code", HOSTILE)
    assert answer.status == 403
    assert "a-wrong-code" not in answer.text
    assert "<script>alert" not in answer.text
    assert room.visitor.cookies == {}


def test_whatever_a_switch_or_a_person_says_is_text(room: Room) -> None:
    """Names, values, reasons, owners, stores, instances: none of them can become markup."""
    ann = room.newcomer(HOSTILE)
    room.control.declare(
        Declaration(
            name="hostile",
            kind="text",
            default=HOSTILE,
            says=HOSTILE,
            owner=HOSTILE,
            functions=(HOSTILE,),
            labels={"cost": HOSTILE},
        )
    )
    room.control.follow(Process(id="p2", service=HOSTILE, store=HOSTILE, instance=HOSTILE, host=HOSTILE))
    room.set_by(HOSTILE, "hostile", HOSTILE, HOSTILE, stores=(HOSTILE,), where={HOSTILE: HOSTILE})
    odd = SwitchRecord((Rule(value={HOSTILE: 1}, owner=HOSTILE, reason=HOSTILE),))
    room.control.slip_in(f"a/{HOSTILE}", odd.json or b"")
    form = form_for(ann, "hostile", value=HOSTILE, stores=HOSTILE, ends=HOSTILE, owner=HOSTILE, reason=HOSTILE)
    pages = [
        ann.get(path).text
        for path in (
            "/switches",
            "/switches/of/hostile",
            "/switches/set/hostile",
            "/switches/history",
            "/switches/of/nothing<script>alert(1)</script>",
        )
    ]
    pages.append(ann.post("/switches/set/hostile", form).text)
    pages.append(ann.get("/switches/set/hostile?" + "value=%3Cscript%3Ealert(1)%3C/script%3E").text)
    for page in pages:
        assert "alert(1)" in page
        assert "<script>alert" not in page
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|<[^>]*\son\w+=", page)


def test_a_switch_with_any_name_has_a_page(room: Room) -> None:
    """A record may be called anything printable in a store that an earlier node wrote."""
    room.control.slip_in("odd/name with spaces", b'{"rules":[{"value":1}]}')
    page = room.visitor.get("/switches").text
    [address] = re.findall(r'href="(/switches/of/odd[^"]*)"', page)
    assert address == "/switches/of/odd%2Fname%20with%20spaces"
    assert room.visitor.get(address).status == 200


def test_an_unreachable_node_is_said_with_what_to_do(room: Room) -> None:
    """What was seen last stays on the page, with its time; nothing can be pressed."""
    ann = room.newcomer("Ann")
    form = form_for(ann, "reviews", reason="slow")
    assert ann.get("/switches").status == 200
    room.clock.advance(Duration.from_s(5))
    room.control.failing = ControlUnreachableError("The control node at http://127.0.0.1:7600 does not answer.")
    page = ann.get("/switches")
    assert page.status == 503
    assert "It does not answer at http://127.0.0.1:7600 since" in page.text
    assert "tenfold switch list" in page.text
    assert "What follows was so at" in page.text
    pressed = ann.post("/switches/set/reviews", form)
    assert pressed.status == 503
    assert "Nobody knows whether your change was made" in pressed.text
    room.control.failing = None
    assert ann.get("/switches").status == 200


def test_of_a_change_that_failed_at_the_node_it_is_not_said_that_it_was_not_made(room: Room) -> None:
    """A node that is ending may have written it; a refusal is known to have changed nothing."""
    ann = room.newcomer("Ann")
    form = form_for(ann, "reviews", reason="slow")
    room.control.failing = ControlFailedError("The control node answered 503: it accepts no change any longer.")
    pressed = ann.post("/switches/set/reviews", form)
    assert pressed.status == 503
    assert "nobody knows whether your change was made" in pressed.text
    assert "Nothing was changed" not in pressed.text
    assert '<a href="/switches/of/reviews">reviews</a>' in pressed.text
    room.control.failing = ControlRefusedError("The control node answered 400: 'off' is no boolean.")
    refused = ann.post("/switches/set/reviews", form)
    assert refused.status == 422
    assert "Nothing was changed" in refused.text


def test_a_value_that_is_one_of_a_few_can_be_chosen_whatever_it_is(room: Room) -> None:
    """Objects, null and booleans as JSON, which is how they are read back."""
    choices: list[object] = [None, True, {"max": 5}, "fast"]
    room.control.declare(Declaration(name="mode", kind="json", default=None, schema={"enum": choices}, stores_max=None))
    ann = room.newcomer("Ann")
    page = ann.get("/switches/set/mode").text
    offered = [unescape(text) for text in re.findall(r'<option value="([^"]*)"', page.partition("<datalist")[0])]
    assert offered == ["null", "true", '{"max":5}', "fast"]
    for text, value in zip(offered[1:], choices[1:], strict=True):
        form = form_for(ann, "mode", value=text, reason="x")
        assert ann.post("/switches/set/mode", form).status == 303
        assert room.operator("x").view("mode").value == value


def test_before_the_node_is_started_the_page_says_so() -> None:
    """The console opens first."""
    gateway = NodeGateway(clock=VirtualClock())
    pages = switch_routes(gateway, Watch(gateway), Door(Sessions(), draw, HOME))
    with asyncio.Runner() as runner:
        answer = Visitor(console_app(Publisher(), pages), runner).get("/switches")
    assert answer.status == 503
    assert "not known to this console yet" in answer.text


def test_the_history_says_since_when_it_is_unbroken_and_where_it_breaks(room: Room) -> None:
    """Worked out by the console, entry by entry."""
    epoch = room.set_by("Ben", "reviews", False, "slow")
    room.set_by("Ann", "limit", 7)
    assert "Unbroken since <time" in room.visitor.get("/switches/history").text
    edited = room.control.links[epoch - 1]
    room.control.links[epoch - 1] = msgspec.structs.replace(edited, text=edited.text.replace("slow", "fast"))
    page = room.visitor.get("/switches/history").text
    assert "Broken." in page
    assert f"The entry of epoch {epoch} is not what was written." in page


def test_a_history_whose_end_was_cut_off_is_broken(room: Room) -> None:
    """Though each entry that is left is what was written."""
    room.set_by("Ben", "reviews", False, "slow")
    room.set_by("Ann", "reviews", True)
    del room.control.links[-1]
    page = room.visitor.get("/switches/history").text
    assert "Broken." in page


def test_the_history_is_shown_page_by_page(room: Room) -> None:
    """However long it is."""
    for number in range(35):
        room.set_by("Ben", "limit", number % 10)
    first = room.visitor.get("/switches/history?name=limit").text
    [older] = re.findall(r'href="(/switches/history\?before[^"]+)"', first)
    assert first.count("<li>") == 30
    assert room.visitor.get(older.replace("&amp;", "&")).text.count("<li>") == 5


def test_a_page_that_changes_something_may_send_forms_home_and_nothing_else(room: Room) -> None:
    """The policy stays as strict as that of the page that only reads."""
    for address in ("/switches", "/sign-in", "/switches/of/nothing"):
        headers = room.visitor.get(address).headers
        assert "form-action 'self'" in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "script-src 'self';" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
    assert "form-action 'none'" in room.visitor.get("/").headers["content-security-policy"]


def test_looking_at_the_form_takes_a_session(room: Room) -> None:
    """Whoever has none is led to sign in, and back."""
    answer = room.visitor.get("/switches/set/reviews?value=off")
    assert answer.status == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fswitches%2Fset%2Freviews%3Fvalue%3Doff"
    assert HOST not in answer.headers["location"]


def test_undo_looks_through_the_end_of_what_is_over(room: Room) -> None:
    """On the board and on the switch's page, by the epoch that each shows."""
    ann = room.newcomer("Ann")
    for page in ("/switches", "/switches/of/reviews"):
        soon_ms = room.clock.wall_ns() // 1_000_000 + 3_000
        room.set_by("Ben", "reviews", False, "store 7", stores=("7",), until_ms=soon_ms)
        epoch = room.set_by("Ben", "reviews", False, "slow")
        room.clock.advance(Duration.from_s(1))
        left = room.operator("x").view("reviews").rules
        room.control.put(TOPIC, "reviews", SwitchRecord(left), by="tenfold", reason="was set until", confirmed=True)
        answer = ann.post("/switches/undo/reviews", ann.form_at(page, "/switches/undo/reviews"))
        assert answer.status == 303, answer.text
        assert room.operator("x").history("reviews")[0].reason == f"undo of {epoch}: slow"


def test_an_undo_that_would_change_nothing_is_refused_and_makes_no_entry(room: Room) -> None:
    """What was set is over: the page that was left open says so."""
    ann = room.newcomer("Ann")
    room.set_by("Ben", "reviews", False, "slow", until_ms=room.clock.wall_ns() // 1_000_000 + 2_000)
    form = ann.form_at("/switches/of/reviews", "/switches/undo/reviews")
    room.clock.advance(Duration.from_s(2))
    answer = ann.post("/switches/undo/reviews", form)
    assert answer.status == 409
    assert "would change nothing" in answer.text
    assert len(room.operator("x").history("reviews")) == 1
    assert "/undo/" not in ann.get("/switches/of/reviews").text
