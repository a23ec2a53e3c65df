"""The static page: what stands in it, that nothing in it can break out, and that it works in a browser."""

import asyncio
import base64
import gzip
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from prose_data.calibration.run import Plan, calibrate
from prose_data.config import parse_config
from prose_data.llm.meter import Meter
from prose_data.manifest import write_manifest
from prose_data.report import PAGE, make_report
from prose_data.report.page import LIMIT
from prose_data.report.page.charts import offers, pairs, recovered
from prose_data.report.page.evidence import marker
from prose_data.report.page.explorer import explored
from prose_data.report.page.html import element, embedded, table, text
from prose_data.runs import Run
from prose_data.stages import run_all
from tests.browser import CHROMIUM, opened

HOSTILE = (
    "<script>document.title='broken'</script></blockquote><img src=x onerror=\"document.title='broken'\">"
    "😀 (an aside, surely) & more {{data}}"
)
CONFIG = {
    "name": "trial",
    "seeds": [7, 8],
    "tasks": ["email"],
    "samples": {"per_user": 3},
    "methods": ["no_learning", "cipher_1", "prose", "oracle"],
    "metrics": ["ppcm", "recovery"],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run with its report, in which models and users wrote what they should not have."""
    made = asyncio.run(run_all(parse_config(CONFIG, "test"), tmp_path_factory.mktemp("page") / "run"))
    said = pl.concat_str(pl.lit(HOSTILE), pl.col("text"))
    made.write("samples", made.read("samples").with_columns(text=said))
    inferences = made.read("inferences").with_columns(
        draft=pl.concat_str(pl.lit(HOSTILE), pl.col("draft")),
        components=pl.concat_list("components", pl.lit([HOSTILE])),
    )
    made.write("inferences", inferences)
    shown = pl.col("component").replace({"use emojis": HOSTILE})
    made.write("scores", made.read("scores").with_columns(component=shown))
    held = pl.col("components").list.eval(pl.element().replace({"use emojis": HOSTILE}))
    made.write("users", made.read("users").with_columns(components=held))
    write_manifest(made)
    make_report(made)
    return made


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    return (run.path / PAGE).read_text(encoding="utf-8")


class _Elements(HTMLParser):
    """Collects the elements of a page with their attributes, and the words between them, those of scripts apart."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] not in ("script", "style"):
            self.words.append(data)


def _chunk(packed: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def test_nothing_that_was_written_becomes_markup(page: str) -> None:
    elements = _Elements(page)
    names = [name for name, _ in elements.found]
    chunks = sum(str(attributes.get("id", "")).startswith("chunk-") for _, attributes in elements.found)
    assert chunks == 2 * 4
    assert names.count("script") == chunks + 2 and "img" not in names
    said = {key for _, attributes in elements.found for key in attributes}
    assert not [key for key in said if key.startswith("on") or key in ("src", "style")]
    assert HOSTILE in elements.words  # in the table; the figure cuts it
    assert any(re.fullmatch(r"<script>.+…", words) for words in elements.words)


def test_the_page_loads_nothing_and_runs_only_its_own_script(page: str) -> None:
    policy = next(
        a["content"] or ""
        for _, a in _Elements(page).found
        if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe" not in policy
    assert set(re.findall(r"https?://[^\s\"'<)]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert len(page.encode()) < LIMIT


def test_the_page_says_what_the_summary_says(run: Run, page: str) -> None:
    words = "".join(_Elements(page).words)
    summary = json.loads((run.path / "summary.json").read_text())
    assert summary["notice"] in words.strip()[:400]
    assert "The judge is the same model as the human and the writer" in words
    mean = summary["methods"]["prose"]["ppcm"]
    assert f"{mean['mean']:.2f} [{mean['low']:.2f}, {mean['high']:.2f}]" in words
    assert "no_learning (floor)" in words and "oracle (ceiling)" in words
    for title in ("Differences in ppcm", "Learning curves", "Cost against quality", "Recovery by component"):
        assert title in words
    for name in ("differences", "curve_ppcm", "cost", "recovery"):
        assert (run.path / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (run.path / "figures" / f"{name}.svg").read_text().startswith("<svg")


def test_a_calibrated_judge_is_shown_with_its_flag(run: Run, page: str, tmp_path: Path) -> None:
    assert "The judge was not calibrated" in page
    copy = Run(Path(shutil.copytree(run.path, tmp_path / "copy")), run.config)
    plan = Plan(run.config, ("default",), repeats=1, texts=2)
    asyncio.run(calibrate(plan, tmp_path / "copy-judge", Meter(run.config.budget), lambda *_: None))
    make_report(copy)
    words = "".join(_Elements((copy.path / PAGE).read_text(encoding="utf-8")).words)
    assert "The judge was not calibrated" not in words
    assert "Judges against" in words and "What sways them" in words
    assert words.count("it may favour its own writing") == 2


def test_the_same_run_gives_the_same_page(run: Run, page: str) -> None:
    make_report(run)
    assert (run.path / PAGE).read_text(encoding="utf-8") == page


def test_the_explorer_holds_what_the_tables_hold(run: Run) -> None:
    index, chunks = explored(run, 10**6)
    assert index["of"] == len(index["users"]) == 4 and index["first"] == "prose"
    user = index["users"][0]
    chunk = _chunk(chunks[user["seeds"]["8"]])
    mine = run.read("inferences").filter(user_id=user["id"], seed=8, method="prose").sort("step")
    assert [row["components"] for row in chunk["methods"]["prose"]] == mine["components"].to_list()
    assert [chunk["texts"][row["draft"]] for row in chunk["methods"]["prose"]] == mine["draft"].to_list()
    own = run.read("samples").filter(user_id=user["id"], seed=8).sort("step")
    assert [chunk["texts"][sample["text"]] for sample in chunk["samples"]] == own["text"].to_list()
    last = mine.row(-1, named=True)
    scores = run.read("scores").filter(inference_id=last["inference_id"], metric="recovered")
    assert chunk["methods"]["prose"][-1]["recovered"] == {
        row["component"]: [row["value"], row["verdict"]] for row in scores.iter_rows(named=True)
    }


def test_the_explorer_keeps_to_its_room_and_says_how_many_it_shows(run: Run) -> None:
    _, all_chunks = explored(run, 10**6)
    room = sum(map(len, all_chunks)) // 2
    index, chunks = explored(run, room)
    assert sum(map(len, chunks)) <= room
    assert 0 < len(index["users"]) < index["of"] == 4
    assert explored(run, 0)[0]["users"] == []


def test_where_users_edit_the_explorer_shows_their_edits_and_the_first_rounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prose_data.report.page.explorer.MOST_STEPS", 3)
    data = {
        "space": "prelude",
        "framework": "prelude",
        "seeds": [3],
        "tasks": ["email"],
        "users": {"count": 1},
        "samples": {"per_user": 5},
        "methods": ["no_learning", "oracle"],
        "metrics": ["edit_distance"],
    }
    edited = asyncio.run(run_all(parse_config(data, "test"), tmp_path))
    index, (packed,) = explored(edited, 10**6)
    chunk = _chunk(packed)
    assert chunk["samples"] == [] and index["first"] == "no_learning"
    for method in ("no_learning", "oracle"):
        edits = edited.read("edits").filter(method=method).sort("step").head(3)
        shown = chunk["methods"][method]
        assert len(shown) == 3
        assert [(row["step"], row["outcome"]) for row in shown] == edits.select("step", "outcome").rows()
        assert [chunk["texts"][row["own"]] for row in shown] == edits["text"].to_list()
        assert all("edit_distance" in row["scores"] for row in shown)


def test_marks_are_where_a_device_is_and_nowhere_else() -> None:
    checks = {"use emojis": "emojis", "use asides": "parentheses", "be brief": "brief"}
    spans = marker(checks, ["be brief", "use emojis", "use asides", "be kind"])
    words = (
        "Well 😀 (not that it matters, of course) then 🎉 and 🎉 (as they say in the trade) it is done 🎉."
    )
    found = spans(words)
    assert [words[first:last] for first, last, _ in found] == [
        *("😀", "(not that it matters, of course)", "🎉", "🎉", "(as they say in the trade)", "🎉"),
    ]
    assert [number for *_, number in found] == [1, 2, 1, 1, 2, 1]
    assert spans("Nothing of all this is in here.") == []


def test_text_stays_text() -> None:
    assert text("<b a='\"'>&") == "&lt;b a=&#x27;&quot;&#x27;&gt;&amp;"
    assert element("p", text("x"), class_='"><i>') == '<p class="&quot;&gt;&lt;i&gt;">x</p>'
    assert "<i>" not in table(["<i>"], [["<i>", "<i>"]], "<i>")
    data = {"a": "</script><!-- \u2028 &"}
    assert "<" not in embedded(data) and json.loads(embedded(data)) == data


def _summary(**methods: tuple[float | None, float, float | None]) -> dict[str, Any]:
    """Return the parts of a summary that are drawn: per method its mean, tokens and price."""

    def one(value: float | None) -> dict[str, Any]:
        return {"mean": value, "low": None, "high": None, "n": 1, "failed": 0}

    rows = {
        name: {
            "ppcm": one(mean),
            "prompt_tokens": one(tokens),
            "completion_tokens": one(0),
            "cost_usd": one(price),
        }
        for name, (mean, tokens, price) in methods.items()
    }
    return {"main_metric": "ppcm", "methods": rows}


def test_the_front_has_what_nothing_beats_for_less() -> None:
    what, placed = offers(
        _summary(
            a=(0.0, 10, 0), b=(1.0, 30, 0), c=(0.5, 40, 0), d=(2.0, 90, 0), e=(None, 1, 0), oracle=(3.0, 1, 0)
        )
    ) or ("", [])
    assert what == "tokens"
    assert {one["method"]: one["front"] for one in placed} == {
        "a": True,
        "b": True,
        "c": False,
        "d": True,
        "oracle": False,
    }


def test_money_is_what_counts_where_all_prices_are_known() -> None:
    known, partly = (
        _summary(a=(0.0, 10, 0.5), b=(1.0, 30, 0.1)),
        _summary(a=(0.0, 10, 0.5), b=(1.0, 30, None)),
    )
    assert [one["front"] for one in (offers(known) or ("", []))[1]] == [False, True]
    assert [found[0] for found in (offers(known), offers(partly)) if found] == ["US dollars", "tokens"]
    assert offers(_summary(a=(0.0, 10, 0))) is None


def test_too_many_pairs_are_cut_to_those_with_the_floor() -> None:
    names = ["no_learning", *(f"m{number}" for number in range(12))]
    every = [
        {"metric": "ppcm", "one": one, "other": other, "low": 0.0, "high": 1.0}
        for place, other in enumerate(names)
        for one in names[place + 1 :]
    ]
    found = pairs({"main_metric": "ppcm", "paired": [*every, {**every[0], "metric": "recovery_f1"}]})
    assert [(p["one"], p["other"]) for p in found] == [(name, "no_learning") for name in names[1:]]


def test_recovery_is_the_share_that_names_a_component() -> None:
    rows = [("prose", "b", 1.0), ("prose", "b", 0.0), ("prose", "a", 1.0), ("icl", "b", 0.0)]
    frame = pl.DataFrame(rows, schema=["method", "component", "value"], orient="row")
    assert [tuple(row.values()) for row in recovered(frame, ["icl", "prose", "oracle"])] == [
        *(("a", "prose", 1.0, 1), ("b", "icl", 0.0, 1), ("b", "prose", 0.5, 2)),
    ]
    assert recovered(frame.clear(), ["prose"]) == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_explorer_works_by_click_and_by_key(run: Run, tmp_path: Path) -> None:
    def value(name: str) -> str:
        return f"document.getElementById('{name}').value"

    async def use() -> None:
        async with opened((run.path / PAGE).as_uri(), tmp_path / "profile") as tab:
            await tab.until("!document.getElementById('view').hidden")
            assert await tab.run("document.title") == "trial"
            assert [await tab.run(value(name)) for name in ("user", "method", "step")] == ["0", "prose", "2"]
            draft = await tab.run("document.getElementById('draft').textContent")
            assert draft.startswith(HOSTILE)
            assert HOSTILE in await tab.run("document.getElementById('extra').textContent")
            await tab.press("ArrowLeft")
            assert await tab.run(value("step")) == "1"
            await tab.click("#back")
            assert await tab.run(value("step")) == "0"
            assert await tab.run("document.getElementById('back').disabled")
            await tab.click("#on")
            assert "1 sample seen" in await tab.run("document.getElementById('where').textContent")
            before = await tab.run("document.getElementById('own').textContent")
            await tab.press("m")
            await tab.until(f"{value('method')} === 'oracle'")
            await tab.until("document.getElementById('draft-title').textContent === 'Draft by oracle'")
            assert await tab.run("document.getElementById('own').textContent") == before
            await tab.press("U", modifiers=8)
            await tab.until(f"{value('user')} === '3'")
            await tab.press("s")
            await tab.until("document.getElementById('where').textContent.includes('seed 8, oracle')")
            await tab.run(
                "(() => { const e = document.getElementById('method'); e.focus(); e.value = 'cipher_1';"
                " e.dispatchEvent(new Event('change')); })()"
            )
            await tab.until("document.getElementById('draft-title').textContent === 'Draft by cipher_1'")
            assert await tab.run("document.querySelectorAll('img').length") == 0
            assert await tab.run("document.title") == "trial"
            assert tab.trouble == []

    asyncio.run(use())


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_narrow_screen_and_can_be_read_in_both_schemes(
    run: Run, tmp_path: Path, scheme: str
) -> None:
    """WCAG asks for a contrast of 4.5 between words and paper."""
    contrast = """(() => {
      const light = (colour) => {
        const parts = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255)
          .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
      };
      const paper = light(getComputedStyle(document.body).backgroundColor);
      const words = [...document.querySelectorAll("p:not([class]), td, th, caption, figcaption, a, figure:not(.recovery) svg text")];
      return Math.min(...words.map((element) => {
        const style = getComputedStyle(element);
        const other = light(element.closest("svg") ? style.fill : style.color);
        return (Math.max(paper, other) + 0.05) / (Math.min(paper, other) + 0.05);
      }));
    })()"""

    async def look() -> None:
        async with opened((run.path / PAGE).as_uri(), tmp_path / "profile") as tab:
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            await tab.call("Emulation.setEmulatedMedia", features=features)
            size = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}
            await tab.call("Emulation.setDeviceMetricsOverride", **size)
            await tab.until("!document.getElementById('view').hidden")
            assert await tab.run("document.documentElement.scrollWidth") == 400
            assert await tab.run(contrast) >= 4.5

    asyncio.run(look())
