"""How a text is laid out: lists, steps, questions and answers, headings, paragraphs, brevity."""

import re
from collections import Counter
from random import Random

from prose_data.features import Features
from prose_data.measures import MEASURES, ramp
from prose_data.simulator.devices.questions import DEVICES_QUESTIONS
from prose_data.simulator.edits import (
    is_statement,
    led,
    lowered,
    one_each,
    prefix_all,
    put_first,
    put_last,
    raised,
    subject,
    word_count,
)
from prose_data.simulator.page import Device, Page

_SIGNPOST = re.compile(
    r"\W*(first|second|third|fourth|fifth|final|last|to begin with|to conclude)(?:ly)?(?: of all)?[,:]\s"
)
_STRAIGHT = re.compile(
    r"\W*(?:(?:the|my|our) (?:main |key |whole |central |essential )?"
    r"(?:point|points|thing|answer|message|gist|facts|essentials)(?: here| first| that matters?)?(?: is\b"
    r"| are\b|[:,])"
    r"|(?:straight|right|directly) to (?:it|the (?:main |key )?points?)\b"
    r"|to (?:get|come) (?:straight|right|directly) to\b|to the point\b|to be (?:brief|direct)\b"
    r"|here (?:is|are) (?:the|what) |what (?:matters|counts)(?: is|[:,])|no preamble|first things first"
    r"|(?:key|main) (?:points?|facts?)\b|in short[,:]|in brief[,:])"
)
_TOKEN = re.compile(r"[^\W_]+")
_SEAM = re.compile(r",? (?=(?:and|but|which|who|because|while|when|where|with|that|to|for|in|on) [a-z])|, ")
_ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth")
_NUMBER_WORDS = "one two three four five six seven eight nine ten eleven twelve".split()
_QUESTIONS = (
    "What is this about?",
    "What else is known?",
    "What happened with {0}?",
    "What should be said about {0}?",
    "Why does that matter?",
    "And what about {0}?",
    "What came next?",
    "What is the result?",
    "What follows from that?",
    "How does it end?",
)
_DIRECT = (
    ("The point is that", "The point is this"),
    ("The main point is that", "The main point"),
    ("What matters is that", "What matters"),
    ("To get straight to the point,", "Straight to the point"),
    ("First things first,", "First things first"),
)
_FRAMES = (
    ("It matters that", "It matters"),
    ("It is clear that", "It is clear"),
    ("It is a fact that", "It is a fact"),
    ("It is known that", "Worth knowing"),
    ("Note that", "Note this"),
    ("Consider that", "Consider this"),
)


def _bullets(page: Page, rng: Random) -> None:
    if len(page.sentences()) < 3:
        page.paragraphs = [
            [part for s in paragraph for part in _fragments(s)] for paragraph in page.paragraphs
        ]
    one_each(page)
    mark = rng.choice(("- ", "- ", "• ", "* "))
    prefix_all(page, [mark] * len(page.paragraphs))
    page.gap = "\n"


def _fragments(sentence: str) -> list[str]:
    """Return a sentence's parts, as in notes: up to three, none shorter than three words."""
    parts = [""]
    for piece in _SEAM.split(sentence):
        if len(parts[-1].split()) >= 3 and len(parts) < 3 and len(piece.split()) >= 3:
            parts.append(piece)
        else:
            parts[-1] = f"{parts[-1]} {piece}".strip()
    return parts


def _in_parts(page: Page, parts: int) -> None:
    """Deal the sentences out to at most `parts` paragraphs; prefixes stay with theirs."""
    one_each(page)
    size = max(1, -(-len(page.paragraphs) // max(1, parts)))
    starts = range(0, len(page.paragraphs), size)
    page.prefixes = [page.prefixes[start] for start in starts]
    page.paragraphs = [[s for p in page.paragraphs[start : start + size] for s in p] for start in starts]


def _steps(page: Page, rng: Random) -> None:
    if not any(page.prefixes):
        _in_parts(page, 7)
    n = len(page.paragraphs)
    style = rng.randrange(4)
    if style == 0 and n >= 4:
        middle = [("Next: ", "Then: ", "After that: ")[i % 3] for i in range(n - 2)]
        marks = ["First: ", *middle, "Finally: "]
    elif style == 1 and n <= len(_NUMBER_WORDS):
        marks = [f"Step {_NUMBER_WORDS[i]}: " for i in range(n)]
    else:
        marks = [f"Step {i}: " for i in range(1, n + 1)]
    prefix_all(page, marks)
    page.gap = "\n"


def _qa(page: Page, rng: Random) -> None:
    labels = rng.choice((("Q: ", "A: "), ("Q: ", "A: "), ("Question: ", "Answer: ")))
    spoken = any(page.prefixes)
    if not spoken:
        _in_parts(page, rng.choice((3, 4)))
    first, *others = _QUESTIONS
    more = max(0, len(page.paragraphs) - 1)
    asked = [first, *rng.sample(others, len(others)), *rng.choices(others, k=more)][: len(page.paragraphs)]
    paragraphs, prefixes = [], []
    for question, paragraph, prefix in zip(asked, page.paragraphs, page.prefixes, strict=True):
        paragraphs += [[question.format(subject(page, rng))], paragraph]
        prefixes += [prefix + labels[0], prefix + labels[1]]
    page.paragraphs, page.prefixes, page.gap = paragraphs, prefixes, "\n"


def _headings(page: Page, rng: Random) -> None:
    if len(page.paragraphs) < 2 and not any(page.prefixes):
        _in_parts(page, 3 if len(page.sentences()) > 4 else 2)
    n = len(page.paragraphs)
    common = ["Overview", "In detail", "Background", "Key facts", "What follows", "Outlook"]
    own = [raised(subject(page, rng)) for _ in range(n)]
    titles = list(dict.fromkeys([rng.choice((common[0], *own[:1])), *own[1:], *common[1:]]))
    wrap = rng.choice(("## {}\n", "## {}\n", "**{}**\n", "{}\n", "{}:\n"))
    stride = max(1, n // 4)
    chosen = [wrap.format(titles[(i // stride) % len(titles)]) if i % stride == 0 else "" for i in range(n)]
    lead = "\n" if page.gap == "\n" else ""
    marks = [lead + title if title and number else title for number, title in enumerate(chosen)]
    prefix_all(page, marks)


def _structured(page: Page, rng: Random) -> None:
    if len(page.sentences()) < 2:
        page.paragraphs = [[*page.sentences(), f"The rest follows from {subject(page, rng)}."]]
        page.prefixes = page.prefixes[:1]
    spots = [(i, j) for i, p in enumerate(page.paragraphs) for j, s in enumerate(p) if is_statement(s)]
    n = min(len(spots), rng.choice((3, 4)))
    chosen = [spots[k * len(spots) // n] for k in range(n)]
    words = [*_ORDINALS[: n - 1], rng.choice(("Finally", "Lastly"))]
    for (i, j), word in zip(chosen, words, strict=True):
        page.paragraphs[i][j] = led(page.paragraphs[i][j], page, f"{word},", word)


def _signposted(text: Features) -> float:
    found = {m[1] for s in text.body_sentences if (m := _SIGNPOST.match(s.lower()))}
    return ramp(len(found), 1, 2.5) * (1 - MEASURES["steps"](text))


def _parallel(page: Page, rng: Random) -> None:
    lead, aside = rng.choice(_FRAMES)
    for more in ("There is more to {}.", "Much depends on {}.")[: max(0, 3 - len(page.sentences()))]:
        put_last(page, more.format(subject(page, rng)))
    small = {s: lowered(s, page) for s in page.sentences() if is_statement(s)}
    if all(small.values()):
        page.edit(lambda s: f"{lead} {small[s]}" if s in small else s)
    else:
        page.edit(lambda s: f"{aside}: {s}" if s in small else s)


def _alike(text: Features) -> float:
    """Return how far the statements begin with the same two words."""
    starts = Counter(" ".join(_TOKEN.findall(s.lower())[:2]) for s in text.statements)
    most = max(starts.values(), default=0)
    return ramp(most, 1, 2.5) * ramp(most / max(1, len(text.statements)), 0.4, 0.75)


def _single_paragraphs(page: Page, rng: Random) -> None:
    one_each(page)
    if len(page.paragraphs) == 1:
        page.paragraphs.append([f"So much for {subject(page, rng)}."])
        page.prefixes.append("")
    page.gap = "\n\n"


def _brief(page: Page, rng: Random) -> None:
    sentences = page.sentences()
    frame = word_count(page) - sum(len(s.split()) for s in sentences)
    room = 38 - frame
    first, others = sentences[:1], sentences[1:]
    kept = first if first and len(first[0].split()) <= room else [_clause(s, room) for s in first]
    for sentence in sorted(others, key=len):
        if sum(len(s.split()) for s in kept) + len(sentence.split()) <= room:
            kept.append(sentence)
    page.paragraphs = [sorted(kept, key=lambda s: sentences.index(s) if s in sentences else -1)]
    page.prefixes = page.prefixes[:1]


def _clause(sentence: str, room: int) -> str:
    """Return the longest beginning of `sentence` that ends before a clause and has at most `room` words."""
    best = ""
    for match in re.finditer(r"[,;:] |\s(?=(?:and|but|which|because|while|after|when|where) )", sentence):
        if len(sentence[: match.start()].split()) <= room:
            best = sentence[: match.start()]
    return f"{best or ' '.join(sentence.split()[:room])}."


def _direct(page: Page, rng: Random) -> None:
    lead, aside = rng.choice(_DIRECT)
    if page.paragraphs and page.paragraphs[0] and is_statement(page.paragraphs[0][0]):
        page.paragraphs[0][0] = led(page.paragraphs[0][0], page, lead, aside)
    else:
        put_first(page, f"The point is {subject(page, rng)}.")


def _straight(text: Features) -> float:
    """Return whether one of the first two sentences names the point (not a conclusion on its own line)."""
    skip = 1 if MEASURES["conclusion_opening"](text) == 1 else 0
    return float(any(_STRAIGHT.match(sentence.lower()) for sentence in text.body_sentences[skip:2]))


DEVICES_STRUCTURE = (
    Device(
        "bullets",
        "structure",
        ("write using bullet points", "bullet points", "lay the points out as a bulleted list"),
        (r"\bbullet", r"\bbulleted\b", r"\blists? (?:of|the) (?:short )?points\b"),
        52,
        0.8,
        _bullets,
        MEASURES["bullets"],
    ),
    Device(
        "steps",
        "structure",
        ("adopt a step-by-step structure", "walk through it step by step"),
        (r"step[- ]by[- ]step", r"\b(?:numbered|in) steps\b", r"\bsequence of steps\b"),
        52,
        0.8,
        _steps,
        MEASURES["steps"],
    ),
    Device(
        "qa",
        "structure",
        (
            "adopt a question-answering style structure",
            "question answering style",
            "write in question and answer form",
        ),
        (
            r"question[- ](?:and[- ])?answer",
            r"\bq ?(?:&|and) ?a\b",
            r"\bquestions? (?:followed by|with) (?:their )?answers?",
        ),
        52,
        0.85,
        _qa,
        MEASURES["qa"],
    ),
    Device(
        "headings",
        "structure",
        ("put a short heading above each part",),
        (r"\b(?:sub)?headings?\b", r"\bsection titles?\b", r"\btitled sections?\b"),
        53,
        0.7,
        _headings,
        MEASURES["headings"],
    ),
    Device(
        "structured",
        "structure",
        ("structured",),
        (r"\b(?:clearly|well|highly)[- ]structured\b", r"\bfirst,? second\b", r"\bsignpost"),
        45,
        0.5,
        _structured,
        _signposted,
    ),
    Device(
        "parallel",
        "structure",
        ("parallel structure",),
        (
            r"\bparallel(?:ism)?\b",
            r"\banaphora\b",
            r"\b(?:begin|start)s? (?:every|each|all) (?:sentence|line)s? (?:with|in) the same\b",
        ),
        46,
        0.5,
        _parallel,
        _alike,
    ),
    Device(
        "one_sentence_paragraphs",
        "structure",
        ("give every sentence its own paragraph",),
        (
            r"\b(?:one|single)[- ]sentence paragraphs?\b",
            r"\b(?:each|every) sentence (?:in|on) (?:its|a) (?:own|new|separate)\b",
            r"\bsentence its own (?:paragraph|line)\b",
            r"\bnew (?:paragraph|line) (?:after|for|with) (?:each|every) sentence\b",
        ),
        52,
        0.6,
        _single_paragraphs,
        MEASURES["one_sentence_paragraphs"],
    ),
    Device(
        "brief",
        "structure",
        ("brief",),
        (
            r"\b(?:be|keep it|very|stay) (?:brief|concise)\b",
            r"\bconcise\b",
            r"\bbrevity\b",
            r"\bas few words\b",
        ),
        10,
        0.6,
        _brief,
        MEASURES["brief"],
    ),
    Device(
        "direct",
        "structure",
        ("straight to the points",),
        (r"\bstraight to the points?\b", r"\b(?:get|come)s? to the point\b", r"\b(?:no|without) preamble\b"),
        47,
        0.5,
        _direct,
        _straight,
    ),
    *DEVICES_QUESTIONS,
)
