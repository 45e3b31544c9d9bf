"""Switches for real: a node and services as processes, SIGKILL, two people at once, a history that is edited."""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from benchmarks.protect.followers import ControlProcess

from tenfold.channel import Channel
from tenfold.channel.snapshot import SnapshotFile
from tenfold.commands.switch import add_switch_commands
from tenfold.protect.doors.shields import Shields
from tenfold.protect.live.switches import BooleanSwitch, Rule, Switches, SwitchRecord
from tenfold.respond.switchboard import SwitchOperator

DEADLINE_S = 15.0
CLI = """
import argparse, sys
from tenfold.commands.switch import add_switch_commands
parser = argparse.ArgumentParser()
add_switch_commands(parser.add_subparsers())
options = parser.parse_args()
sys.stdin.readline()
sys.exit(options.run(options))
"""


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlProcess]:
    node = ControlProcess(tmp_path)
    node.open()
    monkeypatch.setenv("TENFOLD_CONTROL_URL", node.url)
    monkeypatch.setenv("TENFOLD_CONTROL_TOKEN", node.token)
    monkeypatch.setenv("TENFOLD_BY", "ann")
    yield node
    node.close()


def until(holds: Callable[[], bool], *, deadline_s: float = DEADLINE_S) -> None:
    end_s = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < end_s, "it does not hold by the deadline"
        time.sleep(0.005)


class Service:
    """This process as a service with one switch, declared to the node."""

    def __init__(self, node: ControlProcess, **said: Any) -> None:
        self.node = node
        self.switches = Switches()
        self.reviews: BooleanSwitch = self.switches.boolean(
            "reviews", default=True, tier="P3", functions=("product page",)
        )
        self.limit = self.switches.integer("limit", default=100, maximum=500, stores_max=None)
        self.channel = Channel(node.url, node.token, service="shop", store="7", **said)

    def __enter__(self) -> "Service":
        self.channel.open()
        self.switches.open(self.channel)
        until(lambda: len(self.channel.current("switch-declarations")) == 2)
        return self

    def __exit__(self, *_: object) -> None:
        self.switches.close()
        self.channel.close()


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """`tenfold switch WORDS --json`: its exit status and what it said, an error too."""
    parser = argparse.ArgumentParser()
    add_switch_commands(parser.add_subparsers())
    options = parser.parse_args(["switch", *words, "--json"])
    status = options.run(options)
    heard = capsys.readouterr()
    return status, json.loads(heard.out or heard.err)["error"] if status == 2 else json.loads(heard.out)


def test_the_words_of_the_command_line(node: ControlProcess, capsys: pytest.CaptureFixture[str]) -> None:
    """Look, dry run, set, see who has it, undo, look back, verify: with nothing but the node and a service."""
    with Service(node) as service:
        for _ in range(50):
            service.reviews()
        status, views = call(capsys, "list")
        assert (status, [(view["name"], view["value"]) for view in views]) == (0, [("limit", 100), ("reviews", True)])

        why = ("--reason", "slow pages")
        status, said = call(capsys, "set", "reviews", "off", *why)
        assert (status, said["change"], said["effect"]["processes"]) == (3, None, 1)
        assert said["effect"]["needs_confirmation"]
        assert call(capsys, "set", "reviews", "off", "--confirm", "--dry-run", *why)[0] == 0
        assert service.reviews() is True

        status, said = call(capsys, "set", "reviews", "off", "--store", "7", "--ttl", "30m", *why)
        assert (status, said["following"]["applied"]) == (0, 1)
        assert service.reviews() is False
        assert call(capsys, "set", "limit", "50", *why)[0] == 0
        assert service.limit() == 50
        assert call(capsys, "set", "limit", "50", *why)[1]["change"] is None

        assert call(capsys, "verify", "--seen", f"{said['change']['epoch']}:{said['digest'][:16]}")[0] == 0

        status, said = call(capsys, "show", "reviews")
        assert [rule["owner"] for rule in said["switch"]["rules"]] == ["ann"]
        assert said["following"]["median_ms"] > 0

        assert call(capsys, "undo", "reviews", "--reason", "fast again")[0] == 0
        assert service.reviews() is True
        assert call(capsys, "undo", "reviews", "--reason", "slow again")[0] == 0
        assert service.reviews() is False
        assert call(capsys, "unset", "reviews", "--all", "--confirm", "--reason", "over")[0] == 0
        assert service.reviews() is True

        status, entries = call(capsys, "history", "reviews")
        assert [entry["reason"] for entry in entries] == ["over", "slow again", "fast again", "slow pages"]
        status, whole = call(capsys, "verify")
        assert (status, whole["problem"]) == (0, "")
        assert call(capsys, "verify", "--seen", f"{whole['epoch']}:{whole['digest']}")[0] == 0


def test_what_may_not_be_is_refused_before_and_by_the_node(
    node: ControlProcess, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason; and nobody is left guessing where the node is."""
    why = ("--reason", "x")
    refused = [
        (("limit", "900", *why), "SwitchRefused", "900 is more than 500"),
        (("limit", "9" * 400, *why), "SwitchRefused", "every JSON reader"),
        (("review", "off", "--store", "7", *why), "ControlRefusedError", "Did you mean 'reviews'"),
        (("ghost", "on", "--confirm", "--ttl", "100000000d", *why), "MomentInvalid", "within 400 days"),
        (("limit", "5", "--ttl", "9" * 400 + "d", *why), "MomentInvalid", "within 400 days"),
        (("limit", "5", "--reason", "\udcff"), "TypedUnreadable", "'reason' is no UTF-8"),
    ]
    with Service(node):
        for words, kind, message in refused:
            status, error = call(capsys, "set", *words)
            assert (status, error["kind"]) == (2, kind)
            assert message in error["message"]
    monkeypatch.delenv("TENFOLD_CONTROL_TOKEN")
    status, error = call(capsys, "list")
    assert (status, error["kind"]) == (2, "ControlUnknown")
    assert "TENFOLD_CONTROL_TOKEN" in error["remedy"]


def test_a_switch_goes_back_by_itself_with_the_node_dead(
    node: ControlProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """At its moment; the node writes the end into the history when it lives again."""
    with Service(node) as service:
        heard: list[tuple[bool, float]] = []
        service.reviews.on_change(lambda on: heard.append((on, time.time())))
        status, said = call(capsys, "set", "reviews", "off", "--store", "7", "--ttl", "1.5s", "--reason", "x")
        assert status == 0
        ends_s = said["change"]["value"]["rules"][0]["until_ms"] / 1000
        node.kill()
        assert service.reviews() is False
        until(service.reviews)
        assert [on for on, _ in heard] == [True, False, True]
        assert 0 <= heard[-1][1] - ends_s < 0.5
        node.open()
        until(lambda: call(capsys, "history", "reviews")[1][0]["by"] == "tenfold")
        assert service.reviews() is True
        assert call(capsys, "verify")[0] == 0


def test_of_two_people_who_press_at_once_only_one_wins(node: ControlProcess) -> None:
    """Two processes, five times, each having seen the same state."""
    with Service(node) as service:
        wins: list[str] = []
        for turn in range(5):
            epoch = service.reviews.epoch if turn else 0
            both = [_press(word, epoch) for word in ("on", "off")]
            for process in both:
                assert process.stdin is not None
                process.stdin.write(b"\n")
                process.stdin.flush()
            statuses = [process.wait(30) for process in both]
            assert sorted(statuses) == [0, 1]
            wins.append(("on", "off")[statuses.index(0)])
            until(lambda last=epoch: service.reviews.epoch > last)  # type: ignore[misc]
            assert service.reviews() is (wins[-1] == "on")


def _press(value: str, epoch: int) -> "subprocess.Popen[bytes]":
    """A person who has seen `epoch` and is about to press."""
    words = ["switch", "set", "reviews", value, "--store", "7", "--if-epoch", str(epoch), "--reason", f"turn {epoch}"]
    return subprocess.Popen(
        [sys.executable, "-c", CLI, *words], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=os.environ.copy()
    )


def test_an_edit_of_the_history_on_disk_is_found(
    node: ControlProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the node runs; it does not start again on it."""
    with Service(node):
        for store in ("1", "2", "3"):
            call(capsys, "set", "reviews", "off", "--store", store, "--reason", "slow")
        assert call(capsys, "verify")[0] == 0
        with closing(sqlite3.connect(tmp_path / "control.db")) as database, database:
            database.execute(
                "UPDATE changes SET change = CAST(replace(change, 'ann', 'bob') AS BLOB) "
                "WHERE topic = 'switches' AND epoch = (SELECT min(epoch) FROM changes WHERE topic = 'switches')"
            )
        status, said = call(capsys, "verify")
        assert status == 1
        assert "is not what was written" in said["problem"]


def test_a_record_that_was_edited_on_disk_is_named_and_put_right_by_the_next_node(
    node: ControlProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the node runs `verify` compares the file; who starts it again is served what the history leads to."""
    with Service(node):
        call(capsys, "set", "reviews", "off", "--store", "7", "--reason", "slow")
        with closing(sqlite3.connect(tmp_path / "control.db")) as database, database:
            database.execute(
                "UPDATE records SET change = CAST(replace(change, 'slow', 'fast') AS BLOB) WHERE topic = 'switches'"
            )
        status, said = call(capsys, "verify")
        assert status == 1
        assert "The record 'switches/reviews' in the file is not what the history says" in said["problem"]
        assert "slow" in said["problem"]
        assert "fast" in said["problem"]
        node.kill()
        node.open()
        assert call(capsys, "verify")[0] == 0
        assert "slow" in str(call(capsys, "show", "reviews")[1])


def test_the_last_good_setting_holds_in_a_process_that_begins_with_the_node_dead(
    node: ControlProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From its file on disk."""
    keepsake = tmp_path / "channel-state"
    with Service(node, keepsake=keepsake):
        call(capsys, "set", "reviews", "off", "--store", "7", "--reason", "slow")
    node.kill()
    with Service(node, keepsake=keepsake) as service:
        assert service.reviews() is False
        assert service.reviews.at(store="8") is True
    node.open()


def test_a_process_that_refuses_a_value_is_not_counted_as_having_it(
    node: ControlProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stricter version of the service: at once, after the node was started again, and when the process was late."""
    with Stricter(node) as stricter, Service(node) as service:
        until(lambda: b'"maximum":500' in (service.channel.current("switch-declarations")["limit"].json or b""))
        status, said = call(capsys, "set", "limit", "20", "--reason", "x")
        assert (status, said["following"]["applied"], said["following"]["processes"]) == (0, 1, 2)
        [refused] = said["following"]["refused"]
        assert "20 is more than 10" in refused["why"]
        assert (service.limit(), stricter.limit()) == (20, 5)
        assert said["following"]["failures"] == 0
        until(lambda: call(capsys, "show", "limit")[1]["switch"]["otherwise"] != [])
        node.kill()
        node.open()
        with Stricter(node):

            def told() -> tuple[int, int]:
                following = call(capsys, "show", "limit")[1]["following"]
                return len(following["refused"]), following["applied"]

            until(lambda: told() == (2, 1))


class Stricter:
    """Another version of the service, which takes smaller values."""

    def __init__(self, node: ControlProcess) -> None:
        self.switches = Switches()
        self.limit = self.switches.integer("limit", default=5, maximum=10, stores_max=None)
        self.channel = Channel(node.url, node.token, service="old-shop")

    def __enter__(self) -> "Stricter":
        self.channel.open()
        self.switches.open(self.channel)
        until(lambda: "limit" in self.channel.current("switch-declarations"))
        return self

    def __exit__(self, *_: object) -> None:
        self.switches.close()
        self.channel.close()


def test_a_lost_store_resets_no_switch_before_somebody_says_so(
    node: ControlProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever fresh processes and people put into the new one: those who hold the old go on, and it is said."""
    with Service(node, keepsake=tmp_path / "keepsake") as service:
        call(capsys, "set", "limit", "20", "--reason", "before the loss")
        call(capsys, "set", "reviews", "off", "--store", "9", "--reason", "before the loss")
        until(lambda: SnapshotFile(tmp_path / "keepsake").load().epoch == service.channel.epoch)
        node.kill()
        for path in tmp_path.glob("control.db*"):
            path.unlink()
        node.open()
        with Service(node) as fresh:
            assert fresh.limit() == 100
            status, said = call(capsys, "set", "reviews", "off", "--store", "7", "--reason", "since")
            assert (status, said["following"]["processes"], said["following"]["applied"]) == (0, 1, 1)
            until(lambda: len(call(capsys, "show", "reviews")[1]["following"]["apart"]) == 1)
            assert service.limit() == 20
            assert not service.channel.connected
            parser = argparse.ArgumentParser()
            add_switch_commands(parser.add_subparsers())
            options = parser.parse_args(["switch", "list"])
            options.run(options)
            assert "1 process holds what another store had" in capsys.readouterr().err

            node.kill()
            node.open("--adopt", str(tmp_path / "keepsake"))
            until(lambda: service.channel.connected and fresh.channel.connected)
            until(lambda: (fresh.limit(), service.limit()) == (20, 20))
            assert (service.reviews(), service.reviews.at(store="9")) == (False, True)
            until(lambda: call(capsys, "show", "reviews")[1]["following"]["applied"] == 2)
            assert call(capsys, "show", "reviews")[1]["following"]["apart"] == []
            assert call(capsys, "verify")[0] == 0


def test_a_forked_child_follows_and_ends_what_is_over(node: ControlProcess, capsys: pytest.CaptureFixture[str]) -> None:
    """As gunicorn forks its workers after import; also while another thread changes switches all the time."""
    with Service(node) as service:
        pids = [_child(service) for _ in range(3)]
        call(capsys, "set", "limit", "7", "--reason", "x", "--ttl", "1s")
        for pid in pids:
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _child(service: Service) -> int:
    """Ends with 0 once it has seen the limit at 7 and then back at 100."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        until(lambda: service.limit() == 7)
        until(lambda: service.limit() == 100)
        status = 0
    finally:
        os._exit(status)


def test_watching_tells_each_change_and_who_has_it(node: ControlProcess, capsys: pytest.CaptureFixture[str]) -> None:
    """What was set before is not told."""
    with Service(node):
        call(capsys, "set", "limit", "5", "--reason", "before")
        watcher = subprocess.Popen(
            [sys.executable, "-c", CLI, "switch", "watch", "--changes", "2", "--json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ.copy(),
        )
        client = node.client()
        assert watcher.stdin is not None
        watcher.stdin.write(b"\n")
        watcher.stdin.flush()
        until(lambda: any(one.process.service == "operator" and one.left_ns is None for one in client.processes()))
        said = [call(capsys, "set", "limit", limit, "--reason", f"limit {limit}")[1] for limit in ("6", "7")]
        assert watcher.stdout is not None
        lines = [json.loads(watcher.stdout.readline()) for _ in range(2)]
        assert watcher.wait(10) == 0
        client.close()
    assert [line["change"]["epoch"] for line in lines] == [one["change"]["epoch"] for one in said]
    assert [line["change"]["reason"] for line in lines] == ["limit 6", "limit 7"]
    assert all(line["following"]["applied"] == line["following"]["processes"] == 1 for line in lines)


def test_watching_outlives_the_node_and_misses_nothing(
    node: ControlProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says once that the node is away and once that it is back; what was changed before it looked again is told."""
    with Service(node):
        watcher = subprocess.Popen(
            [sys.executable, "-u", "-c", CLI, "switch", "watch", "--changes", "3", "--json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ.copy(),
        )
        assert watcher.stdin is not None
        assert watcher.stdout is not None
        watcher.stdin.write(b"\n")
        watcher.stdin.flush()
        with closing(node.client()) as client:
            until(lambda: any(one.process.service == "operator" and one.follows for one in client.processes()))
        call(capsys, "set", "limit", "6", "--reason", "before")
        assert json.loads(watcher.stdout.readline())["change"]["reason"] == "before"
        node.kill()
        assert set(json.loads(watcher.stdout.readline())["away"]) == {"since_ns", "why"}
        node.open()
        for limit in ("7", "8"):
            call(capsys, "set", "limit", limit, "--reason", f"limit {limit}")
        said = [json.loads(line) for line in watcher.stdout]
        assert watcher.wait(10) == 0
    assert [line["change"]["reason"] for line in said if "change" in line] == ["limit 7", "limit 8"]
    assert [set(line) for line in said if "change" not in line] == [{"back"}]


def test_a_dry_run_knows_the_reads_of_other_processes(node: ControlProcess) -> None:
    """From what they report."""
    with Service(node) as service:
        client = node.client()
        operator = SwitchOperator(client, by="ann")
        draft = operator.draft_set("reviews", Rule(value=False, stores=("9",), owner="ann", reason="x"))

        def known() -> bool:
            service.reviews()
            service.reviews.at(store="9")
            return operator.effect(draft).reads_per_s_all > 0

        until(known)
        effect = operator.effect(draft)
        assert effect.stores == ("9",)
        assert effect.stores_all == 2
        assert 0 < effect.reads_per_s < effect.reads_per_s_all
        assert draft.before == SwitchRecord()
        client.close()


def test_what_a_shield_by_load_saves_is_seen_where_nobody_set_anything(
    node: ControlProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """From what the process says of its features."""
    with Service(node) as service:
        shields = Shields(service.switches)
        feature = shields.declare("pictures", tier="P3", says="what it looks like", cost="appetite")
        feature.open()
        feature.spent(10_000_000)
        shields.press(1.0)
        feature.open()
        until(lambda: "pictures" in service.channel.current("switch-declarations"))
        until(lambda: call(capsys, "show", "pictures")[1]["shield"] is not None)
        shield = call(capsys, "show", "pictures")[1]["shield"]
    assert (shield["by"], shield["spared"], shield["saved_s"]) == ({"load": 1}, {"load": 1}, 0.01)
