"""The three experiments of AlignX's paper, as protocols over targets: limited history, novel preferences, control.

The paper claims robustness in all three and prints no number, so there is nothing to compare with but the methods among
themselves: none is the floor, golden the ceiling.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from prose_data.alignx.choosing import ORDERS, choose
from prose_data.alignx.dimensions import COUNT, Pole, poles_of, vector_of
from prose_data.alignx.novel import HeldOut, held_out, without
from prose_data.alignx.pair_report import Summary, summarize, to_frame
from prose_data.alignx.persona import Persona
from prose_data.alignx.predicting import Method, predict
from prose_data.alignx.profile import to_text
from prose_data.alignx.readers import read_targets
from prose_data.alignx.record import Comment
from prose_data.alignx.scoring import (
    Asking,
    PairScore,
    Scores,
    Showing,
    Tick,
    response_messages,
    rows_of,
    score_selection,
    score_with,
)
from prose_data.alignx.targets import Target
from prose_data.config import Config
from prose_data.errors import InputError
from prose_data.llm.ask import ask_text
from prose_data.llm.door import View, open_door
from prose_data.llm.meter import Meter
from prose_data.report.basis import cell, grid, show
from prose_data.report.summary import simulated_notice
from prose_data.runs import Run, land, write_json
from prose_data.streams import stream

BOUNDS: Sequence[Method] = ("none", "golden")
METHODS: Sequence[Method] = ("ica", "pba")


async def run_and_write(run: Run, tick: Tick, meter: Meter) -> tuple[Summary, Scores]:
    """Carry out the experiment of a run on its records, and leave behind experiment.json, experiment.md and its rows.

    Returns what `run_experiment` does. `tick` hears how many choices are scored, of how many; a part begins anew.
    """
    targets, _ = read_targets(str(run.path / "records"))
    async with open_door(run.config, run.store, meter) as door:
        summary, scores = await run_experiment(targets, Asking(run.config, door, tick))
    frame = to_frame(scores.rows)
    land(
        run.path / "pair_scores" / "part-00000.parquet",
        lambda file: frame.write_parquet(file, compression="zstd"),
    )
    write_json(run.path / "experiment.json", summary)
    land(run.path / "experiment.md", lambda file: file.write(experiment_markdown(summary).encode()))
    return summary, scores


async def run_experiment(targets: Sequence[Target], asking: Asking) -> tuple[Summary, Scores]:
    """Return what the configured protocol comes to on `targets`, and all its rows and failures.

    Raises InputError where a target has no direction, or its history's items have none.
    """
    for target in targets:
        if target.direction is None or not target.persona.directed:
            raise InputError(f"{target.target_id}: an experiment needs the directions of target and history")
    return await _PROTOCOLS[asking.config.experiment.protocol](targets, asking)


async def limited_history(targets: Sequence[Target], asking: Asking) -> tuple[Summary, Scores]:
    """Return selection accuracy by the number of history items shown."""
    parts: dict[str, Summary] = {}
    whole = Scores()
    bounds = await score_selection(targets, BOUNDS, Showing(asking.config.experiment.persona), asking)
    for items in asking.config.experiment.items:
        showing = Showing(asking.config.experiment.persona, items)
        scores = await score_selection(targets, METHODS, showing, asking)
        whole.add(scores)
        parts[f"{items} items"] = _part(targets, showing, bounds, scores)
    whole.add(bounds)
    return _summary(asking.config, parts), whole


async def novel_preferences(targets: Sequence[Target], asking: Asking) -> tuple[Summary, Scores]:
    """Return selection accuracy with some dimensions held out of every history, by how many of the target's those are.

    seen: none of the dimensions that tell chosen from rejected; partly; novel: all of them.
    """
    novel = held_out(asking.config.seeds[0], asking.config.experiment.held_out)
    groups: dict[str, list[Target]] = {"seen": [], "partly": [], "novel": []}
    for target in targets:
        groups[_group(target, novel)].append(replace(target, persona=without(target.persona, novel)))
    showing = Showing(asking.config.experiment.persona)
    whole, parts = Scores(), {}
    for name, members in groups.items():
        if members:
            scores = await score_selection(members, (*BOUNDS, *METHODS), showing, asking)
            whole.add(scores)
            parts[name] = _part(members, showing, scores)
    return _summary(asking.config, parts), whole


async def controllability(targets: Sequence[Target], asking: Asking) -> tuple[Summary, Scores]:
    """Return how often turning one direction around turns the choice or the response, and nothing else.

    choice_flips    told one direction of the target's alone, and then its opposite, the reader changes sides
    choice_keeps    told the target's directions, the reader stays where one that is none of them is turned around
    response_flips  written with one direction turned around, the response shows the other pole of it
    response_keeps  and the same as before of the others: the share of the target's other directions
    """
    showing = Showing(asking.config.experiment.persona)

    async def work(target: Target, method: Method, view: View) -> list[PairScore]:
        rows = rows_of(target, method, showing, asking.config.model_of("judge").model)
        poles = poles_of(target.direction or ())
        draws = stream(asking.config.seeds[0], "control", target.target_id)
        own = draws.choice(poles)
        other = draws.choice([index for index in range(COUNT) if index not in dict(poles)])
        found = await _choices(target, own, poles, (other, draws.random() < 0.5), view)
        found |= await _responses(target, own, poles, view)
        return [rows(metric, "", value, "") for metric, value in found.items()]

    scores = await score_with(targets, ("golden",), showing, asking, work)
    return _summary(asking.config, {"golden": _part(targets, showing, scores)}), scores


Protocol = Callable[[Sequence[Target], Asking], Awaitable[tuple[Summary, Scores]]]

_PROTOCOLS: Mapping[str, Protocol] = {
    "history": limited_history,
    "novel": novel_preferences,
    "control": controllability,
}


async def _choices(
    target: Target, own: Pole, poles: Sequence[Pole], other: Pole, view: View
) -> dict[str, float]:
    """Return the shares of orders in which the choice flips, and in which it keeps; no share without both letters."""
    changes: dict[str, list[bool]] = {"choice_flips": [], "choice_keeps": []}
    for metric, turned, kept in (("choice_flips", own, ()), ("choice_keeps", other, poles)):
        for order in ORDERS:
            letters = [
                await choose(view, target, _profile(*kept, pole), order) for pole in (turned, _turned(turned))
            ]
            if None not in letters:
                changes[metric].append((letters[0] != letters[1]) == (metric == "choice_flips"))
    return {metric: sum(found) / len(found) for metric, found in changes.items() if found}


async def _responses(target: Target, own: Pole, poles: Sequence[Pole], view: View) -> dict[str, float]:
    """Return whether the response shows `own` and then its opposite, and the share of the other poles read alike."""
    turned = [_turned(pole) if pole == own else pole for pole in poles]
    before, after = await _read_back(target, poles, view), await _read_back(target, turned, view)
    if before is None or after is None:
        return {}
    index, positive = own
    flips = before.get(index) == positive and after.get(index) == (not positive)
    found = {"response_flips": float(flips)}
    others = [index for index, _ in poles if index != own[0]]
    if others:
        kept = sum(before.get(index) == after.get(index) for index in others)
        found["response_keeps"] = kept / len(others)
    return found


async def _read_back(target: Target, poles: Sequence[Pole], view: View) -> dict[int, bool] | None:
    """Return the poles that a response written for a user at `poles` shows; None where a reply can't be read."""
    text = await ask_text(view, response_messages(target.prompt, _profile(*poles)), "writer")
    if text is None:
        return None
    shown = await predict(
        view, Persona(comments=(Comment(target.prompt, text, vector_of(())),), directed=False)
    )
    return None if shown is None else dict(poles_of(shown))


def _profile(*poles: Pole) -> str:
    return to_text(vector_of(poles))


def _turned(pole: Pole) -> Pole:
    return pole[0], not pole[1]


def _group(target: Target, novel: HeldOut) -> str:
    within = [index in novel for index, _ in poles_of(target.direction or ())]
    return "novel" if all(within) else "partly" if any(within) else "seen"


def _part(targets: Sequence[Target], showing: Showing, *scores: Scores) -> Summary:
    whole = Scores()
    for part in scores:
        whole.add(part)
    return summarize(targets, [showing.of(target) for target in targets], whole, ())


def _summary(config: Config, parts: Mapping[str, Summary]) -> Summary:
    return {
        "name": config.name,
        "notice": simulated_notice(config),
        "experiment": config.experiment.model_dump(mode="json"),
        "parts": dict(parts),
    }


def experiment_markdown(summary: Summary) -> str:
    """Return the section of a report: one row per part and method, and paired differences."""
    rows, metrics = [], list(_metrics(summary))
    for part, found in summary["parts"].items():
        for method, own in found["methods"].items():
            estimates = (show(own.get(metric), metric) for metric in metrics)
            rows.append([part, f"{found['targets']:,}", method, *estimates])
    tables = [grid(["shown", "targets", "method", *metrics], rows)]
    differences = [
        [part, f"{row['method']} less {row['to']}", show(row["difference"], row["metric"], signed=True)]
        for part, found in summary["parts"].items()
        for row in found["differences"]
    ]
    if differences:
        tables.append(grid(["shown", "methods", "difference"], differences))
    title = f"# {cell(summary['name'])}: {summary['experiment']['protocol']}"
    return "\n\n".join([*filter(None, [summary["notice"]]), title, *tables]) + "\n"


def _metrics(summary: Summary) -> dict[str, None]:
    kept = ("selection_accuracy", "choice_flips", "choice_keeps", "response_flips", "response_keeps")
    there = {
        metric for found in summary["parts"].values() for own in found["methods"].values() for metric in own
    }
    return {metric: None for metric in kept if metric in there}
