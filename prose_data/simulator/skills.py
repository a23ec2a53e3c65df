"""How good a simulated model is, in numbers; each is a probability unless it says otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Skills:
    """The skills of one simulated model.

    follow:    the writer carries out a preference that it was told
    imitate:   the writer takes over a device that it sees in the examples
    notice:    a reader who compares two texts sees a plain difference (times the device's salience)
    attention: how many differences a reader names at one look (a number)
    heed:      a reader takes over what was counted in a text and given to it, where the text bears it out
    invent:    a reader adds a preference that is not there
    prune:     a reader sees that a stated preference is not borne out by the text
    misjudge:  a verdict is off
    lose:      a merged or broken-down item is dropped
    garble:    a reply breaks the format that was asked for
    """

    follow: float
    imitate: float
    notice: float
    attention: int
    heed: float
    invent: float
    prune: float
    misjudge: float
    lose: float
    garble: float


SKILLS = {
    "sim-strong": Skills(0.95, 0.65, 0.85, 2, 0.9, 0.20, 0.5, 0.03, 0.00, 0.02),
    "sim-medium": Skills(0.88, 0.50, 0.65, 2, 0.8, 0.35, 0.35, 0.08, 0.03, 0.05),
    "sim-weak": Skills(0.75, 0.35, 0.45, 1, 0.6, 0.50, 0.2, 0.15, 0.08, 0.12),
}
