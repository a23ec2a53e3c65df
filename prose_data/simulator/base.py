"""The simulated writer's plain text: what it writes about a document when nobody asks for a style."""

from functools import lru_cache
from random import Random

from prose_data.features import Features, features, split_sentences
from prose_data.simulator.page import Page

STOP = frozenset(
    "a about after again all also am an and any are as at be because been before being both but by can could did do "
    "does doing down during each few first for from further had has have having he her here hers him his how i if in "
    "into is it its itself just like made make many may me more most much must my new no nor not now of off on once "
    "one only or other our out over own people same say says she should so some such than that the their them then "
    "there these they this those three through to too two under until up us use used very was we well were what when "
    "where which while who why will with would year years you your".split()
)


def topic_words(text: str, n: int = 8) -> tuple[str, ...]:
    """Return up to `n` content words of `text`, most frequent first, ties by first appearance."""
    counts = features(text).counts
    words = [word for word in counts if len(word) > 3 and word not in STOP and word.isalpha()]
    return tuple(sorted(words, key=lambda word: -counts[word])[:n])


@lru_cache(maxsize=500)
def _outline(document: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[float, ...]]:
    """Return the document's topic words, its sentences, and how much each of these says about the topic."""
    sentences = tuple(s for line in document.splitlines() for s in split_sentences(line.strip()) if s)
    topic = topic_words(document)
    weight = {word: len(topic) - i for i, word in enumerate(topic)}
    words = [Features(sentence).words for sentence in sentences]
    weights = tuple(sum(weight.get(word, 0) for word in set(own)) / (8 + len(own)) for own in words)
    return topic, sentences, weights


def plain_page(task: str, document: str, rng: Random) -> Page:
    """Return the plain page: the document's first sentence and its most telling others, in document order.

    An email greets and closes, a summary does neither. `rng` decides between sentences that tell about equally much.
    """
    topic, sentences, weights = _outline(document)

    def telling(index: int) -> float:
        return weights[index] * rng.uniform(0.7, 1.3) - (0.5 if sentences[index].endswith("?") else 0.0)

    wanted = min(len(sentences), 6 if task == "summarization" else 5)
    ranked = sorted(range(1, len(sentences)), key=telling, reverse=True)
    chosen = (
        [sentences[i] for i in sorted([0, *ranked[: wanted - 1]])]
        if sentences
        else ["There is nothing to tell."]
    )
    half = (len(chosen) + 1) // 2
    paragraphs = [chosen] if task == "summarization" or len(chosen) < 4 else [chosen[:half], chosen[half:]]
    if task == "email":
        return Page(task, topic, paragraphs, greeting="Hello,", closing="Regards,\nAlex")
    return Page(task, topic, paragraphs)
