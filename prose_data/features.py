"""What can be counted in a text without a model: words, sentences, lines; each text is read once."""

import re
from collections import Counter
from functools import cached_property, lru_cache
from itertools import pairwise

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+")
_ABBREVIATION = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|No|vs|etc|e\.g|i\.e|approx|[A-Z])\.$")
_GREETING = re.compile(
    r"^(?:hello|hi|hey|dear|greetings|good (?:morning|afternoon|evening))\b", re.IGNORECASE
)

_CLOSING = re.compile(
    r"(?:with |many |my |kind(?:est)? |best |warm(?:est)? |your?s? |all |lots of |much |deepest |heartfelt "
    r"|most |ever )*"
    r"(?:regards|wishes|best|sincerely|faithfully|truly|yours|cheers|thanks|thank you|love|gratitude"
    r"|cordially"
    r"|respectfully|gratefully|take care|warmly|appreciation|farewell|goodbye|bye|hugs|humble servant"
    r"|signing off"
    r"|talk soon|see you|until next time)\b"
)
_POSTSCRIPT = re.compile(r"(?:p\.\s?)+s\.?[:,]?\s|p{1,2}s[:,.]?\s")
_MARKER = re.compile(
    r"(?:[-*•‣▪●○■►➤–]\s+|#{1,6}\s+|\(?\d{1,2}[.)]\s+|\*\*(?=[^*]+\*\*$)|(?:q|a|question|answer"
    r"|step \w+) ?\d*[:.)–-]+\s+)+",
    re.IGNORECASE,
)
_QUOTATION = 3  # words from which on the same words are no chance
_QUOTED = re.compile(r"[\"“][^\"“”\n]{1,300}[\"”]")
_NOT_A_PERSON = re.compile(
    r"\bi\.e\.|\b(?:War|Part|Type|Phase|Act|Volume|Class|Chapter|(?:King|Queen|Pope|Tsar) \w+) I\b|\bUS\b"
    r"|\b[Tt]hank you\b"
)


class Features:
    """One text and its countable parts, each computed when first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def lower(self) -> str:
        """The text in lower case."""
        return self.text.lower()

    @cached_property
    def words(self) -> list[str]:
        """Lower-cased words, apostrophes inside kept, in order."""
        return [word.lower() for word in _WORD.findall(self.text)]

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each lower-cased word occurs."""
        return Counter(self.words)

    @cached_property
    def grams(self) -> Counter[str]:
        """How often each run of one to three lower-cased words occurs, joined by blanks."""
        words = [word.replace("’", "'") for word in self.words]
        grams = Counter(words)
        grams.update([f"{a} {b}" for a, b in pairwise(words)])
        grams.update([f"{a} {b} {c}" for a, b, c in zip(words, words[1:], words[2:], strict=False)])
        return grams

    @cached_property
    def lines(self) -> list[str]:
        """Stripped, non-empty lines."""
        return [line.strip() for line in self.text.splitlines() if line.strip()]

    @cached_property
    def sentences(self) -> list[str]:
        """Sentences, split at line ends and after ., !, ? (not after common abbreviations and initials)."""
        return [sentence for line in self.lines for sentence in split_sentences(line)]

    @cached_property
    def greeting(self) -> str:
        """The first line if it greets and is short, else an empty string."""
        first = self.lines[0] if self.lines else ""
        return first if _GREETING.match(first) and len(first.split()) <= 8 else ""

    @cached_property
    def frame(self) -> tuple[list[str], list[str], list[str]]:
        """The lines of the body, of the closing (formula, name) and of the postscript."""
        lines = self.lines[1:] if self.greeting else self.lines
        cut = next((i for i, line in enumerate(lines) if _POSTSCRIPT.match(line.lower())), len(lines))
        lines, postscript = lines[:cut], lines[cut:]
        for i in range(max(1, len(lines) - 3), len(lines)):
            if _is_formula(lines[i]) and all(len(line.split()) <= 8 for line in lines[i:]):
                return lines[:i], lines[i:], postscript
        if (
            self.greeting
            and len(lines) > 1
            and re.fullmatch(r"[-–—]? ?\w[\w.]*(?: \w[\w.]*){0,2}", lines[-1])
        ):
            return lines[:-1], lines[-1:], postscript
        return lines, [], postscript

    @cached_property
    def body(self) -> list[str]:
        """The lines between greeting and closing; a postscript is not among them."""
        return self.frame[0]

    @cached_property
    def closing(self) -> list[str]:
        """The lines of the closing: a formula and a name, or a name alone after a greeted text."""
        return self.frame[1]

    @cached_property
    def body_sentences(self) -> list[str]:
        """The body's sentences that hold a word, without bullet marks and labels ("Q:", "Step 1:")."""
        lines = (_MARKER.sub("", line, count=1) if _MARKER.match(line) else line for line in self.body)
        return [s for line in lines for s in split_sentences(line) if _WORD.search(s)]

    @cached_property
    def statements(self) -> list[str]:
        """The body's sentences that end in a full stop, exclamation mark or dots, or are long without."""
        ends = [(s, _last_mark(s)) for s in self.body_sentences]
        return [s for s, end in ends if end in ".!…" and (end or len(s.split()) > 8)]

    @cached_property
    def questions(self) -> list[str]:
        """The body's sentences that end in a question mark."""
        return [s for s in self.body_sentences if _last_mark(s) == "?"]

    @cached_property
    def statement_words(self) -> list[list[str]]:
        """The lower-cased words of each statement, those inside quotation marks left out."""
        texts = (_NOT_A_PERSON.sub(" ", _QUOTED.sub(" ", s)).replace("’", "'") for s in self.statements)
        return [_WORD.findall(text.lower()) for text in texts]

    def count(self, pattern: str | re.Pattern[str]) -> int:
        """Return how often `pattern` matches in the text."""
        return len(re.findall(pattern, self.text))


@lru_cache(maxsize=1_000)
def features(text: str) -> Features:
    """Return the (cached) features of `text`."""
    return Features(text)


def quotes(text: str, phrase: str) -> bool | None:
    """Return whether `text` says `phrase` word for word; None for one of fewer than three words, which is no quotation."""
    words = features(phrase).words
    if len(words) < _QUOTATION:
        return None
    return f" {' '.join(words)} " in f" {' '.join(features(text).words)} "


def split_sentences(text: str) -> list[str]:
    """Return the sentences of one paragraph, each stripped; dots before a small letter end none."""
    sentences: list[str] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if _ABBREVIATION.search(text[start : match.start()]):
            continue
        if text[match.end() : match.end() + 1].islower() and text[: match.start()].endswith(("...", "…")):
            continue
        sentences.append(text[start : match.end()].strip())
        start = match.end()
    if text[start:].strip():
        sentences.append(text[start:].strip())
    return sentences


def _is_formula(line: str) -> bool:
    match = _CLOSING.match(line.lower())
    return bool(match) and (len(line.split()) <= 3 or not line.endswith((".", "?")))


def _last_mark(sentence: str) -> str:
    for char in reversed(sentence):
        if char in ".!?…":
            return char
        if char.isalnum():
            break
    return ""
