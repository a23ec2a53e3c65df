"""Measures that need no judge: edit distance between draft and the user's own text, and description length."""

from functools import cache, lru_cache
from typing import Any

from rapidfuzz.distance import Levenshtein

from prose_data.features import split_sentences
from prose_data.llm.types import LLM
from prose_data.metrics.types import Case, Finding


@cache
def _tokenizer() -> Any:
    # nltk takes a third of a second to import, which a command that measures nothing should not wait for.
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer()


@lru_cache(maxsize=500)
def word_tokens(text: str) -> tuple[str, ...]:
    """Return NLTK's word and punctuation tokens of `text`, sentence by sentence (its downloadable sentence model is
    replaced by our own splitter, so that nothing is fetched)."""
    sentences = (sentence for line in text.splitlines() for sentence in split_sentences(line))
    return tuple(token for sentence in sentences for token in _tokenizer().tokenize(sentence))


async def edit_distance(case: Case, llm: LLM) -> list[Finding]:
    """Return PRELUDE's edit cost (arXiv 2404.15269): the Levenshtein distance in word tokens, and the same divided by
    the longer text's tokens (0 to 1)."""
    draft, own = word_tokens(case.inference.draft), word_tokens(case.text)
    distance = Levenshtein.distance(draft, own)
    return [
        Finding("edit_distance", "", float(distance), ""),
        Finding("edit_distance_normalised", "", distance / max(1, len(draft), len(own)), ""),
    ]


async def description_length(case: Case, llm: LLM) -> list[Finding]:
    """Return the description's length in characters; nothing for a method that infers nothing by design."""
    if case.inference.description is None:
        return []
    return [Finding("description_length", "", float(len(case.inference.description)), "")]
