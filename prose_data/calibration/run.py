"""A calibration from its configuration to its files: judge.json, judge.md, the gold it stood on, and all verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from prose_data.calibration.asking import Heard, Questions, as_judge, ask_judge
from prose_data.calibration.devices import sampled_gold, written_gold
from prose_data.calibration.drawing import rated
from prose_data.calibration.gold import Gold, read_gold, write_gold
from prose_data.calibration.position import make_probes
from prose_data.calibration.results import JUDGE, Result, results, weighed
from prose_data.calibration.text import REPORT, markdown
from prose_data.config import Config
from prose_data.errors import InputError
from prose_data.llm.meter import Meter
from prose_data.runs import SPENT, Run, land, open_run, write_json
from prose_data.stages import Progress
from schemas.verdicts import Verdicts

GOLD, VERDICTS = "gold.jsonl", "verdicts.parquet"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be calibrated: the judges (keys of `models`), on which gold, how often each is asked.

    `run` is the finished run whose means are to be corrected, and whose samples are gold where `gold` names no file; else
    the simulated writer makes `texts` with and as many without each component.
    """

    config: Config
    judges: tuple[str, ...]
    gold: tuple[Path, ...] = ()
    repeats: int = 2
    texts: int = 10
    run: Run | None = None


async def calibrate(plan: Plan, out: Path, meter: Meter, progress: Progress) -> Result:
    """Ask the judges and write what was found into folder `out`; return the content of judge.json.

    Replies are kept in the request store, so that a calibration that was stopped goes on where it was. Raises InputError
    for wrong gold, an unknown judge, or a folder that holds something else.
    """
    config = plan.config
    for name in plan.judges:
        as_judge(config, name)
    if Run(out, config).begun:
        raise InputError(f"{out}: holds a run; choose another --out")
    rows = None if plan.run is None else rated(plan.run)
    gold = await _gold(plan)
    items = weighed(gold, rows, config.seeds[0])
    with open_run(out, config) as kept:
        meter.begin_with(*kept.read_spent())
        try:
            heard = await _ask(plan, gold, kept.store, meter, progress)
        finally:
            kept.write_counts(SPENT, meter.spent())
        result = results(config, items, heard, plan.repeats, rows)
        (out / JUDGE).unlink(missing_ok=True)  # it lands last and describes the others
        write_gold(out / GOLD, gold)
        _write_verdicts(out / VERDICTS, config, heard)
        text = markdown(result)
        land(out / REPORT, lambda file: file.write(text.encode()))
        write_json(out / JUDGE, result)
    return result


async def _gold(plan: Plan) -> list[Gold]:
    if plan.gold:
        return read_gold(plan.gold)
    return (
        await written_gold(plan.config, plan.texts)
        if plan.run is None
        else sampled_gold(plan.run, plan.texts)
    )


async def _ask(plan: Plan, gold: Sequence[Gold], store: str, meter: Meter, progress: Progress) -> list[Heard]:
    """Return what each judge says, one judge after the other."""
    pairs = tuple(dict.fromkeys(item.pair for item in gold))
    questions = Questions(pairs, plan.repeats, tuple(make_probes(plan.config)))
    total = len(plan.judges) * questions.count
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress("score", done, total)

    progress("score", 0, total)
    return [await ask_judge(plan.config, name, questions, store, meter, tick) for name in plan.judges]


def _write_verdicts(path: Path, config: Config, all_heard: Sequence[Heard]) -> None:
    rows = [
        (v.judge, v.pair[1], v.pair[0], v.repeat, config.models[v.judge].model, v.verdict, v.degree, v.reason)
        for heard in all_heard
        for v in heard.verdicts
    ]
    frame = pl.DataFrame(rows, schema=Verdicts.create_empty().schema, orient="row")
    frame = Verdicts.validate(frame).sort(Verdicts.primary_key())
    land(path, lambda file: frame.write_parquet(file, compression="zstd"))
