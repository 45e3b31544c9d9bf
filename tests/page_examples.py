"""The examples of the documentation's pages: complete programs, with what they print beside each `print`.

A comment after a `print` says what is printed, up to its first colon. An example that asks the environment needs the
servers that it names there.
"""

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[1] / "docs"
PAGES = (
    "reference/protect.md",
    "reference/protect/reads.md",
    "reference/protect/dependencies.md",
    "reference/protect/admission.md",
    "reference/protect/switches.md",
    "reference/protect/testing.md",
    "reference/stream.md",
    "reference/control.md",
    "how-to/add-a-drill.md",
    "how-to/embed-the-read-ladder.md",
    "how-to/watch-a-cache-for-inconsistency.md",
    "how-to/shed-load.md",
    "how-to/declare-a-feature-shield.md",
    "how-to/use-openfeature.md",
)
_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
_PROMISE = re.compile(r"^\s*print\(.*\)\s+# ([^:\n]*)", re.MULTILINE)


class Example(NamedTuple):
    """One block of Python; `number` counts from 1 on its page."""

    page: str
    number: int
    code: str

    @property
    def needs_servers(self) -> bool:
        return "os.environ" in self.code

    @property
    def prints(self) -> list[str]:
        """One line for each `print`, in the order of the text, which must be the order of the run."""
        return [promise.strip() for promise in _PROMISE.findall(self.code)]

    def __str__(self) -> str:
        return f"{Path(self.page).stem}-{self.number}"


def examples() -> list[Example]:
    """Of all pages."""
    return [
        Example(page, number, code)
        for page in PAGES
        for number, code in enumerate(_BLOCK.findall((DOCS / page).read_text()), start=1)
    ]
