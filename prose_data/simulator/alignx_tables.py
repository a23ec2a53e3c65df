"""How the simulated model puts the 90 directions of AlignX into words: the tables of `data/alignx/simulated`.

Each pole has several sentences that somebody at that pole would write under a post, and phrases that describe such a
person. Interests have things instead, which go into sentences of liking or disliking. `{it}` stands for what a post is
about.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from prose_data.alignx.dimensions import Pole
from prose_data.paths import DATA

FOLDER = DATA / "alignx"


@dataclass(frozen=True, slots=True)
class Wordings:
    """All tables: `says` and `traits` by pole, `things` by interest, `phrases` by kind, `topics` long form to short, and
    the `aims` of posts, by each of which `phrases` has the questions that end one."""

    says: dict[Pole, tuple[str, ...]]
    traits: dict[Pole, tuple[str, ...]]
    things: dict[int, tuple[str, ...]]
    phrases: dict[str, tuple[str, ...]]
    topics: dict[str, str]
    aims: tuple[str, ...]


def _rows(name: str) -> list[list[str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


@cache
def wordings() -> Wordings:
    """Return the tables, read once."""
    says: defaultdict[Pole, list[str]] = defaultdict(list)
    traits: defaultdict[Pole, list[str]] = defaultdict(list)
    for index, value, kind, text in _rows("simulated/wordings.tsv"):
        (says if kind == "says" else traits)[int(index), value == "1"].append(text)
    things: defaultdict[int, list[str]] = defaultdict(list)
    for index, thing in _rows("simulated/things.tsv"):
        things[int(index)].append(thing)
    phrases: defaultdict[str, list[str]] = defaultdict(list)
    for kind, text in _rows("simulated/phrases.tsv"):
        phrases[kind].append(text)
    for interest, own in things.items():
        for positive, frames in ((True, phrases["like"]), (False, phrases["dislike"])):
            says[interest, positive] = [frame.replace("{thing}", thing) for frame in frames for thing in own]
    briefs = _rows("briefs.tsv")
    phrases["who"] = [text for kind, text, _ in briefs if kind == "role"]
    return Wordings(
        says={pole: tuple(texts) for pole, texts in says.items()},
        traits={pole: tuple(texts) for pole, texts in traits.items()},
        things={index: tuple(texts) for index, texts in things.items()},
        phrases={kind: tuple(texts) for kind, texts in phrases.items()},
        topics={text: short for kind, text, short in briefs if kind == "topic"},
        aims=tuple(text for kind, text, _ in briefs if kind == "aim"),
    )
