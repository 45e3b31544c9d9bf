"""The pictures of the docs: first screens as they are now. `TENFOLD_PICTURES=docs/pictures` writes them anew."""

import asyncio
import os
from pathlib import Path

import pytest
from tests.e2e.conftest import Browse
from tests.simulated_rehearsal import END_S, SimulatedRehearsal

from tenfold.console import Console, Publisher
from tenfold.rehearse.view.report import write_report

pytestmark = pytest.mark.browser

PICTURES = "TENFOLD_PICTURES"
BYTES_MAX = 80_000
KINDS = ("report", "console")
SIZES = {1440: 900, 360: 640}
RUNS = {"go": SimulatedRehearsal(), "no-go": SimulatedRehearsal(broken=("order-never-lost",), missed=(6, 7, 8, 9, 10))}


@pytest.mark.parametrize("word", ["go", "no-go"])
def test_first_screens_are_pictured_small(browse: Browse, tmp_path: Path, word: str) -> None:
    """Report and console, at a desk and on a phone, at most 80 kB each; the docs show the same ones."""
    pictures = Path(os.environ.get(PICTURES, tmp_path / "pictures"))
    pictures.mkdir(exist_ok=True)
    over = RUNS[word].progress(END_S)
    over.report = "/shop/reports/20261122T180115.042Z-7f3a/index.html"

    async def scene() -> None:
        publisher = Publisher()
        publisher.publish(over)
        console = Console(publisher)
        report = write_report(tmp_path / "run", RUNS[word].verdict(), RUNS[word].evidence())
        addresses = {"report": report.as_uri(), "console": await console.open()}
        for width, height in SIZES.items():
            async with browse(width=width, height=height, color_scheme="light") as watched:
                for kind, address in addresses.items():
                    await watched.page.goto(address)
                    await watched.page.get_by_text("highest step that held").first.wait_for()
                    await watched.page.screenshot(path=pictures / f"{kind}-{word}-{width}.png")
        await console.close()

    asyncio.run(asyncio.wait_for(scene(), 60))
    sizes = {path.name: path.stat().st_size for kind in KINDS for path in pictures.glob(f"{kind}-{word}-*.png")}
    assert len(sizes) == 2 * len(SIZES)
    assert max(sizes.values()) <= BYTES_MAX, sizes


def test_the_docs_show_every_first_screen() -> None:
    """A picture that is missing or unused is found."""
    page = Path("docs/how-to/read-a-verdict.md").read_text()
    wanted = {f"{kind}-{word}-{width}.png" for kind in KINDS for word in ("go", "no-go") for width in SIZES}
    assert {path.name for path in Path("docs/pictures").iterdir()} == wanted
    assert [name for name in sorted(wanted) if f"../pictures/{name}" not in page] == []
