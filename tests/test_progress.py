"""What is shown of a run under way: the panel of a terminal, plain lines elsewhere, and what a real terminal gets."""

import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from prose_data.config import Budget
from prose_data.eta import Seen
from prose_data.llm.meter import Known, Meter
from prose_data.panel import Figures, duration, line, panel, summary
from prose_data.progress import shown_progress
from prose_data.runs import Run
from prose_data.values import Stage

NOON = datetime(2030, 1, 31, 12, 0)
STAGES: tuple[Stage, ...] = ("synthesize", "infer", "score")
FIGURES = Figures(
    stages={"synthesize": (45, 45), "infer": (120, 315), "score": (0, 1575)},
    elapsed=75.0,
    remaining=150.0,
    rate=412.3,
    replies={"endpoint": 5000, "store": 31},
    in_flight=60,
    allowed=64,
    tokens=1234567,
    cost=1.5,
    unpriced=False,
    retries=3,
    failed=2,
)
SMALL = """
name: small
seeds: [0]
tasks: [email]
users: {count: 2}
samples: {per_user: 2}
methods: [no_learning, prose]
metrics: [ppcm]
"""


def drawn(figures: Figures, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(panel(figures, NOON))
    return capture.get().replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_panel_has_a_bar_per_stage_and_all_figures_at_any_width(width: int) -> None:
    lines = drawn(FIGURES, width).splitlines()
    assert all(len(text) <= width for text in lines)
    for text, stage, rest in zip(lines, STAGES, ("45/45 100%", "120/315  38%", "0/1,575   0%"), strict=False):
        assert text.startswith(stage) and text.endswith(rest)
        assert "0/1" in rest or "━━" in text  # without colours, what is left to do is blank
    figures = " ".join(" ".join(lines[3:]).split()).split(" · ")
    assert figures == [
        "412 requests/s",
        "60 of 64 in flight",
        "5,000 from endpoint + 31 from store",
        "1,234,567 tokens",
        "$1.50",
        "3 retries",
        "2 failures",
        "elapsed 1:15",
        "ends in 2:30 at 12:02",
    ]


def test_a_million_units_fit_a_narrow_terminal() -> None:
    stages: dict[Stage, tuple[int, int | None]] = {"synthesize": (1_234_567, 2_000_000), "score": (0, None)}
    many = replace(FIGURES, stages=stages)
    first, second, *_ = drawn(many, 40).splitlines()
    assert first.startswith("synthesize ━") and first.endswith(" 61%") and len(first) <= 40
    assert "0/…" in second and "%" not in second


def test_a_stage_with_nothing_to_do_is_full() -> None:
    text = drawn(replace(FIGURES, stages={"score": (0, 0)}), 80)
    assert "0/0 100%" in text


@pytest.mark.parametrize(
    ("cost", "unpriced", "shown"),
    [
        (0.0, False, "$0.00"),
        (0.0123, False, "$0.0123"),
        (1234.5, False, "$1,234.50"),
        (0.0, True, "cost unknown"),
        (0.5, True, "at least $0.5000"),
    ],
)
def test_spend_says_how_much_of_it_is_known(cost: float, unpriced: bool, shown: str) -> None:
    figures = replace(FIGURES, cost=cost, unpriced=unpriced)
    assert f", {shown}, " in line(figures, "infer", NOON)
    assert f" · {shown} · " in summary(figures)


def test_what_is_not_known_or_not_asked_is_not_made_up() -> None:
    simulated = replace(FIGURES, allowed=None, remaining=None, retries=0, replies={}, failed=0)
    text = line(simulated, "infer", NOON)
    assert "in flight" not in text and "retries" not in text and "from" not in text
    assert text.startswith("infer 120/315, 412 requests/s, ") and text.endswith("0 failures, ends in …")


def test_durations_and_the_day_of_an_end_far_away() -> None:
    seconds = (0.4, 59.6, 754, 3723, 90_000, 5 * 86_400 + 3 * 3600)
    assert [*map(duration, seconds)] == ["0:00", "1:00", "12:34", "1:02:03", "25:00:00", "5 d 3 h"]
    assert line(replace(FIGURES, remaining=90_000.0), "infer", NOON).endswith("at 2030-02-01 13:00")
    assert line(replace(FIGURES, remaining=1e15), "infer", NOON).endswith("ends in …")


def shown(terminal: bool, width: int = 100, fails: type[BaseException] | None = None) -> str:
    """Return what is written while a run goes through its stages, and fails in the end or not."""
    file, meter = io.StringIO(), Meter(Budget())
    console = Console(file=file, width=width, force_terminal=terminal)
    try:
        with shown_progress(console, meter, STAGES) as show:
            for stage in STAGES:
                for done in range(501):
                    meter.requests += 1
                    meter.replies["simulated"] += 1
                    show(stage, done, 500)
            meter.failed = 7
            time.sleep(0.3)
            if fails:
                raise fails
    except (ZeroDivisionError, KeyboardInterrupt):
        assert fails
    return file.getvalue()


def test_without_a_terminal_there_is_a_line_where_a_stage_begins_and_where_it_ends() -> None:
    lines = shown(terminal=False).splitlines()
    assert [text.split(",")[0] for text in lines] == [
        f"{stage} {done}/500" for stage in STAGES for done in (0, 500)
    ]
    assert all("requests/s" in text and "\x1b" not in text for text in lines)
    assert "1,503 from simulated" in lines[-1]


def test_without_a_terminal_there_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prose_data.progress.SECONDS", 0.1)
    monkeypatch.setattr("prose_data.progress._BEAT", 0.05)
    file = io.StringIO()
    with shown_progress(Console(file=file, width=40), Meter(Budget()), STAGES) as show:
        show("infer", 0, 9)
        show("infer", 1, 9)
        until = time.monotonic() + 10
        while file.getvalue().count("\n") < 4 and time.monotonic() < until:  # while nothing is heard
            time.sleep(0.02)
    assert [text.split(",")[0] for text in file.getvalue().splitlines()][:4] == [
        "infer 0/9",
        *["infer 1/9"] * 3,
    ]


@pytest.mark.parametrize("fails", [None, ZeroDivisionError, KeyboardInterrupt])
def test_a_terminal_gets_a_panel_and_keeps_one_line_however_it_ends(
    fails: type[BaseException] | None,
) -> None:
    text = shown(terminal=True, fails=fails)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor is back
    assert text.index("500/500") < text.index("\x1b[?25h")
    last = text.splitlines()[-1]
    assert (
        "synthesize 500/500 · infer 500/500 · score 500/500 · 1,503 replies" in last and "7 failures" in last
    )
    assert not [thread for thread in threading.enumerate() if thread.name in ("progress", "pilot")]


def test_a_run_that_does_nothing_shows_nothing() -> None:
    for terminal in (False, True):
        file = io.StringIO()
        console = Console(file=file, force_terminal=terminal)
        with pytest.raises(ZeroDivisionError), shown_progress(console, Meter(Budget()), STAGES):
            raise ZeroDivisionError
        assert file.getvalue() == ""


def test_in_flight_and_the_limit_come_from_the_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter(Budget())
    meter.in_flight = 17
    meter.known = {("http://a", "m"): Known(allowed=20), ("http://b", "m"): Known(allowed=12)}
    file = io.StringIO()
    with shown_progress(Console(file=file), meter, STAGES) as show:
        show("infer", 0, 5)
    assert "17 of 32 in flight" in file.getvalue()


class Foreseen:
    """Stands in for the pilot and the estimate; keeps what the estimate is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
        self.told: list[tuple[Stage, Seen]] = []
        self.flights = 0
        self.landed = False
        self._error = error
        units = dict.fromkeys(STAGES, 100)
        monkeypatch.setattr("prose_data.workload.count_units", lambda run, stages: (units, units))
        monkeypatch.setattr("prose_data.workload.foreseen", self.fly)
        monkeypatch.setattr("prose_data.progress.Eta", lambda works, now: self)
        monkeypatch.setattr("prose_data.progress._BEAT", 0.01)
        monkeypatch.setattr("prose_data.progress._PILOT_AFTER", 0.0)

    def fly(self, run: object, missing: object) -> dict[Stage, Any]:
        self.flights += 1
        if self._error is not None:
            raise self._error
        time.sleep(0.3)
        self.landed = True
        return {}

    def add(self, now: float, stage: Stage, seen: Seen, busy: bool) -> None:
        self.told.append((stage, seen))

    def remaining(self) -> float:
        return 61.0


def test_the_estimate_hears_what_this_process_did_in_each_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    foreseen, meter = Foreseen(monkeypatch), Meter(Budget())
    with shown_progress(Console(file=io.StringIO()), meter, STAGES, cast(Run, object())) as show:
        show("infer", 0, 100)
        show("infer", 40, 100)  # a shard done in an earlier try
        for done in (41, 42):
            meter.replies.update(["endpoint", "store", "store"])
            show("infer", done, 100)
        show("score", 0, 100)
        meter.replies.update(["endpoint"])
        show("score", 1, 100)
        until = time.monotonic() + 10
        while ("score", Seen(1, 1, 0)) not in foreseen.told and time.monotonic() < until:
            time.sleep(0.01)
    assert ("infer", Seen(2, 6, 4, finished=True)) in foreseen.told
    assert foreseen.told[-1] == ("score", Seen(1, 1, 0))


def test_who_stops_watching_waits_for_the_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    foreseen = Foreseen(monkeypatch)
    with shown_progress(Console(file=io.StringIO()), Meter(Budget()), STAGES, cast(Run, object())) as show:
        show("infer", 0, 100)
        time.sleep(0.1)
    assert foreseen.flights == 1 and foreseen.landed


def test_without_a_pilot_there_is_no_estimate_and_nothing_else_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    foreseen, file = Foreseen(monkeypatch, OSError("no space left")), io.StringIO()
    with shown_progress(Console(file=file), Meter(Budget()), STAGES, cast(Run, object())) as show:
        show("infer", 0, 100)
        time.sleep(0.1)
        show("infer", 100, 100)
    assert foreseen.flights == 1 and not foreseen.told
    assert file.getvalue().count("infer 100/100") == 1


def on_terminal(
    *arguments: str | Path, width: int = 80, interrupt: str = "", **environment: str
) -> tuple[int, str, str]:
    """Return exit code, stderr and stdout of the program whose stderr is a terminal; `interrupt`: when this is shown."""
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 30, width, 0, 0))
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "prose_data", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=writer,
        env={**inherited, "TERM": "xterm-256color", **environment},
        text=True,
    )
    os.close(writer)
    got = b""
    while True:
        try:
            more = os.read(reader, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        got += more
        if not more:
            break
        if interrupt and interrupt in got.decode(errors="ignore"):
            process.send_signal(signal.SIGINT)
            interrupt = ""
    os.close(reader)
    out, _ = process.communicate(timeout=30)
    return process.returncode, got.decode(), out


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("width", [40, 120])
def test_a_real_terminal_shows_the_run_and_stdout_stays_json(tmp_path: Path, width: int) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    arguments = ("run", tmp_path / "small.yaml", "--out", tmp_path / "run", "--engine", "plain", "--json")
    code, text, out = on_terminal(*arguments, width=width)
    assert code == 0, text
    assert json.loads(out)["result"]["simulated"] is True
    assert "\x1b[?25l" in text and text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
    shown = plain(text)
    assert re.search(r"^infer +━+ +\d+/4 +\d+%", shown, re.MULTILINE)
    assert "synthesize 2/2 · infer 4/4 · score 8/8 · " in shown.splitlines()[-1]


def test_an_interrupted_terminal_gets_its_cursor_back(tmp_path: Path) -> None:
    arguments = ("run", "--out", tmp_path / "run", "--engine", "plain", "--set", "users.count=300")
    code, text, _ = on_terminal(*arguments, interrupt="infer")
    assert code == 130
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
    assert "interrupted; run the same command again" in plain(text).splitlines()[-1]


def test_somebody_impatient_leaves_neither_a_traceback_nor_files(tmp_path: Path) -> None:
    files = tmp_path / "tmp"
    files.mkdir()
    arguments = ["run", "--out", tmp_path / "run", "--engine", "plain", "--set", "users.count=300"]
    process = subprocess.Popen(
        [sys.executable, "-m", "prose_data", *map(str, arguments)],
        env={**os.environ, "TMPDIR": str(files)},
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(500):
        if any(files.glob("*/users")):  # the pilot is under way
            break
        time.sleep(0.02)
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and "Traceback" not in said, said
    assert not list(files.iterdir())


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_a_dumb_terminal_gets_lines_and_one_without_colours_no_colours(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    arguments = ("synthesize", tmp_path / "small.yaml", "--out", tmp_path / "run", "--engine", "plain")
    code, text, _ = on_terminal(*arguments, **environment)
    assert code == 0, text
    if "TERM" in environment:
        assert "\x1b" not in text and text.startswith("synthesize 0/2, ")
    else:
        assert "\x1b[?25l" in text and not re.search(r"\x1b\[[0-9;]*m", text.replace("\x1b[0m", ""))


def test_forced_colours_make_no_terminal(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    arguments = ["synthesize", tmp_path / "small.yaml", "--out", tmp_path / "run", "--engine", "plain"]
    done = subprocess.run(
        [sys.executable, "-m", "prose_data", *map(str, arguments)],
        env={**os.environ, "FORCE_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "\x1b" not in done.stderr and done.stderr.startswith("synthesize 0/2, ")
