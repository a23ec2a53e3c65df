"""BERTScore (Zhang et al., 2020, arXiv 1904.09675) by the package of the extra `bertscore`, as PLUME uses it.

F1 with microsoft/deberta-xlarge, rescaled with the English baseline (arXiv 2505.23815, section on metrics). The model comes
from Hugging Face (3 GB), or from its cache; without a GPU a comparison takes seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any

from prose_data.errors import InputError

MODEL = "microsoft/deberta-xlarge"
_MOST_PIECES = 512  # what the model was trained on; its tokenizer states no limit
_INSTALL = "pip install 'prose-data[bertscore]', which brings PyTorch"


@dataclass(frozen=True, slots=True)
class Alike:
    """Precision, recall and F1 of a text against a reference; 1 is the same text, 0 as alike as any two, less is possible."""

    precision: float
    recall: float
    f1: float


def check_bertscore() -> None:
    """Raise InputError if the package is not installed. Imports nothing."""
    missing = [name for name in ("bert_score", "transformers", "torch") if find_spec(name) is None]
    if missing:
        raise InputError(f"metric bertscore needs the extra bertscore ({missing[0]} missing): {_INSTALL}")


@lru_cache(maxsize=4096)
def bertscore(text: str, reference: str) -> Alike:
    """Return how alike two texts are; of each at most 512 word pieces are read, and an empty one is the word None.

    Raises InputError if the package is not installed, or the model can't be loaded.
    """
    found = _scorer().score([text.strip() or "None"], [reference.strip() or "None"])
    return Alike(*(round(float(part[0]), 6) for part in found))


def f1(text: str, references: Sequence[str]) -> list[float]:
    """Return the F1 of `text` against each of some references."""
    return [bertscore(text, reference).f1 for reference in references]


@cache
def _scorer() -> Any:
    check_bertscore()
    from bert_score import BERTScorer

    try:
        scorer = BERTScorer(model_type=MODEL, lang="en", rescale_with_baseline=True)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"metric bertscore: the model {MODEL} can't be loaded ({reason})") from None
    tokenizer = scorer._tokenizer
    tokenizer.model_max_length = min(tokenizer.model_max_length, _MOST_PIECES)
    return scorer
