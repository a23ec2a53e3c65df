"""The form in which a person labels texts at the terminal: one text and one component at a time, one key each.

It shows nothing of method, truth or verdict, and asks in the judge's own words.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from prose_data.calibration.gold import Pair
from prose_data.judging import EXHIBITS

if TYPE_CHECKING:
    from rich.console import Console

SCALE: Mapping[str, tuple[str, int]] = {
    str(number): (words, EXHIBITS[words]) for number, words in enumerate(reversed(EXHIBITS), 1)
}  # key: words, degree


def ask_person(
    console: "Console",
    pairs: Sequence[Pair],
    labels: Mapping[Pair, int],
    keys: Iterator[str],
    save: Callable[[Pair, int], None],
) -> None:
    """Show each of `pairs` that `labels` lacks and save what the person answers, until `keys` end or q is among them.

    1 to 5 label, s skips, b goes back to the pair before; everything else is passed over.
    """
    done = dict(labels)
    open_pairs = [pair for pair in pairs if pair not in done]
    place = 0
    while place < len(open_pairs):
        pair = open_pairs[place]
        _show(console, pair, f"{len(done) + 1} of {len(pairs)}", done.get(pair))
        key = next((key for key in keys if key in SCALE or key in ("s", "b", "q")), "q")
        if key == "q":
            return
        if key in SCALE:
            done[pair] = SCALE[key][1]
            save(pair, done[pair])
        place = max(0, place - 1) if key == "b" else place + 1


def _show(console: "Console", pair: Pair, where: str, before: int | None) -> None:
    """Print a pair as data: nothing in it is read as markup or as a control code."""
    from rich.panel import Panel
    from rich.text import Text

    text, component = pair
    if console.is_terminal:
        console.clear()
    console.print(Panel(Text(visible(text)), title=Text(where), title_align="left"))
    console.print(Text.assemble("Does the text exhibit this preference? ", (visible(component), "bold")))
    for key, (words, degree) in SCALE.items():
        console.print(Text(f"  {key}  {words}{'  (so far)' if degree == before else ''}"))
    console.print(Text("  s  skip    b  back    q  save and quit"))


def visible(text: str) -> str:
    """Return `text` with its lines, but without control codes, which a terminal would obey."""
    return "\n".join(
        "".join(char for char in line if char.isprintable()) for line in text.expandtabs().splitlines()
    )
