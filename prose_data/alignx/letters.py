"""Selection by the probabilities of the letters: what a reader would answer, without drawing one answer.

The reader reads the prompt that asks for a letter, and each of both answers is put behind it. Where both are equally
probable that is a tie, counted, and a miss. Nothing is ever unreadable, and a weak leaning is not a whole vote.
"""

from collections.abc import Sequence
from math import exp

from prose_data.alignx.choosing import LETTERS, ORDERS, Order, selection_messages
from prose_data.alignx.margin import NamedScorer, Scorer
from prose_data.alignx.persona import Persona
from prose_data.alignx.predicting import Method, known_by
from prose_data.alignx.scoring import Asking, PairScore, Scores, Showing, rows_of, score_with
from prose_data.alignx.targets import Target
from prose_data.llm.door import View


async def leaning(scorer: Scorer, target: Target, known: Persona | str, order: Order) -> float:
    """Return the log-odds (natural) that the reader names the chosen response and not the rejected one, with the
    responses in this order; raises RequestFailed."""
    responses = (target.chosen, target.rejected)
    first, second = responses if order == "chosen_first" else responses[::-1]
    asked = selection_messages(target.prompt, known, first, second)
    odds = [(await scorer(asked, f"Verdict: {letter}")).total for letter in LETTERS]
    chosen = ORDERS.index(order)
    return odds[chosen] - odds[1 - chosen]


async def score_letters(
    targets: Sequence[Target],
    methods: Sequence[Method],
    showing: Showing,
    asking: Asking,
    reader: NamedScorer,
) -> Scores:
    """Return which responses `reader` finds the more probable answer, per method and order.

    `letter_selection` is a hit per order, `letter_accuracy` the mean of both, `letter_probability` the mean probability
    (of both letters' together) of the chosen response's letter, 0 to 1.
    """

    async def work(target: Target, method: Method, view: View) -> list[PairScore]:
        known = await known_by(view, method, target, showing.of(target))
        if known is None:
            return []
        row = rows_of(target, method, showing, reader[0])
        found = [await leaning(reader[1], target, known, order) for order in ORDERS]
        rows = [
            row("letter_selection", order, float(odds > 0), _letter(order, odds))
            for order, odds in zip(ORDERS, found, strict=True)
        ]
        hits = sum(odds > 0 for odds in found) / len(found)
        rows.append(row("letter_accuracy", "", hits, "tie" if 0 in found else ""))
        rows.append(row("letter_probability", "", sum(map(_probability, found)) / len(found), ""))
        return rows

    return await score_with(targets, methods, showing, asking, work)


def _letter(order: Order, odds: float) -> str:
    if odds == 0:
        return "tie"
    chosen = ORDERS.index(order)
    return LETTERS[chosen if odds > 0 else 1 - chosen]


def _probability(odds: float) -> float:
    """Return the logistic of `odds`, which may be large."""
    return 1 / (1 + exp(-odds)) if odds >= 0 else 1 - 1 / (1 + exp(odds))
