"""Scores of methods on targets: asks what each method needs, and gives one row per measured value, and failure rows.

Selection: `selection` is a hit per order asked, `selection_accuracy` the mean of both, `selection_published` the hit in one
drawn order, where a reply that can't be read is a miss. Direction: `direction_accuracy` is the share of the 90
dimensions that a predicted profile gets right, `target_named` and `target_opposed` the shares of the target's own poles
that it names and whose opposites it names. Margin: see `prose_data.alignx.margin`.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields
from itertools import product

from prose_data.alignx.choosing import ORDERS, Order, choose, drawn_order, hit
from prose_data.alignx.dimensions import COUNT, NEUTRAL
from prose_data.alignx.margin import Gains, NamedScorer, Scored, gains
from prose_data.alignx.persona import Form, Persona, in_form
from prose_data.alignx.predicting import Method, known_by, shown_direction
from prose_data.alignx.profile import parse
from prose_data.alignx.shortcuts import RULES
from prose_data.alignx.targets import Target
from prose_data.alignx.templates import ica_messages, pba_messages
from prose_data.config import Config
from prose_data.errors import InputError, RequestFailed
from prose_data.failures import failures_of
from prose_data.llm.door import Door, View
from prose_data.llm.pool import each
from prose_data.llm.types import Message
from prose_data.streams import digest
from prose_data.values import Failure

Tick = Callable[[int, int], None]  # how many are done, of how many
ALL_ITEMS = -1


@dataclass(frozen=True, slots=True)
class PairScore:
    """One measured value of one method on one target; a row of schema `PairScores`."""

    target_id: str
    user_id: str
    method: str
    persona: str
    items: int
    metric: str
    component: str
    value: float
    verdict: str
    model: str


@dataclass(frozen=True, slots=True)
class Showing:
    """What is shown of a persona: its form, and at most so many of its latest items (None: all)."""

    form: Form = "mixed"
    items: int | None = None

    def of(self, target: Target) -> Persona:
        """Return what is shown of a target's persona."""
        return in_form(target.persona, self.form, self.items)


def _silent(done: int, total: int) -> None:
    """Say nothing of how far it is."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom methods ask: the models of `config` behind `door`; `tick` hears how many are done, of how many in all."""

    config: Config
    door: Door
    tick: Tick = _silent


@dataclass(slots=True)
class Scores:
    """The rows of a scoring, and what could not be scored; `asked` counts the targets of each method."""

    rows: list[PairScore] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)  # replies and requests, by method
    asked: int = 0

    @property
    def failed_share(self) -> float:
        """Failures for each target of each method: 0 where nothing failed."""
        return len(self.failures) / max(1, self.asked)

    def add(self, other: "Scores") -> None:
        """Take in the rows and failures of another scoring."""
        self.rows.extend(other.rows)
        self.failures.extend(other.failures)
        self.failed.update(other.failed)
        self.asked += other.asked


Work = Callable[[Target, Method, View], Awaitable[list[PairScore]]]
MakeRow = Callable[[str, str, float, str], PairScore]  # metric, component, value, verdict


async def score_selection(
    targets: Sequence[Target], methods: Sequence[Method], showing: Showing, asking: Asking
) -> Scores:
    """Return which responses the reader (role judge) selects, per method and order."""
    seed, model = asking.config.seeds[0], asking.config.model_of("judge").model

    async def work(target: Target, method: Method, view: View) -> list[PairScore]:
        known = await known_by(view, method, target, showing.of(target))
        if known is None:
            return []
        row = rows_of(target, method, showing, model)
        hits, rows = [], []
        for order in ORDERS:
            letter = await choose(view, target, known, order)
            if letter is not None:
                hits.append(float(hit(letter, order)))
                rows.append(row("selection", order, hits[-1], letter))
            if order == drawn_order(seed, target.target_id):
                rows.append(_published(row, order, letter))
        if len(hits) == len(ORDERS):
            rows.append(row("selection_accuracy", "", sum(hits) / len(ORDERS), ""))
        return rows

    return await score_with(targets, methods, showing, asking, work)


async def score_direction(
    targets: Sequence[Target], methods: Sequence[Method], showing: Showing, asking: Asking
) -> Scores:
    """Return the profiles that methods predict, and what they get right of `shown_direction` and of the targets' own."""
    if "ica" in methods:
        raise InputError("--metric direction: ica states no direction; use the methods of pba")
    model = asking.config.model_of("inferrer").model

    async def work(target: Target, method: Method, view: View) -> list[PairScore]:
        persona = showing.of(target)
        truth = shown_direction(target, persona)
        known = await known_by(view, method, target, persona)
        if known is None:
            return []
        row = rows_of(target, method, showing, model)
        profile = known if isinstance(known, str) else ""
        predicted = parse(profile, f"{target.target_id}, profile")
        rows = [row("direction_accuracy", "", sum(map(float.__eq__, predicted, truth)) / COUNT, profile)]
        own = [
            (value, predicted[index])
            for index, value in enumerate(target.direction or ())
            if value != NEUTRAL
        ]
        if own:
            named = sum(value == guess for value, guess in own) / len(own)
            opposed = sum(value == 1 - guess for value, guess in own) / len(own)
            rows += [row("target_named", "", named, ""), row("target_opposed", "", opposed, "")]
        return rows

    return await score_with(targets, methods, showing, asking, work)


async def score_margin(
    targets: Sequence[Target],
    methods: Sequence[Method],
    showing: Showing,
    asking: Asking,
    policy: NamedScorer,
    reference: NamedScorer | None = None,
) -> Scores:
    """Return the margins of `policy` behind the prompts of each method.

    `reference` is the untuned model and always reads ICA's prompt. Without one the policy is compared with itself reading
    no persona, and the metric is `persona_margin_accuracy`.
    """
    name = "margin_accuracy" if reference else "persona_margin_accuracy"
    other = reference or policy

    async def work(target: Target, method: Method, view: View) -> list[PairScore]:
        persona = showing.of(target)
        known = await known_by(view, method, target, persona)
        if known is None:
            return []
        before = ica_messages(target.prompt, persona if reference else Persona())
        found = await gains(
            policy[1],
            other[1],
            response_messages(target.prompt, known),
            before,
            target.chosen,
            target.rejected,
        )
        prompts = f"policy {method}, reference {'ica' if reference else 'none'}"
        return _margin_rows(rows_of(target, method, showing, policy[0]), name, prompts, found)

    return await score_with(targets, methods, showing, asking, work)


def response_messages(post: str, known: Persona | str) -> list[Message]:
    """Return the prompt behind which a response is written or scored: ICA's for a persona, PBA's for a profile."""
    return pba_messages(post, known) if isinstance(known, str) else ica_messages(post, known)


def rule_scores(targets: Sequence[Target], showing: Showing) -> list[PairScore]:
    """Return what the rules that need no model make of the targets, as rows of `selection_accuracy`."""
    personas = [showing.of(target) for target in targets]
    return [
        PairScore(
            target.target_id, target.user_id, name, "", ALL_ITEMS, "selection_accuracy", "", points, "", ""
        )
        for name, rule in RULES.items()
        for target, points in zip(targets, rule(targets, personas), strict=True)
    ]


async def score_with(
    targets: Sequence[Target],
    methods: Sequence[Method],
    showing: Showing,
    asking: Asking,
    work: Work,
) -> Scores:
    """Return what `work` gives for each target and method; a request that failed for good costs its own row alone."""
    found, total = Scores(), len(targets) * len(methods)

    async def one(number: int, target: Target, method: Method) -> None:
        view = asking.door.view("score", asking.config.seeds[0], method, number)
        rows: list[PairScore] = []
        lost = False
        try:
            rows = await work(target, method, view)
        except RequestFailed as error:
            view.note(error.reason, str(error))
            lost = True
        found.rows.extend(rows)
        key = digest("pair", target.target_id, method, showing.form, str(showing.items))
        place = f"{target.target_id}, {method}"
        found.failures.extend(failures_of("score", key, view.notes, place, lost or not rows))
        found.failed[method] += len(view.notes)
        found.asked += 1
        asking.tick(found.asked, total)

    pairs = enumerate(product(targets, methods))
    await each(
        ((number, *pair) for number, pair in pairs),
        lambda item: one(*item),
        asking.config.model_of("judge").concurrency,
    )
    found.rows.sort(key=lambda row: (methods.index(row.method), row.target_id, row.metric, row.component))
    found.failures.sort(key=lambda failure: failure.key)
    return found


def rows_of(target: Target, method: Method, showing: Showing, model: str) -> MakeRow:
    """Return what makes a row of metric, component, value and verdict."""
    items = ALL_ITEMS if showing.items is None else showing.items

    def row(metric: str, component: str, value: float, verdict: str) -> PairScore:
        given = (target.target_id, target.user_id, method, showing.form, items)
        return PairScore(*given, metric, component, value, verdict, model)

    return row


def _published(row: MakeRow, order: Order, letter: str | None) -> PairScore:
    """Return the row of the published convention, where what can't be read is a miss."""
    right = letter is not None and hit(letter, order)
    return row("selection_published", order, float(right), letter or "unreadable")


def _margin_rows(row: MakeRow, name: str, prompts: str, found: Gains) -> list[PairScore]:
    rows = [
        row(metric, prompts, float(margin > 0), "tie" if margin == 0 else "")
        for metric, margin in ((name, found.margin), (f"{name}_per_token", found.margin_per_token))
    ]
    for which in fields(found):
        scored: Scored = getattr(found, which.name)
        rows.append(row("log_probability", f"{which.name}: {prompts}", scored.total, ""))
        rows.append(row("tokens", f"{which.name}: {prompts}", float(scored.tokens), ""))
    return rows
