"""How strongly a text shows a mechanical writing device, 0 to 1, counted without a model.

1 means as clearly as somebody who was asked for it would show it; ordinary text gives about 0. Each measure
is a function of `Features` and decides on anybody's text: what only looks like the device (AT&T, NASA, "e.g.",
1914-1918, a quotation in the first person) does not count.
"""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise

from prose_data.features import Features, split_sentences

Measure = Callable[[Features], float]

_BULLET = re.compile(r"[-*•‣▪●○■►➤–]\s+\S")
_STEP = re.compile(r"(?:[-*•]\s+|#+\s+|\*\*|[A-Z][A-Z ]{1,20}:\s+)*step (?:\d+|[a-z]+)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"\(?\d{1,2}[.)]\s+\S")
_SEQUENCE = re.compile(
    r"\W*(first(?:ly)?|to begin(?: with)?|next|then|after that|from there|now|second(?:ly)?|third(?:ly)?"
    r"|finally|lastly|last|in the end)[,:]\s"
)
_Q_LABEL = re.compile(r"(?:[-*•#]+\s+|\*\*|[A-Za-z]+: )*q(?:uestion)?\s*\d*\s*[:.)]\s*\S", re.IGNORECASE)
_HEADING = re.compile(r"(?:#{1,6}\s+\S.*|\*\*[^*]+\*\*:?|[^\W_][^.!?;,:|<>]*:?)")
_LINE_LABEL = re.compile(r"[A-Z][\w .]{0,24}:\s")
EMOJI = re.compile("[\U0001f300-\U0001faff\U0001f1e6-\U0001f1ff☀-☄☎-⛿✂✅✈-✌✏✨❄❌❎❓-❗❤⭐⚡⌚⏰⏳]")
_AMPERSAND = re.compile(r"(?<=\s)&(?=\s)")
_NAME_AMPERSAND = re.compile(r"\b[A-Z][\w.]* & [A-Z]")
_CAPITALS = re.compile(r"(?<![\w./@#&-])[A-Z]{2,}(?:['’][A-Z]+)?(?![\w/&-]|\.\w)")
_SHORT_CAPITALS = frozenset(
    "ALL ANY BUT EVEN EVER HOW NEVER NEW NO NOT NOW ONE ONLY SO TOO TWO VERY WHY YES".split()
)
ACRONYMS = frozenset(
    "AIDS ASAP ASCII AUROC BAFTA BERT BIOS CAPTCHA CERN COBOL COPD COVID CRISPR EBITDA ESPN FAQS FAQ "
    "FIFA GDPR HIPAA ICANN ICLR ICML IEEE IELTS IKEA INTERPOL ISBN JPEG LIDAR LORA MATLAB MOOC NAACL "
    "NAFTA NASA NASDAQ NATO NEURIPS NOAA OECD OPEC OSHA PAYE RADAR RIBA SARS SOTA SWOT TOEFL UEFA "
    "UNESCO UNICEF USAID USSR UTC WIFI YAML YMCA".split()
)
_SEMICOLON = re.compile(r"(?<=[^\W_]);(?=\s)|(?<=[)\"”’%]);(?=\s)")
_PARENTHESIS = re.compile(r"(?<!\w)\(([^()\n]{3,250})\)")
_NO_SEMICOLON = re.compile(r"\([^()\n]*\)|&#?\w+;")
NO_ASIDE = re.compile(
    r"(?:see|cf|fig(?:ure)?|tab(?:le)?|eq(?:uation)?|section|chapter|p|pp|n|e\.g|i\.e)\b"
    r"|.*\b(?:1[6-9]|20)\d\d[a-z]?\W*$"
)
_DASH = re.compile(r"(?<=[^\s—–-])(?:—| (?:–|--?|—) |--)(?=[^\W\d_]|[\"'“(*])", re.MULTILINE)
_ELLIPSIS = re.compile(r"(?<![\[.])(?:\.{3,}|…|\. \. \.)(?!\])")
_STARRED = re.compile(r"(?<![\w*])(\*{1,2})[^\s*](?:[^*\n]{0,60}?[^\s*])?\1(?![\w*])")
_EXCLAMATION = re.compile(r"(?<=[\w)\"'”’…*])!+(?!=)")
RHETORICAL = re.compile(
    r"(?:and |but |so |or |then |after all, |honestly, |really, |now, )?(?:who (?:knew|could|would|wouldn't"
    r"|doesn't|can|says|needs)"
    r"|(?:is|are|was|were|do|does|did|has|have|would|could|can|should|must)n't|how could|what could"
    r"|why should|why would"
    r"|what (?:more|else|good|if)|is it any|is there any|was it really|is it really|is that not"
    r"|does it (?:really )?matter"
    r"|does anyone|what does it matter|have (?:you|we) ever|can (?:you|we|anyone) (?:really |even )?imagine"
    r"|since when|so what|what's not|need (?:one|i|we) say)\b"
)
CURIOUS_QUESTION = re.compile(
    r"\b(?:(?:could|can|would|will|do|did|have|are) you (?!ever)|tell me|i wonder|wonder|curious"
    r"|your (?:view|thoughts|experience)"
    r"|do we (?:yet )?know|does anyone know|is (?:it|anything) known|be possible to know|what might"
    r"|what exactly|how exactly|why exactly|when exactly)"
)
CURIOUS = re.compile(
    r"\b(?:wonders?|wondering|(?:am|i'm|be|being|so|very|really|most) (?:\w+ )?curious|(?:love|like|eager"
    r"|keen|good|interesting|glad) to (?:know|learn|hear|find out)"
    r"|makes? (?:me|one) (?:wonder|ask)|would interest)\b"
)
_CONCLUSION = (
    r"in short|in brief|in a nutshell|in sum|in summary|in conclusion|in one (?:line|sentence|word)"
    r"|to sum (?:it )?up|summing up|to cut a long story short|long story short"
    r"|(?:the |my )?(?:bottom line|conclusion|verdict|upshot|takeaway|key takeaway|short version"
    r"|short answer|gist|result)(?: is(?: this)?)?|summary|tl;?dr"
)
CONCLUSION_OPENING = re.compile(
    rf"\W*(?:{_CONCLUSION})\b ?[:,–—-]|\W*(?:the|my) (?:bottom line|conclusion|verdict|upshot|takeaway"
    rf"|short answer|gist) is\b"
)
THANKS = re.compile(
    r"\b(?:thanks|thank you|thankful|grateful|gratitude|appreciate[ds]?|appreciation|much obliged)\b"
)
FORMULA_NAME = re.compile(
    r"(?:[^\W_]+ ){1,2}(?:the|of) (?:[^\W_]+[ -]?){1,4}|the [\w-]+ (?:one|soul|reader|writer|reviewer"
    r"|sender|friend|parent|author|scholar|stranger|dreamer)"
    r"|(?:your|a|an|one) (?:ever |still |very |most )?[\w-]+(?:ed|ful|less|ing|y|ous|en|al|ic|nt|ble"
    r"|est) [\w-]+|[^\W_]+, (?:the |your |keeper |lord |lady |queen |king |friend |champion |seeker "
    r"|bearer |survivor |defender |slayer )[\w' -]+"
)

SECOND = frozenset("you your yours yourself yourselves you're you'll you've you'd".split())
FIRST_PLURAL = frozenset("we us our ours ourselves we're we've we'll we'd".split())
FIRST_SINGULAR = frozenset("i me my mine myself i'm i've i'll i'd".split())
THIRD = frozenset(
    "he she they him her them his hers their theirs himself herself themselves he's she's they're they've "
    "author authors narrator writer storyteller protagonist".split()
)


def ramp(x: float, low: float, high: float) -> float:
    """Return 0 at `low` and below, 1 at `high` and above, straight between."""
    return min(1.0, max(0.0, (x - low) / (high - low)))


def frequent(found: float, words: int) -> float:
    """Return how close `found` marks come to those that a text of `words` words needs to be a habit."""
    return ramp(found, 0.6, max(2.0, 1.5 + words / 100))


def _bullets(text: Features) -> float:
    marked = sum(1 for line in text.body if _BULLET.match(line))
    return ramp(marked, 1, 3) * ramp(marked / max(1, len(text.body)), 0.1, 0.4)


def _steps(text: Features) -> float:
    labelled = sum(1 for line in text.body if _STEP.match(line))
    numbered = sum(1 for line in text.body if _NUMBERED.match(line))
    opened = {m[1] for s in text.body_sentences if (m := _SEQUENCE.match(s.lower()))}
    moving = ramp(len(opened), 1.5, 4) if opened & {"next", "then", "after that", "from there"} else 0.0
    return max(ramp(labelled, 0.5, 2), ramp(numbered, 1, 3), moving)


def _qa(text: Features) -> float:
    lines = [line.strip("*#-• ") for line in text.body]
    labelled = sum(1 for line in text.body if _Q_LABEL.match(line))
    asking = [line.endswith("?") and len(line) < 160 and line.count(". ") == 0 for line in lines]
    answered = sum(1 for here, after in pairwise(asking) if here and not after)
    return max(ramp(labelled, 0, 2), ramp(answered, 1, 2.5))


def _is_heading(line: str, below: str) -> bool:
    return (
        len(line.split()) <= 8
        and _HEADING.fullmatch(line) is not None
        and not _BULLET.match(line)
        and not _STEP.match(line)
        and (line[0] in "#*" or len(below.split()) > len(line.split()) + 2)
    )


def _headings(text: Features) -> float:
    body = text.body
    found = sum(1 for line, below in pairwise(body) if _is_heading(line, below))
    return ramp(found, 0, 2 if len(text.words) > 60 else 1.5)


def _one_sentence_paragraphs(text: Features) -> float:
    start, end = (len(text.greeting), text.text.rfind(text.closing[0]) if text.closing else len(text.text))
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text.text[start:end]) if block.strip(" \n,")]
    alone = sum(
        1 for block in blocks if "\n" not in block and not _BULLET.match(block) and not _STEP.match(block)
    )
    single = alone - max(0, len(text.body_sentences) - len(blocks))
    return ramp(single, 1.5, 3) * ramp(single / max(1, len(blocks)), 0.4, 0.8)


def _brief(text: Features) -> float:
    return 1 - ramp(len(text.words), 45, 90) if text.words else 0.0


def _rhetorical_questions(text: Features) -> float:
    found = 0.0
    for number, line in enumerate(text.body):
        if "?" not in line or _Q_LABEL.match(line):
            continue
        for question in text.questions:
            if question not in line:
                continue
            low = question.lower().replace("’", "'").lstrip('-*•"“(¿ ')
            marked = bool(RHETORICAL.match(low))
            between = len(line) > len(question) + 25
            if marked or (between and not CURIOUS_QUESTION.search(low)):
                found += 0.5 if number == 0 and line.startswith(question) else 1.0
    return frequent(found, len(text.words))


def _inquisitive(text: Features) -> float:
    found = sum(1.0 for s in text.statements if CURIOUS.search(s.lower()))
    labelled = any(_Q_LABEL.match(line) for line in text.body)
    for question in text.questions:
        low = question.lower()
        if CURIOUS_QUESTION.search(low) or CURIOUS.search(low):
            found += 1
        elif not labelled and not RHETORICAL.match(low):
            found += 0.4
    return ramp(found, 0.8, 2 + len(text.words) / 150)


def _emojis(text: Features) -> float:
    return 0.0 if text.text.isascii() else frequent(text.count(EMOJI), len(text.words))


def _ampersands(text: Features) -> float:
    found = text.count(_AMPERSAND)
    names = text.count(_NAME_AMPERSAND) if found else 0
    if found == names:
        return 0.0
    return ramp(found / (found + text.counts["and"]), 0.25, 0.75)


def _allcaps(text: Features) -> float:
    emphasised = set()
    for line in text.lines:
        if line.isupper():
            continue
        label = _LINE_LABEL.match(line)
        for word in _CAPITALS.findall(line, label.end() if label else 0):
            if word in _SHORT_CAPITALS or (len(word) > 3 and word not in ACRONYMS and pronounceable(word)):
                emphasised.add(word)
    return frequent(len(emphasised), len(text.words))


def pronounceable(word: str) -> bool:
    """Return whether a word in capitals can be read as a word: it has vowels, and nowhere five other letters in a row."""
    return any(vowel in word for vowel in "AEIOUY") and not re.search(r"[^AEIOUY']{5}", word)


def _lowercase(text: Features) -> float:
    small = sum(map(str.islower, text.text))
    large = sum(map(str.isupper, text.text))
    starts = [next((char for char in s if char.isalpha()), "A") for s in text.body_sentences]
    lower = sum(map(str.islower, starts)) / max(1, len(starts))
    return ramp(lower, 0.3, 0.9) * (1 - ramp(large / max(1, small), 0.002, 0.012))


def _semicolons(text: Features) -> float:
    if ";" not in text.text:
        return 0.0
    return frequent(len(_SEMICOLON.findall(_NO_SEMICOLON.sub("", text.text))), len(text.words))


def _parentheses(text: Features) -> float:
    inside = [aside.strip() for aside in _PARENTHESIS.findall(text.text)] if "(" in text.text else []
    asides = [
        a for a in inside if not NO_ASIDE.match(a.lower()) and re.search(r"(?<!\w)[a-z]{4,}|[a-z]+ [a-z]", a)
    ]
    return frequent(len(asides), len(text.words))


def _dashes(text: Features) -> float:
    lines = (line for line in text.lines if not line.isupper())
    return frequent(sum(len(_DASH.findall(line)) for line in lines), len(text.words))


def _ellipses(text: Features) -> float:
    return frequent(text.count(_ELLIPSIS), len(text.words))


def _exclamations(text: Features) -> float:
    return frequent(text.count(_EXCLAMATION) if "!" in text.text else 0, len(text.words))


def _asterisks(text: Features) -> float:
    if "*" not in text.text:
        return 0.0
    marked = {
        m[0].lower() for line in text.lines for m in _STARRED.finditer(line) if m[0] != line.rstrip(":")
    }
    return frequent(len(marked), len(text.words))


def _statement_lengths(text: Features) -> list[int]:
    return [len(statement.split()) for statement in text.statements]


def _short_sentences(text: Features) -> float:
    lengths = _statement_lengths(text)
    if not lengths:
        return 0.0
    short = sum(1 for n in lengths if n <= 7)
    punchy = ramp(short, 1.5, 4) * ramp(short / len(lengths), 0.35, 0.55)
    return max(punchy, 1 - ramp(sum(lengths) / len(lengths), 9.5, 13))


def _long_sentences(text: Features) -> float:
    lengths = _statement_lengths(text)
    return ramp(sum(n for n in lengths if n >= 30) / max(1, sum(lengths)), 0.35, 0.75)


def _share(text: Features, persons: frozenset[str]) -> float:
    """Return the share of the statements' words, quotations left out, that lie near one of `persons`.

    One such word speaks for its sentence, but for no more than 20 words, so that it does not matter whether
    clauses are joined or not.
    """
    near = total = 0
    for words in text.statement_words:
        total += len(words)
        near += min(len(words), 20 * sum(1 for word in words if word in persons))
    return near / max(1, total)


def _second_person(text: Features) -> float:
    needed = 2.0 if len(text.words) > 60 else 1.2
    return ramp(_share(text, SECOND), 0.2, 0.5) * ramp(sum(text.counts[word] for word in SECOND), 0, needed)


def _third_person(text: Features) -> float:
    return ramp(_share(text, THIRD), 0.25, 0.55) * (
        1 - ramp(_share(text, FIRST_SINGULAR | FIRST_PLURAL | SECOND), 0.1, 0.4)
    )


def _first_plural(text: Features) -> float:
    return ramp(_share(text, FIRST_PLURAL), 0.25, 0.55) * (1 - ramp(_share(text, FIRST_SINGULAR), 0.2, 0.6))


def _first_singular(text: Features) -> float:
    return ramp(_share(text, FIRST_SINGULAR), 0.2, 0.5)


def _question_opening(text: Features) -> float:
    first = text.body_sentences[0].lower() if text.body_sentences else ""
    asks = bool(text.questions) and text.questions[0].lower() == first and not _Q_LABEL.match(text.body[0])
    return float(asks and not re.match(r"how (?:are|have) you|are you well", first))


def _conclusion_opening(text: Features) -> float:
    if not text.body or not CONCLUSION_OPENING.match(text.body[0].lower().replace("**", "")):
        return 0.0
    sentences = [s for s in split_sentences(text.body[0]) if any(map(str.isalnum, s))]
    alone = len(text.body) > 1 and len(sentences) == 1
    return 1.0 if alone and len(text.body[0].split()) <= 45 else 0.5


def _thankful_closing(text: Features) -> float:
    return float(any(THANKS.search(part.lower()) for part in (*text.body_sentences[-2:], *text.closing)))


def _postscript(text: Features) -> float:
    return float(bool(text.frame[2]))


def _epithet(text: Features) -> float:
    for line in text.closing:
        name = re.sub(r"^[\w' ]+, (?=\w)", "", line.lower()).strip(".,!—–- ")
        if FORMULA_NAME.fullmatch(name) or FORMULA_NAME.fullmatch(line.lower().strip(".,!—–- ")):
            return 1.0
    return 0.0


MEASURES: Mapping[str, Measure] = {
    "allcaps": _allcaps,
    "ampersands": _ampersands,
    "asterisks": _asterisks,
    "brief": _brief,
    "bullets": _bullets,
    "conclusion_opening": _conclusion_opening,
    "dashes": _dashes,
    "ellipses": _ellipses,
    "emojis": _emojis,
    "epithet": _epithet,
    "exclamations": _exclamations,
    "first_plural": _first_plural,
    "first_singular": _first_singular,
    "headings": _headings,
    "inquisitive": _inquisitive,
    "long_sentences": _long_sentences,
    "lowercase": _lowercase,
    "one_sentence_paragraphs": _one_sentence_paragraphs,
    "parentheses": _parentheses,
    "postscript": _postscript,
    "qa": _qa,
    "question_opening": _question_opening,
    "rhetorical_questions": _rhetorical_questions,
    "second_person": _second_person,
    "semicolons": _semicolons,
    "short_sentences": _short_sentences,
    "steps": _steps,
    "thankful_closing": _thankful_closing,
    "third_person": _third_person,
}
