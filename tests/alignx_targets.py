"""Records of the simulated model, as rows and as targets, for the tests of what is made of them."""

from functools import cache
from typing import Any

from prose_data.alignx.plans import plans_of
from prose_data.alignx.record import from_row
from prose_data.alignx.tables import record_table
from prose_data.alignx.targets import Target, target_of
from prose_data.alignx.writing import asked, in_sides
from prose_data.config import AlignX, Model
from prose_data.llm.door import record_writer


@cache
def rows(count: int, comments: int = 4, pairs: int = 4, seed: int = 0) -> tuple[dict[str, Any], ...]:
    """Return the rows of the first `count` users, in the published form."""
    settings = AlignX(records=count, comments=comments, pairs=pairs)
    write = record_writer(Model(), seed)
    assert write is not None
    plans = [plan for plan in plans_of(settings, seed, range(count)) if not plan.neutral]
    texts = []
    for plan in plans:
        posts, own, others, persona = write(plan.briefs, plan.comments, asked(plan), plan.held)
        texts.append(in_sides(plan, posts, own, others, persona))
    return tuple(record_table(plans, texts).to_pylist())


@cache
def targets(count: int, comments: int = 4, pairs: int = 4) -> tuple[Target, ...]:
    """Return the same as targets, each of a user of its own."""
    made = rows(count, comments, pairs)
    return tuple(target_of(from_row(row, "row"), f"t{number:04d}") for number, row in enumerate(made))
