"""Labels by people: which texts are drawn, the form at the terminal, the page, and what labels do to a run's means."""

import base64
import hashlib
import html
import io
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from prose_data.calibration.asking import Heard
from prose_data.calibration.drawing import draw, rated
from prose_data.calibration.form import SCALE, ask_person
from prose_data.calibration.gold import Gold, Pair, read_gold, write_gold
from prose_data.calibration.page import label_page
from prose_data.calibration.results import read_judge, results, weighed
from prose_data.config import parse_config
from prose_data.runs import load_run
from tests.judges import call, refused

SMALL = """
name: small
seeds: [0, 1]
samples: {per_user: 3}
methods: [no_learning, prose, oracle]
metrics: [ppcm]
models: {default: {model: sim-medium}}
"""
HOSTILE = "<script>alert('x')</script></script><!-- <img src=x onerror=alert(1)> & \u2028 {{data}} [b]bold[/b]\x1b[31m"


JUDGE = {"backend": "openai", "model": "j"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run folder, to which tests may add labels."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "small.yaml").write_text(SMALL)
    result = call("run", folder / "small.yaml", "--out", folder / "run", "--engine", "plain")
    assert result.exit_code == 0, result.output
    return folder / "run"


def population(methods: int = 3, texts: int = 60) -> pl.DataFrame:
    """Rows as `rated` gives them: methods of different worth, a text by all of them now and then."""
    rows = []
    for number in range(texts):
        for method in range(methods):
            text = f"text {number}" if number % 5 == 0 else f"text {number} of {method}"
            for component in range(4):
                value = float(
                    (number * 7 + component * 3) % 5 - 2
                    if number % 5 == 0
                    else min(2, (number + component) % 4 - 1 + method)
                )
                rows.append((f"m{method}", f"u{number % 9}", f"c{component}", value, "j", text))
    return pl.DataFrame(
        rows, schema=["method", "user_id", "component", "value", "judge", "text"], orient="row"
    )


# Drawing


@pytest.mark.parametrize("count", [1, 7, 50, 333])
def test_so_many_different_pairs_are_drawn(count: int) -> None:
    drawn = draw(population(), count, 0)
    assert len({item.pair for item in drawn}) == len(drawn) == count


def test_a_small_run_is_drawn_whole_with_weights_of_one() -> None:
    rows = population(texts=5)
    drawn = draw(rows, 10_000, 0)
    assert {item.pair for item in drawn} == set(rows.select("text", "component").iter_rows())
    assert {item.weight for item in drawn} == {1.0}
    assert sum(item.rows for item in drawn) == rows.height


def test_verdicts_methods_and_components_are_spread_evenly() -> None:
    rows = population()
    side = {
        (text, component): value
        for text, component, value in rows.select("text", "component", "value").iter_rows()
    }
    methods = dict(rows.group_by("text").agg(pl.col("method").unique().sort().str.join(" ")).iter_rows())
    drawn = draw(rows, 120, 3)
    strata = Counter(((side[i.pair] > 0) - (side[i.pair] < 0), methods[i.pair[0]]) for i in drawn)
    there = Counter(((v > 0) - (v < 0), methods[text]) for (text, _), v in side.items())
    share = max(strata.values())
    assert all(abs(count - min(there[key], share)) <= 1 for key, count in strata.items())
    assert max(Counter(i.pair[1] for i in drawn).values()) <= 40  # 30 of each would be even


def test_weighted_draws_stand_for_the_whole_run() -> None:
    """Over many draws the weighted mean of what was drawn is the mean of all, though verdicts are drawn unevenly."""
    rows = population()
    value = {
        (text, component): v for text, component, v in rows.select("text", "component", "value").iter_rows()
    }
    draws = [draw(rows, 60, seed) for seed in range(80)]
    totals = [sum(i.weight * i.rows * value[i.pair] for i in drawn) / rows.height for drawn in draws]
    plain = [sum(value[i.pair] for i in drawn) / len(drawn) for drawn in draws]
    truth = float(rows["value"].mean())  # type: ignore[arg-type]
    assert sum(totals) / len(totals) == pytest.approx(truth, abs=0.05)
    assert abs(sum(plain) / len(plain) - truth) > 0.2


def test_the_same_draw_again_whatever_the_order_of_rows_and_another_for_another_seed() -> None:
    rows = population()
    assert draw(rows, 30, 1) == draw(rows.sample(fraction=1.0, shuffle=True, seed=5), 30, 1)
    assert {item.pair for item in draw(rows, 30, 1)} != {item.pair for item in draw(rows, 30, 2)}


# The form


def form(pairs: list[Pair], keys: str, labels: dict[Pair, int] | None = None) -> tuple[dict[Pair, int], str]:
    """Return what was saved when these keys are typed, and what was shown."""
    console = Console(width=80, record=True, file=io.StringIO())
    saved: dict[Pair, int] = {}
    typed: Iterator[str] = iter(keys)
    ask_person(console, pairs, labels or {}, typed, lambda pair, degree: saved.__setitem__(pair, degree))
    return saved, console.export_text()


PAIRS: list[Pair] = [("one", "be brief"), ("two", "use emojis"), ("three", "rhyme")]


def test_keys_are_the_judges_words_from_against_to_for() -> None:
    assert {key: degree for key, (_, degree) in SCALE.items()} == {"1": -2, "2": -1, "3": 0, "4": 1, "5": 2}
    assert SCALE["1"][0] == "clearly contradicts" and SCALE["5"][0] == "clearly exhibits"


def test_a_key_labels_and_goes_on_until_all_are_done() -> None:
    saved, shown = form(PAIRS, "513555")
    assert saved == {PAIRS[0]: 2, PAIRS[1]: -2, PAIRS[2]: 0}
    assert shown.count("Does the text exhibit this preference?") == 3 and "1 of 3" in shown


def test_s_skips_b_goes_back_q_quits_and_other_keys_do_nothing() -> None:
    assert form(PAIRS, "s5q")[0] == {PAIRS[1]: 2}
    assert form(PAIRS, "5b1q")[0] == {PAIRS[0]: -2}
    assert form(PAIRS, "bb4q")[0] == {PAIRS[0]: 1}
    assert form(PAIRS, "\n x6075\nq1")[0] == {PAIRS[0]: 2}
    assert form(PAIRS, "")[0] == {}


def test_what_is_labelled_already_is_not_asked_again() -> None:
    saved, shown = form(PAIRS, "5q", {PAIRS[0]: 0})
    assert saved == {PAIRS[1]: 2}
    assert "two" in shown and "one" not in shown.replace("so far", "")


def test_the_terminal_shows_hostile_text_as_text() -> None:
    _, shown = form([(HOSTILE + "\n\n  - kept\n", "[red]be[/red] \x07brief")], "q")
    assert "<script>" in shown and "[b]bold[/b][31m" in shown and "[red]be[/red] brief" in shown
    assert "  - kept" in shown and "\x07" not in shown
    assert "\x1b" not in shown


def test_labelling_a_run_is_saved_resumed_and_blind(finished: Path) -> None:
    first = call("judge", "label", finished, "--n", "12", "--who", "ann", typed="5134sq")
    assert first.exit_code == 0, first.output
    out = finished / "labels" / "ann.jsonl"
    assert "4 of 12 texts labelled by ann" in first.stdout and str(out) in first.stdout
    before = read_gold([out])
    assert sorted(item.label for item in before) == [-2, 0, 1, 2]
    assert {(item.who, item.drawn, item.document) for item in before} == {("ann", 12, "")}

    second = call("judge", "label", finished, "--n", "12", "--who", "ann", typed="2" * 20)
    assert "12 of 12 texts labelled by ann" in second.stdout
    after = read_gold([out])
    assert set(before) < set(after) and len(after) == 12
    assert "12 of 12" in call("judge", "label", finished, "--n", "12", "--who", "ann", typed="").stdout

    run = load_run(finished)
    words = {*run.config.methods, *run.read("users")["user_id"], *run.read("inferences")["inference_id"]}
    lines = out.read_text() + re.sub(
        r"│.*│", "", first.stdout + second.stdout
    )  # without the texts themselves
    assert not [word for word in words if re.search(rf"\b{re.escape(word)}\b", lines)]


def test_people_get_the_same_texts_in_orders_of_their_own(finished: Path, tmp_path: Path) -> None:
    asked = {}
    for who in ("bob", "eve"):
        out = tmp_path / f"{who}.jsonl"
        shown = call("judge", "label", finished, "--n", "9", "--who", who, "--out", out, typed="3" * 9).stdout
        asked[who] = re.findall(r"this preference\? (.*)", shown)
    assert asked["bob"] != asked["eve"] and sorted(asked["bob"]) == sorted(asked["eve"])
    assert [i.pair for i in read_gold([tmp_path / "bob.jsonl"])] == [
        i.pair for i in read_gold([tmp_path / "eve.jsonl"])
    ]


def test_labels_of_others_in_the_same_file_stay(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "both.jsonl"
    for who in ("ann", "bob"):
        assert (
            call("judge", "label", finished, "--n", "3", "--who", who, "--out", out, typed="345").exit_code
            == 0
        )
    assert Counter(item.who for item in read_gold([out])) == {"ann": 3, "bob": 3}


# The page


class Page(HTMLParser):
    """What a browser makes of a page: its elements, and the text in each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.scripts: dict[str | None, str] = {}
        self.styles: list[str] = []
        self.policy = ""
        self.links: list[str] = []
        self._inside: str | None = None
        self._kind: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        values = dict(attrs)
        self._inside, self._kind = tag, values.get("type")
        self.links += [value for name, value in attrs if name in ("src", "href", "action") and value]
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[self._kind] = self.scripts.get(self._kind, "") + data
        elif self._inside == "style":
            self.styles.append(data)


def hashed(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def test_hostile_texts_are_data_in_the_page() -> None:
    pairs = [(HOSTILE, "use <b>emojis</b>"), ("</SCRIPT ><script src=//x>", "{{script}}")]
    plain, page = Page(label_page([("a", "b")], "ann")), Page(label_page(pairs, "ann"))
    assert page.elements == plain.elements and page.elements["script"] == 2 and "img" not in page.elements
    data = json.loads(page.scripts["application/json"])
    assert [(item["text"], item["component"]) for item in data["items"]] == pairs
    assert "<" not in page.scripts["application/json"]


def test_the_page_runs_and_loads_nothing_but_its_own() -> None:
    page = Page(label_page([(HOSTILE, "c")], "ann"))
    assert page.links == []
    assert "default-src 'none'" in page.policy
    assert f"script-src 'sha256-{hashed(page.scripts[None])}'" in page.policy
    assert f"style-src 'sha256-{hashed(page.styles[0])}'" in page.policy
    code = page.scripts[None]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|fetch\(|https?:", code)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_a_browser_shows_hostile_text_as_text(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(label_page([(HOSTILE, "use <b>emojis</b>")], "ann"), encoding="utf-8")
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        profile,
        "--dump-dom",
        f"file://{tmp_path / 'page.html'}",
    ]
    dom = subprocess.run(
        ["chromium", *options], capture_output=True, text=True, timeout=120, check=True
    ).stdout
    shown = dom.split('<blockquote id="text">')[1].split("</blockquote>")[0]
    assert html.unescape(shown) == HOSTILE
    assert '<strong id="component">use &lt;b&gt;emojis&lt;/b&gt;</strong>' in dom
    assert dom.count("<script") == 2 and dom.count("<button") == 8


def test_the_page_knows_texts_and_components_and_nothing_else(finished: Path, tmp_path: Path) -> None:
    page = tmp_path / "label.html"
    result = call("judge", "label", finished, "--n", "10", "--who", "ann", "--page", page)
    assert result.exit_code == 0 and "10 texts to label" in result.stdout
    data = json.loads(Page(page.read_text()).scripts["application/json"])
    assert data.keys() == {"who", "drawn", "scale", "items"} and data["drawn"] == 10
    assert all(item.keys() == {"text", "component"} for item in data["items"])
    assert {(item["text"], item["component"]) for item in data["items"]} == {
        item.pair for item in draw(rated(load_run(finished)), 10, 0)
    }


def test_what_the_page_saves_is_gold(finished: Path, tmp_path: Path) -> None:
    """The lines are put together as `page.js` does it."""
    code = Page(label_page([("a", "b")], "ann")).scripts[None]
    assert '{ ...item, label: labels[at], origin: "page", who: data.who, drawn: data.drawn }' in code
    item = {"text": "a", "component": "b", "label": -1, "origin": "page", "who": "ann", "drawn": 1}
    (tmp_path / "labels-ann.jsonl").write_text(json.dumps(item) + "\n")
    assert read_gold([tmp_path / "labels-ann.jsonl"]) == [Gold(**item)]


# What labels are for


def labels_of(finished: Path, count: int, degree: Any) -> list[Gold]:
    rows = rated(load_run(finished))
    value = {
        (text, component): v for text, component, v in rows.select("text", "component", "value").iter_rows()
    }
    return [Gold(*i.pair, degree(value[i.pair]), who="ann", drawn=count) for i in draw(rows, count, 0)]


def corrected(finished: Path, gold: list[Gold], out: Path) -> dict[str, dict[str, Any]]:
    write_gold(out.with_suffix(".jsonl"), gold)
    result = call(
        "judge", "calibrate", finished, "--gold", out.with_suffix(".jsonl"), "--repeats", "1", "--out", out
    )
    assert result.exit_code == 0, result.output
    assert (
        "Means of the run as judged by default" in result.stdout
        and "raw and corrected" in (out / "judge.md").read_text()
    )
    found = read_judge(out)
    assert found is not None and found["corrected"]["judge"] == "default"
    methods: dict[str, dict[str, Any]] = found["corrected"]["methods"]
    return methods


def test_people_who_agree_with_the_judge_leave_its_means(finished: Path, tmp_path: Path) -> None:
    for row in corrected(finished, labels_of(finished, 60, int), tmp_path / "agree").values():
        # The judge gives the same draft under two seeds two verdicts now and then; a person gives it one label.
        assert row["ppcm_labelled"]["mean"] == pytest.approx(row["ppcm"]["mean"], abs=0.005)
        assert row["exhibits_labelled"]["mean"] == pytest.approx(row["exhibits"]["mean"], abs=0.005)


def test_labels_give_each_method_the_mean_that_labelling_everything_would() -> None:
    """People find nothing in the drafts that all methods share, of which each method has fewer than of its own."""
    rows = population()
    shared = pl.col("text").str.contains("of").not_()
    truths = (
        rows.with_columns(label=pl.when(shared).then(-2.0).otherwise(pl.col("value")))
        .group_by("method")
        .agg(pl.col("label").mean())
    )
    found: dict[str, list[float]] = {}
    for seed in range(25):
        settings = parse_config(
            {"seeds": [seed], "methods": ["m0", "m1", "m2"], "models": {"default": JUDGE}}, "test"
        )
        value = {
            (text, component): v
            for text, component, v in rows.select("text", "component", "value").iter_rows()
        }
        gold = [
            Gold(*one.pair, int(value[one.pair]) if "of" in one.pair[0] else -2, who="ann", drawn=90)
            for one in draw(rows, 90, seed)
        ]
        result = results(settings, weighed(gold, rows, seed), [Heard("default", (), ())], 1, rows)
        for method, row in result["corrected"]["methods"].items():
            found.setdefault(method, []).append(row["ppcm_labelled"]["mean"])
    for method, truth in truths.iter_rows():
        raw = float(rows.filter(method=method)["value"].mean())  # type: ignore[arg-type]
        assert abs(raw - truth) > 0.3
        assert sum(found[method]) / len(found[method]) == pytest.approx(truth, abs=0.08)


def test_people_who_find_half_of_it_move_the_means(finished: Path, tmp_path: Path) -> None:
    found = corrected(finished, labels_of(finished, 90, lambda value: int(value > 0)), tmp_path / "half")
    oracle = found["oracle"]
    assert oracle["ppcm"]["mean"] > 1.4 and oracle["ppcm_labelled"]["mean"] == pytest.approx(
        oracle["exhibits"]["mean"], abs=0.1
    )
    assert oracle["ppcm_labelled"]["low"] < oracle["ppcm_labelled"]["mean"] < oracle["ppcm_labelled"]["high"]


def test_a_runs_own_samples_are_gold_and_correct_its_shares(finished: Path) -> None:
    result = call("judge", "calibrate", finished, "--texts", "8")
    assert result.exit_code == 0, result.output
    found = read_judge(finished.with_name("run-judge"))
    assert found is not None and found["gold"]["measured"] == found["gold"]["items"] > 60
    samples = set(load_run(finished).read("samples")["text"])
    assert {item.text for item in read_gold([finished.with_name("run-judge") / "gold.jsonl"])} <= samples
    rates, rows = found["judges"]["default"], found["corrected"]["methods"]
    for row in rows.values():
        raw, sure = row["exhibits"]["mean"], rates["sensitivity"]["mean"] + rates["specificity"]["mean"] - 1
        expected = min(1.0, max(0.0, (raw + rates["specificity"]["mean"] - 1) / sure))
        assert row["exhibits_corrected"]["mean"] == pytest.approx(expected, abs=1e-4)
        assert row["ppcm_labelled"] is row["exhibits_labelled"] is None
    assert rows["no_learning"]["exhibits_corrected"]["mean"] < rows["oracle"]["exhibits_corrected"]["mean"]


def test_another_judge_than_the_runs_corrects_nothing(finished: Path, tmp_path: Path) -> None:
    text = (finished / "config.yaml").read_text()
    assert "sim-medium" in text
    copy = tmp_path / "copy"
    copy.mkdir()
    for table in ("scores", "inferences", "users", "samples"):
        (copy / table).symlink_to(finished / table)
    (copy / "manifest.json").write_text("{}")
    (copy / "config.yaml").write_text(text.replace("sim-medium", "sim-weak"))
    result = call("judge", "calibrate", copy, "--texts", "1", "--repeats", "1")
    assert result.exit_code == 0, result.output
    found = read_judge(tmp_path / "copy-judge")
    assert found is not None and found["corrected"] is None


def test_labels_of_another_run_or_draw_are_refused(finished: Path, tmp_path: Path) -> None:
    gold = labels_of(finished, 5, int)
    path = tmp_path / "gold.jsonl"

    def message(items: list[Gold]) -> str:
        write_gold(path, items)
        return refused(call("judge", "calibrate", finished, "--gold", path, "--out", tmp_path / "out"))

    assert "was not among the 5 texts drawn" in message([*gold, Gold("elsewhere", "be brief", 1, drawn=5)])
    assert "are of several draws, of 4, 5" in message([*gold[1:], Gold(*gold[0].pair, 1, drawn=4)])
    write_gold(path, gold)
    assert "give that run's folder" in refused(
        call("judge", "calibrate", "--gold", path, "--out", tmp_path / "out")
    )


def test_wrong_usage_is_one_line_and_exit_code_2(finished: Path, tmp_path: Path) -> None:
    label = ("judge", "label")
    assert "is not a run folder" in refused(call(*label, tmp_path))
    assert "--who ../x: must be letters" in refused(call(*label, finished, "--who", "../x"))
    page = refused(call(*label, finished, "--page", tmp_path / "p.html", "--out", tmp_path / "o.jsonl"))
    assert "does not go with --page" in page
    assert "--set does not go with it" in refused(call("judge", "calibrate", finished, "--set", "seeds=[1]"))
    assert "holds a run; choose another --out" in refused(
        call("judge", "calibrate", finished, "--out", finished)
    )
    out = tmp_path / "labels.jsonl"
    assert call(*label, finished, "--n", "4", "--out", out, typed="5").exit_code == 0
    assert "holds labels of another draw" in refused(call(*label, finished, "--n", "5", "--out", out))
    out.write_text("{")
    assert "line 1: is not valid JSON" in refused(call(*label, finished, "--out", out))
    assert call(*label, finished, "--n", "0").exit_code == 2


def test_a_run_that_is_not_finished_or_not_judged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(
        SMALL.replace("[ppcm]", "[description_length]").replace("[0, 1]", "[0]")
    )
    arguments = [tmp_path / "small.yaml", "--out", tmp_path / "run", "--engine", "plain"]
    assert call("synthesize", *arguments).exit_code == 0
    assert "is not finished; run prose-data run" in refused(call("judge", "label", tmp_path / "run"))
    assert call("run", *arguments).exit_code == 0
    assert "has no scores of ppcm" in refused(call("judge", "label", tmp_path / "run"))


def test_help_has_an_example() -> None:
    for command in ("calibrate", "label"):
        result = call("judge", command, "--help")
        assert result.exit_code == 0 and f"prose-data judge {command} " in result.stdout.split("Example")[1]
