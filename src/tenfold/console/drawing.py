"""Pages out of templates. Text goes in as text: whatever a plan, a switch or a person says cannot become markup."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from tenfold.console.filters import FILTERS
from tenfold.serving import FORM_HEADERS

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= FILTERS


def draw(template: str, *, status: int = 200, **told: Any) -> HTMLResponse:
    """A page that may carry forms."""
    page = TEMPLATES.get_template(template).render(**told)
    return HTMLResponse(page, status_code=status, headers=FORM_HEADERS)
