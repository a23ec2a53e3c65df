"""Figures: what is drawn and written; how it looks is for eyes."""

import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from prose_data.report.figures import draw, heat_map, save

FOUND: dict[str, Any] = {
    "steps": [2, 3],
    "thresholds": [0.0, 0.25],
    "metrics": {
        "ppcm": {
            "values": [
                [{"mean": 1.254, "low": 1.2, "high": 1.3, "n": 9}, None],
                [
                    {"mean": -0.5, "low": None, "high": None, "n": 9},
                    {"mean": 0.75, "low": None, "high": None, "n": 9},
                ],
            ]
        }
    },
}


def texts(svg: Path) -> list[str]:
    return [element.text for element in ElementTree.parse(svg).iter() if element.text]


def test_a_heat_map_shows_every_value_its_axes_and_what_made_it(tmp_path: Path) -> None:
    save(heat_map(FOUND, "ppcm", "sim-weak infers"), tmp_path / "grid")
    shown = texts(tmp_path / "grid.svg")
    assert [text for text in shown if "." in text and text != "0.25"] == ["1.25", "−0.50", "0.75"]
    assert {"2", "3", "0", "0.25", "steps S", "threshold v", "PROSE: mean ppcm", "sim-weak infers"} <= set(
        shown
    )
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grid.png", "grid.svg"]


def test_colours_span_at_least_one_interval() -> None:
    """Else two means that differ by chance alone would be as far apart as light and dark."""

    def domain(*cells: tuple[float, float | None, float | None]) -> list[float]:
        row = [{"mean": mean, "low": low, "high": high} for mean, low, high in cells]
        thresholds = [float(number) for number in range(len(cells))]
        found = {"steps": [2], "thresholds": thresholds, "metrics": {"ppcm": {"values": [row]}}}
        return heat_map(found, "ppcm", "").to_dict()["layer"][0]["encoding"]["color"]["scale"]["domain"]

    assert domain((1.0, 0.8, 1.2), (1.1, 1.0, 1.2)) == pytest.approx([0.85, 1.25])
    assert domain((0.0, -0.1, 0.1), (1.0, 0.9, 1.1)) == [0.0, 1.0]
    assert domain((0.0, None, None), (1.0, None, None)) == [0.0, 1.0]


def test_the_png_is_the_one_that_altair_makes(tmp_path: Path) -> None:
    chart, drawn = heat_map(FOUND, "ppcm", "sim infers"), io.BytesIO()
    save(chart, tmp_path / "heat")
    chart.save(drawn, format="png", scale_factor=2)
    assert (tmp_path / "heat.png").read_bytes() == drawn.getvalue()


def test_equal_means_without_intervals_can_be_drawn(tmp_path: Path) -> None:
    cell = {"mean": 1.0, "low": None, "high": None}
    found = {"steps": [2], "thresholds": [0.0, 1.0], "metrics": {"ppcm": {"values": [[cell, cell]]}}}
    save(heat_map(found, "ppcm", ""), tmp_path / "flat")
    assert texts(tmp_path / "flat.svg").count("1.00") == 2


def test_only_what_the_report_links_to_is_drawn(tmp_path: Path) -> None:
    summary = {"sweep": FOUND, "prelude": None, "protocols": []}
    summary |= {"models": {"inferrer": "sim-strong"}, "simulated": True}
    draw({**summary, "sweep": None}, tmp_path)
    assert not list(tmp_path.iterdir())
    draw(summary, tmp_path)
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        "sweep_ppcm.png",
        "sweep_ppcm.svg",
    ]
    assert "sim-strong infers, simulated" in texts(tmp_path / "figures" / "sweep_ppcm.svg")
