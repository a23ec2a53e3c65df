"""What stands where in a text: greeting, body, closing and postscript, and which lines are prose, lists or labels.

Each line is looked at once and gated by its first character. Quoted mail (">"), "X wrote:" above it and fenced code are
somebody else's words and left out.
"""

import re
from dataclasses import dataclass, field

_GREETING = re.compile(
    r"(?:hello|hi|hey|hiya|dear|greetings|good (?:morning|afternoon|evening|day)|salutations|to whom it may)\b",
    re.I,
)
_CLOSING = re.compile(
    r"(?:with |many |my |kind(?:est)? |best |warm(?:est)? |your?s? |all |lots of |much |sincere |most |ever |and )*"
    r"(?:regards|wishes|best|sincerely|faithfully|truly|yours|cheers|thanks|thank you|thx|love|gratitude|cordially"
    r"|respectfully|gratefully|take care|warmly|appreciation|farewell|goodbye|bye|hugs|xoxo|humble servant"
    r"|signing off|talk soon|see you|until next time|ciao|faithfully yours)\b",
    re.I,
)
_POSTSCRIPT = re.compile(r"\W*(?:p\.\s?){1,2}s\b[.:,]?|\W*p{1,2}s[.:,]?\s|\W*post-?script\b", re.I)
_NUMBERED = re.compile(r"[*_#\s]*\(?\d{1,2}[.):](?!\d)[*_]*\s*\S")
_STEP = re.compile(r"[*_#\s-]*step (?:\d+|one|two|three|four|five|six|seven|eight|nine|ten)\b", re.I)
_Q_LABEL = re.compile(r"[*_#\s-]*(?:q|question)\s*\d*\s*[:.)]\s*\S", re.I)
_A_LABEL = re.compile(r"[*_#\s-]*(?:a|answer)\s*\d*\s*[:.)]\s*\S", re.I)
_SPEAKER = re.compile(
    r"[*_\[(]*[A-Z][A-Z .'#\d]{1,24}(?:\([^)]*\))?[*_\])]*:|(?:INT|EXT)\. |FADE (?:IN|OUT)|CUT TO"
)
_BULLETS = frozenset("-*•‣▪●○■►➤–—·◦")
_SCENES = frozenset(("INT.", "EXT.", "FADE", "CUT ", "Step", "STEP", "step"))
_WROTE = re.compile(r"(?:on .{4,120} )?[^\n]{0,80}\b(?:wrote|writes):$", re.I)
_ENDS = (".", "!", "?", "…", ":", ";", ",")
_CLOSING_LINES = 4
_WRAPPED = 55  # characters from which a line without a final mark may have been broken by a mail program
_QUESTION_LINE = 160  # characters of a question that stands for a heading at most
_SHORT_LINE = 60  # characters of a heading, greeting or closing line at most


@dataclass(slots=True)
class Layout:
    """The parts of a text; `marks` counts its lines of each kind, `prose` and `items` (of lists) hold the words of its body.

    `labelled` are questions with a label, `asked` those alone on a line with something else below."""

    greeting: str = ""
    prose: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    closing: list[str] = field(default_factory=list)
    postscript: bool = False
    lines: int = 0
    bullets: int = 0
    numbered: int = 0
    steps: int = 0
    headings: int = 0
    labelled: int = 0
    asked: int = 0
    speakers: int = 0


def lay_out(text: str) -> Layout:
    """Return the layout of `text`; linear in its length."""
    page = Layout()
    lines = _unwrapped(_own_lines(text))
    first = _opening(lines, page)
    last = _ending(lines, first, page)
    page.lines = last - first
    for number in range(first, last):
        _place(lines[number], lines[number + 1] if number + 1 < last else "", page)
    return page


def _own_lines(text: str) -> list[str]:
    """Return the lines that the writer wrote: no quoted mail, no fenced code."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if (">" in text and "\n>" in text) or text.startswith(">"):
        lines = [line for line in lines if not line.startswith(">") and not _WROTE.match(line.strip())]
    if "`" in text and "```" in text:
        kept, fenced = [], False
        for line in lines:
            if line.lstrip().startswith("```"):
                fenced = not fenced
            elif not fenced:
                kept.append(line)
        lines = kept
    return lines


def _unwrapped(rows: list[str]) -> list[str]:
    """Return the stripped, non-empty lines, those put together again that were broken in the middle of a sentence."""
    stripped = [*map(str.strip, rows)]
    if not any(len(line) >= _WRAPPED and line[-1] not in _ENDS for line in stripped):
        return [*filter(None, stripped)]
    lines: list[str] = []
    wrapped = False
    for line in stripped:
        if (
            wrapped
            and line
            and (line[0].islower() or (line[0] not in _BULLETS and not _NUMBERED.match(line)))
        ):
            lines[-1] = f"{lines[-1]} {line}"
        elif line:
            lines.append(line)
        wrapped = len(line) >= _WRAPPED and line[-1] not in _ENDS
    return lines


def _opening(lines: list[str], page: Layout) -> int:
    """Note a subject line and a greeting; return where the body begins."""
    start = 0
    if lines and lines[0][:8].lower() == "subject:":
        start = 1
    if (
        len(lines) > start + 1
        and len(lines[start]) <= _SHORT_LINE
        and _GREETING.match(lines[start].lstrip("*_ "))
    ):
        page.greeting = lines[start]
        start += 1
    return start


def _ending(lines: list[str], first: int, page: Layout) -> int:
    """Note a postscript and the closing (formula, name); return where the body ends."""
    end = len(lines)
    for number in range(max(first + 1, end - _CLOSING_LINES), end):
        if lines[number][0] in "pP*_(" and _POSTSCRIPT.match(lines[number]):
            page.postscript, end = True, number
            break
    for number in range(max(first + 1, end - _CLOSING_LINES), end):
        if len(lines[number]) > _SHORT_LINE:
            continue
        line = lines[number].strip("*_ ")
        short = not line.endswith((".", "?")) or line.count(" ") < 3
        if short and _CLOSING.match(line) and all(len(row) <= _SHORT_LINE for row in lines[number:end]):
            page.closing = lines[number:end]
            return number
    if page.greeting and end - first > 1 and len(lines[end - 1]) <= 24 and lines[end - 1].count(" ") < 3:
        name = lines[end - 1].lstrip("-–—~ ")
        if name[:1].isalpha() and not name.endswith(_ENDS):
            page.closing = lines[end - 1 : end]
            return end - 1
    return end


def _place(line: str, below: str, page: Layout) -> None:
    """Count a line of the body, and keep its words without marks and labels."""
    head = line[0]
    if head in _BULLETS and line[1:2] in (" ", "\t", "\u00a0") and len(line) > 3:
        page.bullets += 1
        page.steps += _STEP.match(line) is not None
        page.items.append(line[2:].lstrip())
    elif not head.isalpha() and _NUMBERED.match(line):
        page.numbered += 1
        page.items.append(line.lstrip("*_#( \t0123456789.):"))
    elif (":" in line[:40] or head in "*_#" or line[:4] in _SCENES) and _labelled(line, page):
        return
    elif len(line) <= _SHORT_LINE and _heads(line, below):
        page.headings += 1
        page.asked += line.rstrip("*_:").endswith("?")
    else:
        if line.endswith("?") and len(line) < _QUESTION_LINE and ". " not in line:
            page.asked += bool(below) and not below.endswith("?")
        page.prose.append(line)


def _labelled(line: str, page: Layout) -> bool:
    """Return whether a line begins with a label ("Q:", "Step 2:", "HOST:"); its words are kept but for a question's."""
    if _Q_LABEL.match(line):
        page.labelled += 1
        return True
    if _STEP.match(line):
        page.steps += 1
    elif _SPEAKER.match(line):
        page.speakers += 1
    elif not _A_LABEL.match(line):
        return False
    page.prose.append(line.partition(":")[2].strip("*_ ") or line)
    return True


def _heads(line: str, below: str) -> bool:
    """Return whether a short line is a heading of what is below it."""
    if line[0] == "#":
        return line.lstrip("#")[:1] in (" ", "\t") and bool(below)
    bold = line.startswith(("**", "__")) and line.rstrip(":").endswith(("**", "__"))
    if not below or (line.endswith((".", "!", "?", "…", ";", ",")) and not bold):
        return False
    return bold or (line.count(" ") < 8 and line[0].isupper() and len(below) > 2 * len(line) + 10)
