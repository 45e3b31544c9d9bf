"""What the console answers, and to whom."""

import re
from pathlib import Path

import pytest
from tests.asgi_client import AsgiClient

from tenfold.console import Publisher, console_app
from tenfold.rehearse.view.progress import RunProgress
from tenfold.serving.policy import host_name

STATIC = Path("src/tenfold/console/static")


def client(publisher: Publisher | None = None, host: str = "127.0.0.1:8000") -> AsgiClient:
    return AsgiClient(console_app(publisher or Publisher()), host)


def published(title: str = "Shop", report: str = "") -> Publisher:
    publisher = Publisher()
    publisher.publish(RunProgress(run_id="run-1", plan="shop", began_at="", title=title, report=report))
    return publisher


@pytest.mark.parametrize("path", ["/", "/report", "/metrics", "/health", "/static/live.js", "/nowhere"])
def test_every_answer_carries_the_strict_policy(path: str) -> None:
    """Not one route, found or not, is without the headers."""
    headers = client().get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_page_has_no_inline_script_and_no_inline_style() -> None:
    """What the policy forbids is not there to be forbidden."""
    page = client(published()).get("/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "localhost.evil.example", "10.0.0.1"])
def test_a_host_that_is_not_loopback_is_refused(host: str) -> None:
    """DNS rebinding brings a foreign name to our address; it gets nothing but a refusal."""
    answer = client(published(), host=host).get("/")
    assert answer.status == 421
    assert "Shop" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST", "[::1]:8000"])
def test_loopback_is_answered_by_each_of_its_names(host: str) -> None:
    """Whatever a person types for this machine works."""
    assert client(host=host).get("/health").status == 200


def test_a_host_is_read_without_its_port() -> None:
    """An IPv6 address has colons of its own."""
    assert [host_name(host) for host in ("[::1]:80", "[::1]", "a:80", "a")] == ["[::1]", "[::1]", "a", "a"]


@pytest.mark.parametrize("path", ["/", "/events", "/report", "/metrics"])
def test_the_console_only_reads(path: str) -> None:
    """No request changes anything: nothing but GET and HEAD is taken."""
    assert client().post(path).status == 405


def test_the_plans_words_are_text_and_never_markup() -> None:
    """A title from a plan file cannot run anything."""
    page = client(published(title="<script>alert(1)</script>")).get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_there_is_no_report_until_there_is_one(tmp_path: Path) -> None:
    """Before: a sentence. After: the file, with the policy that a self-contained page needs."""
    assert client(published()).get("/report").status == 404
    page = tmp_path / "index.html"
    page.write_text("<p>GO</p>")
    (tmp_path / "verdict.json").write_text("{}")
    ready = client(published(report=str(page)))
    assert ready.get("/report").text == "<p>GO</p>"
    assert "connect-src" not in ready.get("/report").headers["content-security-policy"]
    assert ready.get("/verdict.json").json() == {}


def test_nothing_outside_the_static_folder_is_served() -> None:
    """A path that climbs out finds nothing."""
    assert client().get("/static/../app.py").status == 404


def test_metrics_are_this_processs_own() -> None:
    """The registry that the publisher was given is what a scrape sees."""
    publisher = published()
    publisher.registry.counter("tenfold_steps_total", "Steps run.").child().inc(3)
    text = client(publisher).get("/metrics").text
    assert "tenfold_steps_total 3" in text
    assert "tenfold_console_viewers 0" in text


def test_one_viewer_too_many_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is stated in words, not met by a hanging page."""
    monkeypatch.setattr("tenfold.console.publisher.VIEWERS_MAX", 0)
    assert client(published()).get("/events").status == 503


def test_no_module_loads_anything_from_elsewhere() -> None:
    """No third party's script, style, font or picture: the console works at a store without a network."""
    for file in [*STATIC.iterdir(), Path("src/tenfold/console/templates/live.html")]:
        addresses = set(re.findall(r"https?://[^\s\"')]+", file.read_text()))
        assert addresses <= {"http://www.w3.org/2000/svg"}, file
