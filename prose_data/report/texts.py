"""How varied the texts that users wrote are, as a whole and by kind of writing, and whether they quote what they were told."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from prose_data.diversity import distinct, near_duplicates, self_bleu
from prose_data.features import features, quotes
from prose_data.report.basis import rounded
from prose_data.streams import stream

if TYPE_CHECKING:
    from prose_data.runs import Run

MOST = 5_000  # texts that are looked at for near-duplicates and quotations
DRAWN = 100  # of them for n-grams, as a whole and of each kind: only equal numbers compare
_N = (1, 2, 3)


def drawn_texts(run: "Run") -> pl.DataFrame:
    """Return task, source, text and told (the components that the user wrote by) of a run's samples: all of them, or so
    many that a named stream draws; in order of ids. Raises InputError for a run without the table."""
    ids = run.scan("samples").select("sample_id").collect()["sample_id"].sort().to_list()
    if len(ids) > MOST:
        ids = sorted(stream(0, "texts").sample(ids, MOST))
    chosen = pl.LazyFrame({"sample_id": ids}, schema={"sample_id": pl.String})
    samples = run.scan("samples").join(chosen, on="sample_id", how="semi")
    users = run.scan("users").select("user_id", "task", "source", told="components")
    written = samples.join(users, on="user_id")
    if run.config.varies:
        truths = run.scan("truths").select("user_id", "seed", "document_id", "told")
        written = written.drop("told").join(truths, on=["user_id", "seed", "document_id"])
    return written.sort("sample_id").select("task", "source", "text", "told").collect()


def diversity(texts: pl.DataFrame) -> dict[str, Any] | None:
    """Return how varied `texts` (columns of `drawn_texts`) are, None for none: their number, the shares of
    `near_duplicates` and of texts that quote a component that they were `told`, and, as a whole and `by_source` from
    `drawn` texts each, `distinct_1` to `distinct_3` and `self_bleu`, all from 0 to 1."""
    if not texts.height:
        return None
    words, quoting = [], 0
    for text, told in texts.select("text", "told").iter_rows():
        words.append(features(text).words)
        quoting += any(quotes(text, component) for component in told)
    kinds: dict[str, list[int]] = {}
    for place, (task, source) in enumerate(texts.select("task", "source").iter_rows()):
        kinds.setdefault(f"{task}/{source}", []).append(place)
    like = near_duplicates(words)
    return {
        "texts": texts.height,
        "quoting": rounded(quoting / texts.height),
        **_varied("", range(texts.height), words, like),
        "by_source": {kind: _varied(kind, kinds[kind], words, like) for kind in sorted(kinds)},
    }


def _varied(
    kind: str, places: Sequence[int], words: Sequence[list[str]], like: Sequence[bool]
) -> Mapping[str, Any]:
    """Return the measures of the texts at some places."""
    chosen = sorted(stream(0, "diversity", kind).sample(list(places), min(DRAWN, len(places))))
    drawn = [words[place] for place in chosen]
    return {
        "near_duplicates": rounded(sum(like[place] for place in places) / len(places)),
        "drawn": len(drawn),
        **{f"distinct_{n}": rounded(distinct(drawn, n)) for n in _N},
        "self_bleu": rounded(self_bleu(drawn)),
    }
