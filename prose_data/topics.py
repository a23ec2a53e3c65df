"""Topic words: the words, by their stems, that set some documents apart from others and say nothing about writing.

A word is one by its log-likelihood ratio (Dunning, "Accurate Methods for the Statistics of Surprise and Coincidence",
Computational Linguistics 19, 1993), as corpora are compared (Rayson and Garside, "Comparing Corpora using Frequency
Profiling", 2000), in a document or in all of them together. Words of the spaces' components and of talk about writing
are none, whatever a document is about.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from math import log
from typing import Any

from prose_data.features import features

# The ratio above which a word is more frequent than by chance: p < 0.0001, as there are many words (Rayson, Berridge and
# Francis, "Extending the Cochran Rule for the Comparison of Word Frequencies between Corpora", 2004).
KEYNESS = 15.13
_SHORTEST = 4  # letters of a word that can be about something

# What is said of texts and their style; the stems of these are no topic.
_WRITING = (
    "abbreviation abrupt active adjective adverb anecdote answer argument article aside assertion attention "
    "attitude audience author awkward background balance blunt body bold bracket breathless breezy brevity brief "
    "brisk capital careful casual cheerful choice clause clear close closing colloquial colon comma comment "
    "compare comparison complex concise conclude conclusion concrete confident connect construction content "
    "context contraction contrast conversational convey couplet critical cue curiosity curious dash dense "
    "describe description detail dialogue diction direct directness document draft dramatic effect email emoji "
    "emoticon emotion empathy emphasis emphasize end ending engage enthusiasm everyday evidence example excerpt "
    "exclamation explain expression expressive fact figurative flow focus form formal format formatting fragment "
    "frame framing friendly genre grammar gratitude greet greeting group hashtag heading headline highlight "
    "honest humor humorous hyphen hypothetical idea idiom illustrate imagery imagine imperative impersonal "
    "important include informal information insight instruction intensifier introduce introduction ironic irony "
    "italic jargon joke key language layout length lengthy letter lexical liken line link list literary logic "
    "loose lowercase main maintain marker meaning message metaphor mood narrate narration narrative narrator "
    "neighboring neutral nickname note noun number objective observation opening opinion order organise organize "
    "ornate outline pace paragraph parallel paraphrase parenthetical passive past pattern perhaps perspective "
    "phrase plain plot plural poetic point polite preamble precise preference present preserve pronoun prose "
    "punchy punctuation purpose qualification question quick quotation quote ramble reader recipient reference "
    "reflect register relate relaxed remark repeat repetition rhetoric rhetorical rhyme rhythm salutation sarcasm "
    "sarcastic section semicolon sensory sentence sentiment sequence shakespearean short signature skeptical "
    "slang speak speculation speech statement steady story stress structure style subject suggest summarise "
    "summarize summary symbol syntax takeaway technical tense tentative term text thee theme thou thought "
    "throughout title tone topic trait transition tweet typographic understated unfinished upbeat upper uppercase "
    "verb verbose view vivid vocabulary voice warm wit word wording write writer writing"
)


@cache
def _stemmer() -> Any:
    from nltk.stem.snowball import EnglishStemmer  # takes a while to import

    return EnglishStemmer()


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    return str(_stemmer().stem(word.replace("’", "'")))


def stems(text: str) -> Counter[str]:
    """Return how often each stem of a word of four letters or more occurs in `text` (Porter's algorithm, for English)."""
    counts: Counter[str] = Counter()
    for word, number in features(text).counts.items():
        if len(word) >= _SHORTEST and not any(char.isdigit() for char in word):
            counts[_stem(word)] += number
    return counts


def vocabulary(components: Iterable[str]) -> frozenset[str]:
    """Return the stems that are no topic: those of the components and of words about writing."""
    return frozenset(stems(" ".join([_WRITING, *components])))


def topic_words(
    own: Iterable[str], others: Mapping[str, int], known: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Return the stems, without `known`, that are so frequent in one of the texts `own`, or in all of them together, that
    it is no chance, compared with the rest of them and with the stems that `others` counts."""
    counts = [stems(text) for text in own]
    pool = sum(counts, Counter[str]())
    rest, size, beyond = Counter(others), sum(pool.values()), sum(others.values())
    found = _key(pool, size, rest, beyond)
    for count in counts:
        mine = sum(count.values())
        found |= _key(count, mine, rest + (pool - count), beyond + size - mine)
    return frozenset(found - known)


def _key(own: Mapping[str, int], size: int, others: Mapping[str, int], rest: int) -> set[str]:
    """Return the stems of `own` (`size` words) that are key in comparison with `others` (`rest` words)."""
    return {stem for stem, count in own.items() if _keyness(count, size, others.get(stem, 0), rest) > KEYNESS}


def _keyness(count: int, size: int, elsewhere: int, rest: int) -> float:
    """Return Dunning's ratio of a word with `count` of `size` here and `elsewhere` of `rest`; 0 if it is rarer here."""
    share = (count + elsewhere) / (size + rest)
    if count <= share * size:
        return 0.0
    here = count * log(count / (share * size))
    return 2 * (here + (elsewhere * log(elsewhere / (share * rest)) if elsewhere else 0.0))
