"""What a person is told who wrote a plan that cannot be carried out: the exact words, held as golden text.

`TENFOLD_GOLDEN=write pytest tests/golden/plan` writes the texts anew; read the difference before committing it.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tenfold.fleet import FAULT_KINDS
from tenfold.plan import PlanInvalid, parse_plan, read_plan

HERE = Path(__file__).parent
PATH = Path("plans/shop.yaml")

BREAKAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "unknown-key": (("    command: python -m shop.api", "    comand: python -m shop.api"),),
    "no-unit": (("p99: 100 ms}\n  worker", "p99: 100}\n  worker"),),
    "wrong-unit": (("timeout: 10 s", "timeout: 10 MiB"), ("daily_peak: 300 /s", "daily_peak: 300 s")),
    "out-of-bounds": (
        ("timeout: 10 s", "timeout: 2 h"),
        ("memory: 96 MiB", "memory: 1 B"),
        ("replicas: 1}", "replicas: 3}"),
    ),
    "tab": (("  tag: X-Shop-Test", "\ttag: X-Shop-Test"),),
    "escape-of-no-character": (("title: A shop", 'title: "\\UFFFFFFFF"'),),
    "bracket-left-open": (("factors: [1, 5, 10]", "factors: [1, 5, 10"),),
    "unquoted-braces": (('"${unique}"', "${unique}"),),
    "duplicate-key": (("    tier: P1\n    command", "    tier: P1\n    title: Books\n    command"),),
    "missing-keys": (("    tier: P0\n    command", "    command"), ("  tag: X-Shop-Test\n", "")),
    "nothing-stands": (("feed: baskets.jsonl", "feed:"),),
    "dangling-dependency": (("depends_on: [database, main]", "depends_on: [databse, main]"),),
    "dependencies-in-a-circle": (("depends_on: [database, main]", "depends_on: [database, worker]"),),
    "dangling-journey": (("unharmed: [browse, status]", "unharmed: [brows, status]"),),
    "dangling-node": (("kill main.primary", "kill main.primry"),),
    "fault-does-not-fit": (("kill main.primary", "cut main.primary"),),
    "target-is-another": (("target: cache", "target: database"),),
    "dangling-environment": (("${database.primary.url}", "${database.primary.uri}"),),
    "dangling-answer": (("remember: {id: /id}", "remember: {number: /id}"),),
    "open-template": (("GET /products/${sku}", "GET /products/${sku"),),
    "shares-not-whole": (("share: 60 %", "share: 50 %"),),
    "hours-not-24": (("hours: [0, 0,", "hours: [0,"),),
    "factors-fall": (("factors: [1, 5, 10]", "factors: [1, 10, 5]"),),
    "feed-is-not-there": (("feed: baskets.jsonl", "feed: basket.jsonl"),),
    "open-quote": (("python -m shop.seed", "python -m 'shop.seed"),),
    "another-schema": (("schema: 1", "schema: 2"), ("timeout: 10 s", "timeout: 10")),
    "unknown-choice": (("engine: valkey", "engine: redis"), ("tier: P0\n    share", "tier: P9\n    share")),
    "writing-query": (("checked: SELECT count(*) FROM", "checked: DELETE FROM"),),
    "reserved-variable": (("SHOP_TOKEN:", "PORT:"),),
    "mutant-of-nothing": (("commands: {api:", "commands: {apy:"),),
    "expected-twice": (("delayed: [order]", "delayed: [order, browse]"),),
    "everything-at-once": (
        ("replicas: 1}\n  main", "replica: 1}\n  main"),
        ("timeout: 10 s", "timeout: 10"),
        ("unharmed: [browse, status]", "unharmed: [browse, stats]"),
        ("share: 10 %", "share: 10"),
    ),
}


def broken(edits: tuple[tuple[str, str], ...]) -> str:
    text = (HERE / "shop.yaml").read_text()
    for stands, instead in edits:
        assert stands in text
        text = text.replace(stands, instead, 1)
    return text


def message_of(read: Callable[[], object]) -> str:
    with pytest.raises(PlanInvalid) as caught:
        read()
    return f"{caught.value}\n"


def assert_golden(name: str, text: str) -> None:
    golden = HERE / f"{name}.txt"
    if os.environ.get("TENFOLD_GOLDEN") == "write":
        golden.write_text(text)
    assert text == golden.read_text()


def test_the_plan_that_is_broken_below_is_right() -> None:
    """Without a breakage there is no complaint, so each complaint below is about its breakage."""
    assert parse_plan(broken(()), PATH, FAULT_KINDS, is_file=lambda _: True).name == "shop"


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_broken_plan_is_answered_with_line_what_stands_and_what_may_stand(name: str) -> None:
    """Every kind of mistake has one clear text."""
    text = broken(BREAKAGES[name])
    is_file = lambda path: path.name == "baskets.jsonl"  # noqa: E731
    assert_golden(name, message_of(lambda: parse_plan(text, PATH, FAULT_KINDS, is_file=is_file)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("file-is-missing", None),
        ("file-is-empty", b""),
        ("file-is-too-large", b"# " + b"x" * 2**20),
        ("file-is-not-utf-8", b"schema: 1\ntitle: M\xfcller\n"),
        ("file-has-control-characters", b"schema: 1\ntitle: a\x00b\n"),
        ("file-is-a-list", b"- schema: 1\n"),
        ("file-has-two-documents", b"schema: 1\n---\nschema: 1\n"),
        ("file-makes-objects", b"schema: !!python/object/apply:os.system [ls]\n"),
        ("file-laughs", b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
            b"%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n" % (n, n, *[n - 1] * 9) for n in b"bcdefgh"
        )),
        ("file-bites-its-tail", b"plan: &plan\n  plan: *plan\n"),
        ("file-is-too-deep", b"plan: " + b"[" * 5000),
    ],
)  # fmt: skip
def test_a_file_that_is_no_plan_is_answered_in_the_same_words(
    name: str, content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that cannot be read, or that is something else, is one clear sentence too."""
    monkeypatch.chdir(tmp_path)
    PATH.parent.mkdir()
    if content is not None:
        PATH.write_bytes(content)
    assert_golden(name, message_of(lambda: read_plan(PATH, FAULT_KINDS)))
