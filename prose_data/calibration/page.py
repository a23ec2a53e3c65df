"""The same form as one static page: no server, no network, labels are saved by download.

The texts are data in it: JSON whose every `<` is escaped, put into place as text. A content security policy lets
nothing run or load but the page's own script and style.
"""

from collections.abc import Sequence
from pathlib import Path

from prose_data.calibration.form import SCALE
from prose_data.calibration.gold import Pair
from prose_data.report.page.html import embedded, hashed

_FOLDER = Path(__file__).parent


def label_page(pairs: Sequence[Pair], who: str) -> str:
    """Return the HTML of a page on which `who` labels `pairs`, in this order."""
    script, style = ((_FOLDER / name).read_text(encoding="utf-8") for name in ("page.js", "page.css"))
    data = {
        "who": who,
        "drawn": len(pairs),
        "scale": [[key, words, degree] for key, (words, degree) in SCALE.items()],
        "items": [{"text": text, "component": component} for text, component in pairs],
    }
    policy = f"default-src 'none'; script-src {hashed(script)}; style-src {hashed(style)}; base-uri 'none'; form-action 'none'"
    page = (_FOLDER / "page.html").read_text(encoding="utf-8")
    for field, value in (("policy", policy), ("style", style), ("script", script), ("data", embedded(data))):
        page = page.replace(
            "{{" + field + "}}", value
        )  # the data last: what stands in it is replaced by nothing
    return page
