"""Samples: what users write about their documents, each checked before it counts, rewritten or given up with a reason."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import Any

from prose_data.config import Config
from prose_data.errors import RequestFailed
from prose_data.features import features, quotes
from prose_data.judging import shows
from prose_data.llm.types import LLM
from prose_data.measures import MEASURES
from prose_data.spaces import Space
from prose_data.streams import digest
from prose_data.values import Document, Failure, Sample, Truth, User
from prose_data.writing import rewrite, write

REASONS = (
    "empty",
    "language",
    "length",
    "quotes_component",
    "near_duplicate",
    "missing_component",
)  # in the order of the checks, the cheap ones first

SHOWN = 0.3  # a measure from here on says that a text shows a component
MIN_WORDS = 8  # fewer can hardly carry four components
MAX_WORDS = 400  # or twice the document's words, where that is more: the task is a short text
# Texts about two documents share next to no five-word sequences, so half of them in common is one text reworked. A summary
# may take over whole sentences of its document, so there only a copy of nearly all of it counts.
LIKE_SAMPLE = 0.5
LIKE_DOCUMENT = 0.8
_SHINGLE = 5

_ENGLISH = frozenset(
    "the and that it with this are but they you she his which would could there their your our what who how from did "
    "does about into than were not when because".split()
)  # frequent words that hardly any other language has
_ENGLISH_DOCUMENT = 0.06  # share of these words from which a document is English (usual: 0.1 to 0.25)
_ENGLISH_TEXT = (
    0.15  # share of these and of longer words of the document below which a text about it is not English
)
_SCRIPT = 0.7  # share of letters that must be in the document's main script


async def write_samples(
    user: User,
    documents: Sequence[Document],
    truths: Sequence[Truth],
    config: Config,
    space: Space,
    view: LLM,
) -> tuple[list[Sample], list[Failure], Counter[str]]:
    """Return the user's accepted samples, a failure for each document without one, and the outcomes to count.

    `truths` (one per document, of one seed) say what the user is told there.

    One sample after another, so that each is compared with the earlier ones; `step` counts documents. Outcomes are
    "1:accepted", "2:length", …: the writing's number and what became of it (see `acceptance`).
    """
    samples: list[Sample] = []
    failures: list[Failure] = []
    outcomes: Counter[str] = Counter()
    for step, (document, truth) in enumerate(zip(documents, truths, strict=True)):
        seed = truth.seed
        sample_id = digest("sample", user.user_id, seed, document.document_id)
        earlier = [sample.text for sample in samples]
        try:
            text, attempt, reason, missing = await _write_one(
                truth.told, document, earlier, config.samples.attempts, space, view, outcomes
            )
        except RequestFailed as error:
            outcomes[f"0:{error.reason}"] += 1
            failures.append(_failure(sample_id, error.reason, f"{_label(user, document, seed)}: {error}"))
            continue
        if reason:
            detail = f" ({', '.join(missing)})" if missing else ""
            message = f"{_label(user, document, seed)}: all {attempt} writings rejected, the last for {reason}{detail}"
            failures.append(_failure(sample_id, reason, message))
            continue
        samples.append(
            Sample(
                sample_id=sample_id,
                user_id=user.user_id,
                document_id=document.document_id,
                seed=seed,
                step=step,
                text=text,
                model=config.model_of("human").model,
                attempt=attempt,
                split="heldout" if step >= len(documents) - config.samples.heldout else "learn",
            )
        )
    return samples, failures, outcomes


def acceptance(outcomes: Mapping[str, int]) -> dict[str, Any]:
    """Return what the manifest says of summed outcomes: writings, accepted ones per attempt, rejections per reason.

    `rate` is accepted / all writings that were checked (None without any); a failed request is no writing.
    """
    accepted: dict[str, int] = {}
    rejected: dict[str, int] = {}
    failed = 0
    for key in sorted(outcomes):
        attempt, _, word = key.partition(":")
        if attempt == "0":
            failed += outcomes[key]
        elif word == "accepted":
            accepted[attempt] = outcomes[key]
        else:
            rejected[word] = rejected.get(word, 0) + outcomes[key]
    good = sum(accepted.values())
    writings = good + sum(rejected.values())
    return {
        "writings": writings,
        "accepted": good,
        "rate": good / writings if writings else None,
        "accepted_at_attempt": accepted,
        "rejected": rejected,
        "requests_failed": failed,
    }


async def _write_one(
    told: Sequence[str],
    document: Document,
    earlier: Sequence[str],
    attempts: int,
    space: Space,
    view: LLM,
    outcomes: Counter[str],
) -> tuple[str, int, str, list[str]]:
    """Return (text, attempts used, reason of the last rejection or "", components missing in it)."""
    text, reason = "", ""
    missing: list[str] = []
    for attempt in range(1, attempts + 1):
        replicate = attempt - 1
        if missing:
            reply = await rewrite(view, document, told, text, missing, replicate=replicate)
        else:
            reply = await write(view, document, told, role="human", replicate=replicate)
        text = (reply or "").strip()
        missing = []
        reason = text_problem(text, document, told, earlier)
        if not reason:
            missing = await missing_components(text, told, space, view)
            reason = "missing_component" if missing else ""
        outcomes[f"{attempt}:{reason or 'accepted'}"] += 1
        if not reason:
            return text, attempt, "", []
    return text, attempts, reason, missing


def text_problem(text: str, document: Document, components: Sequence[str], earlier: Sequence[str]) -> str:
    """Return the first of REASONS, but the last, for which `text` cannot count; "" if there is none."""
    if not text.strip():
        return "empty"
    if not _same_language(text, document.text):
        return "language"
    words = features(text).words
    if not MIN_WORDS <= len(words) <= max(MAX_WORDS, 2 * len(features(document.text).words)):
        return "length"
    if any(quotes(text, component) for component in components):
        return "quotes_component"
    if any(_likeness(text, other) > LIKE_SAMPLE for other in earlier) or (
        _likeness(text, document.text) > LIKE_DOCUMENT
    ):
        return "near_duplicate"
    return ""


async def missing_components(text: str, components: Sequence[str], space: Space, view: LLM) -> list[str]:
    """Return the components that `text` does not show, by the space's measure where there is one, else by the judge.

    A verdict that can't be read (noted on the view) speaks neither for nor against the text.
    """
    missing = []
    for component in components:
        if component in space.checks:
            shown = MEASURES[space.checks[component]](features(text)) >= SHOWN
        else:
            verdict = await shows(view, text, component)
            shown = verdict is None or verdict >= 1
        if not shown:
            missing.append(component)
    return missing


def _same_language(text: str, document: str) -> bool:
    """Return whether `text` is in the document's script and, where that is English, in English too.

    Lists and tweets have few function words, so longer words taken over from the document count as well.
    """
    letters = _scripts(text)
    main = max(_scripts(document).items(), key=lambda item: item[1], default=("", 0))[0]
    if main and letters[main] < _SCRIPT * max(1, letters.total()):
        return False
    if _share(document, _ENGLISH) < _ENGLISH_DOCUMENT:
        return True
    taken = {word for word in features(document).counts if len(word) >= 4}
    return _share(text, _ENGLISH | taken) >= _ENGLISH_TEXT


def _share(text: str, known: Set[str]) -> float:
    words = features(text).words
    return sum(word in known for word in words) / max(1, len(words))


def _scripts(text: str) -> Counter[str]:
    """Return how many letters of each script a text has (LATIN, CYRILLIC, CJK, …)."""
    latin = len(re.findall("[A-Za-z]", text))
    others = Counter(
        unicodedata.name(char, "UNKNOWN").split(" ")[0].split("-")[0]
        for char in text
        if char.isalpha() and not char.isascii()
    )
    return others + Counter({"LATIN": latin})


def _likeness(text: str, other: str) -> float:
    """Return the Jaccard similarity of two texts' sets of five-word sequences, 0 to 1."""
    one, two = _shingles(text), _shingles(other)
    return len(one & two) / max(1, len(one | two))


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = features(text).words
    return {tuple(words[i : i + _SHINGLE]) for i in range(len(words) - _SHINGLE + 1)}


def _label(user: User, document: Document, seed: int) -> str:
    return f"sample of {user.user_id} on {document.document_id}, seed {seed}"


def _failure(sample_id: str, reason: str, message: str) -> Failure:
    return Failure(digest("failure", "synthesize", sample_id), "synthesize", sample_id, reason, message)
