"""Pages out of templates. Text goes in as text: whatever a plan, a switch or a person says cannot become markup."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from tenfold.console import words
from tenfold.console.policy import FORM_POLICY

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= words.FILTERS

FORM_HEADERS = {"Content-Security-Policy": FORM_POLICY, "Referrer-Policy": "same-origin"}
"""A page with forms may send them home, and only home. With `no-referrer` browsers would send `Origin: null`."""


def draw(template: str, *, status: int = 200, **told: Any) -> HTMLResponse:
    """A page that may carry forms."""
    page = TEMPLATES.get_template(template).render(**told)
    return HTMLResponse(page, status_code=status, headers=FORM_HEADERS)
