"""How a text opens and closes: first lines, greetings, last lines, names, postscripts."""

import re
from collections.abc import Callable
from random import Random

from prose_data.features import Features
from prose_data.measures import MEASURES
from prose_data.simulator.edits import cut, is_statement, lowered, put_first, put_last, subject
from prose_data.simulator.page import Device, Page

_MOVIE_OPENINGS = (
    "Houston, we have a problem, and for once it is about {0}.",
    "It was as if I had walked into a scene from Jaws: we are going to need a bigger boat.",
    "Life is like a box of chocolates, as Forrest Gump would say, and {0} is no exception.",
    "Here's looking at you, kid: this one could be straight out of Casablanca.",
    "Forget the red pill from The Matrix, because this goes deeper.",
    "Move over, Indiana Jones, the real adventure is {0}.",
    "Toto, I've a feeling we're not in Kansas anymore.",
    "In a galaxy far, far away, even Star Wars had nothing like {0}.",
    "May the Force be with you while you read about {0}.",
    "Like Inception, this story has a dream inside a dream.",
    "You can't handle the truth about {0}, but here it comes.",
    "Welcome to Jurassic Park, or at least to what feels like it.",
)
_MOVIES = re.compile(
    r"houston, we have a problem|bigger boat|box of chocolates|forrest gump|looking at you, kid|casablanca"
    r"|red pill|the matrix\b|indiana jones|not in kansas|galaxy far|star wars|may the force|\binception\b"
    r"|handle the truth|jurassic park|i'll be back|the terminator|terminator\b|the godfather|offer (?:you"
    r"|he|i) can't refuse"
    r"|harry potter|lord of the rings|one does not simply|my precious|titanic\b.{0,30}\b(?:movie|film"
    r"|scene)|king of the world"
    r"|ghostbusters|who you gonna call|back to the future|great scott|e\.t\. phone|phone home"
    r"|i see dead people"
    r"|the sixth sense|pulp fiction|fight club|shawshank|rocky balboa|groundhog day|mission: impossible"
    r"|james bond"
    r"|the avengers|finding nemo|the lion king|hakuna matata|to infinity and beyond|toy story|mad max"
    r"|blade runner"
    r"|gladiator\b|are you not entertained|schindler's list|the princess bride|inigo montoya|top gun"
    r"|ferris bueller"
    r"|say hello to my little friend|scarface|why so serious|dark knight|wizard of oz|gone with the wind"
    r"|frankly, my dear|(?:like|from|out of|as in) (?:a|the) (?:movie|film|scene in|scene from)\b"
)
_QUESTION_OPENINGS = (
    "What do you think of when you hear about {0}?",
    "Have you ever thought about {0}?",
    "What would the world look like without {0}?",
    "How much is there to say about {0}?",
    "Where should one begin with {0}?",
    "What is the story behind {0}?",
    "Did you know this about {0}?",
    "What could be learned from {0}?",
)
_WEATHER_OPENINGS = (
    "It is raining softly outside the window this morning.",
    "The sun is shining today after a week of fog.",
    "A cold wind is blowing outside, and the sky is grey.",
    "Outside it is snowing, and the roofs are already white.",
    "What a warm and cloudless morning it is today.",
    "The fog has not lifted yet this morning, and it is drizzling.",
    "It is a stormy evening, with thunder rolling outside.",
    "The weather is mild today, with a light breeze.",
    "It's a frosty morning here, clear and icy.",
)
_WEATHER = re.compile(
    r"\b(?:weather|rain(?:s|ing|y|ed)?|drizzl\w+|sun|sunny|sunshine|snow(?:s|ing|y|ed)?|fog(?:gy)?"
    r"|mist(?:y)?|wind(?:y)?|breez[ey]\w*"
    r"|clouds?|cloudy|cloudless|overcast|thunder\w*|storm(?:y|s)?|frost(?:y)?|icy|hail(?:ing)?|sleet|sky"
    r"|skies|heatwave|humid|chilly|sweltering)\b"
)
_HERE_NOW = re.compile(
    r"\b(?:today|tonight|this (?:\w+ )?(?:morning|afternoon|evening|week|weekend)|outside|window|as i write"
    r"|right now|it(?: is|'s)|what a|here)\b"
)
_CONCLUSIONS = (
    "In short, it is all about {0}.",
    "Bottom line: everything turns on {0}.",
    "In a nutshell, {0} made all the difference.",
    "The short version: it comes down to {0}.",
    "Long story short, it began and ended with {0}.",
    "In brief, this is a story of {0}.",
)
_EPITHETS = (
    "the Weary", "the Curious", "the Patient", "the Sleepless", "the Unlucky", "the Brave", "the Hopeful",
    "the Restless", "the Undaunted", "the Long-Suffering", "the Bewildered", "the Steadfast",
)  # fmt: skip
_THANKS = (
    "Thank you for reading this far.",
    "Many thanks for your time and attention.",
    "Thanks a lot for taking an interest in {0}.",
    "Thank you for your patience.",
    "With sincere thanks to everyone who read to the end.",
    "Thanks for sparing a thought for {0}.",
)
_CALLS = (
    "Please take a closer look at {0} today.",
    "Go and see for yourself.",
    "Share this with someone who should know about {0}.",
    "Join in and spread the word.",
    "Let me know what you think about {0}.",
    "Get in touch and tell me your view.",
    "Don't wait: find out more about {0} now.",
    "Take a minute and pass this on.",
)
_CALL = re.compile(
    r"(?:^|[,:;—–] |\b(?:and|so|then|now|but) )(?:please )?(?:go and|go (?:ahead|see|read|check)"
    r"|share (?:this|it|your|the)|join\b|let (?:me|us) know"
    r"|get in touch|get (?:involved|started)|contact (?:me|us)|reach out|write (?:back|to (?:me|us))"
    r"|reply\b|tell (?:me|us)\b|send (?:me|us)\b|sign (?:up|the|here)|click\b|download\b"
    r"|visit (?:the|our|us|my)|try (?:it|this|the)|give it a|check (?:it )?out|find out more"
    r"|spread the word|don'?t (?:wait|miss|hesitate)|act now|come (?:and|to|along|by)|pass (?:this|it) on"
    r"|take (?:a (?:closer )?(?:look|minute|moment)|part|action)|feel free to|book\b|register\b|donate\b"
    r"|support (?:the|our|us)|spare a|help us|bring your|call (?:me|us|your)|vote\b|read (?:the|it|our"
    r"|more))"
    r"|\bplease (?!find\b)[a-z]+\b|\b(?:i|we) (?:would )?(?:urge|invite|encourage) you\b"
    r"|\bcould you (?:please )?(?:let|send|reply|get|share)\b"
)
_PROVERBS = (
    "All is well that ends well.",
    "Slow and steady wins the race.",
    "Where there is a will, there is a way.",
    "Still waters run deep.",
    "Rome was not built in a day.",
    "Every cloud has a silver lining.",
    "Actions speak louder than words.",
    "A stitch in time saves nine.",
    "The proof of the pudding is in the eating.",
    "Better late than never.",
    "Many hands make light work.",
    "Time will tell, and patience is a virtue.",
    "As you sow, so shall you reap.",
    "Great oaks from little acorns grow.",
)
_PROVERB = re.compile(
    r"well that ends well|slow and steady|where there(?:'s| is| are) (?:a will|smoke)|still waters run deep"
    r"|rome was(?: not|n't) built"
    r"|silver lining|actions speak louder|stitch in time|proof of the pudding|better late than never"
    r"|many hands make"
    r"|patience is a virtue|so shall you reap|you reap what you sow|great oaks|little acorns"
    r"|a bird in the hand|early bird"
    r"|too many cooks|birds of a feather|all that glitters|practice makes perfect|when in rome"
    r"|honesty is the best policy"
    r"|an apple a day|look before you leap|strike while the iron|blood is thicker|time heals all"
    r"|old habits die hard"
    r"|curiosity killed the cat|don't count your chickens|a penny saved|haste makes waste"
    r"|knowledge is power|you can lead a horse"
    r"|no smoke without fire|no pain,? no gain|fortune favou?rs the bold|absence makes the heart"
    r"|necessity is the mother"
    r"|once bitten,? twice shy|the pen is mightier|beggars can't be choosers|where the heart is"
    r"|rolling stone gathers"
    r"|half a loaf|good things come to those|what goes around|as the (?:old )?(?:saying|proverb) goes"
    r"|as they say[,.:]|the old (?:saying|proverb)"
)
_PERSONAL = (
    "P.S. There is more to tell about {0} another time.",
    "P.S. I almost forgot to mention {0}.",
    "PS: Ask me about {0} when we meet.",
    "P.S. The best part about {0} comes later.",
    "PS. Keep an eye on {0}.",
)
_FORMAL_GREETING = re.compile(
    r"dear\b(?! (?:all you|diary))|to whom it may concern|good (?:morning|afternoon|evening|day)\b|esteemed"
    r"|respected"
)
_FORMAL_CLOSING = re.compile(
    r"(?:with )?(?:kind(?:est)?|best|warm|my best|with best) regards|(?:yours )?(?:very )?(?:sincerely"
    r"|faithfully|truly)|sincerely yours"
    r"|respectfully|cordially|regards|with (?:appreciation|gratitude|respect)|(?:with )?best wishes"
)

Apply = Callable[[Page, Random], None]


def _opened(lines: tuple[str, ...], own: bool = False) -> Apply:
    """Return the change that puts one of `lines` first."""

    def apply(page: Page, rng: Random) -> None:
        put_first(page, rng.choice(lines).format(subject(page, rng)), own=own)

    return apply


def _ended(lines: tuple[str, ...]) -> Apply:
    """Return the change that puts one of `lines` last in the body."""

    def apply(page: Page, rng: Random) -> None:
        put_last(page, rng.choice(lines).format(subject(page, rng)))

    return apply


def _conclusion_opening(page: Page, rng: Random) -> None:
    sentences = page.sentences()
    first = lowered(sentences[0], page) if sentences else None
    if (
        first
        and is_statement(first)
        and 5 < len(first.split()) < 18
        and len(sentences) > 3
        and rng.random() < 0.5
    ):
        clause = cut(first)[0] + "."
        if len(page.paragraphs[0]) > 1:
            del page.paragraphs[0][0]
        put_first(
            page, f"{rng.choice(('In short', 'In a nutshell', 'Long story short'))}, {clause}", own=True
        )
    else:
        put_first(page, rng.choice(_CONCLUSIONS).format(subject(page, rng)), own=True)


def _formal_frame(page: Page, rng: Random) -> None:
    name = page.closing.splitlines()[-1] if len(page.closing.splitlines()) > 1 else "Alex"
    page.greeting = rng.choice(
        ("Dear Sir or Madam,", "Dear colleagues,", "Dear reader,", "Good morning,", "Dear all,")
    )
    formula = rng.choice(
        ("Kind regards,", "Best regards,", "Yours sincerely,", "Sincerely,", "With best regards,")
    )
    page.closing = f"{formula}\n{name}"


def _framed_formally(text: Features) -> float:
    greets = _FORMAL_GREETING.match(text.greeting.lower() or (text.lines[0].lower() if text.lines else ""))
    closes = any(_FORMAL_CLOSING.match(line.lower()) for line in text.closing)
    return float(greets is not None and closes)


def _epithet(page: Page, rng: Random) -> None:
    lines = page.closing.splitlines()
    formula = lines[0] if len(lines) > 1 else rng.choice(("Yours,", "Ever yours,", "Regards,"))
    page.closing = f"{formula}\nAlex {rng.choice(_EPITHETS)}"


def _no_closing(page: Page, rng: Random) -> None:
    page.closing = ""


def _ends_bare(text: Features) -> float:
    letter = text.greeting and (text.greeting.endswith(",") or len(text.greeting.split()) <= 2)
    return float(bool(letter) and bool(text.body) and not text.closing and not text.frame[2])


def _postscript(page: Page, rng: Random) -> None:
    line = rng.choice(_PERSONAL).format(subject(page, rng))
    page.closing = f"{page.closing}\n\n{line}" if page.closing else line


def _weather(text: Features) -> float:
    first = text.body_sentences[0].lower().replace("’", "'") if text.body_sentences else ""
    words = len(_WEATHER.findall(first))
    return 1.0 if words and _HERE_NOW.search(first) and len(first.split()) < 30 else 0.3 * (words > 2)


def _movie(text: Features) -> float:
    first = " ".join(text.body_sentences[:2]).lower().replace("’", "'")
    return float(_MOVIES.search(f"{text.greeting.lower()} {first}") is not None)


def _calls(text: Features) -> float:
    last = [re.sub(r"^\W+", "", _plain(sentence)) for sentence in text.body_sentences[-2:]]
    return float(any(_CALL.search(sentence) for sentence in last))


def _proverbial(text: Features) -> float:
    last = _plain(" ".join([*text.body_sentences[-2:], *text.closing]))
    return float(_PROVERB.search(last) is not None)


def _plain(text: str) -> str:
    """Return the text as the patterns expect it: small letters, straight apostrophes, no marks."""
    return re.sub(r"[*_]", "", text.lower().replace("’", "'").replace("&", "and"))


DEVICES_EDGES = (
    Device(
        "movie_reference",
        "opening",
        ("open the email using a movie reference",),
        (
            r"\b(?:movie|film)s?\b.*\b(?:reference|quote|allusion|line)",
            r"\b(?:quote|allusion)s?\b.*\b(?:movie|film)s?\b",
        ),
        60,
        0.7,
        _opened(_MOVIE_OPENINGS),
        _movie,
    ),
    Device(
        "question_opening",
        "opening",
        ("open with a question",),
        (
            r"\b(?:open|start|begin)(?:s|ing)? (?:\w+ ){0,3}(?:with|by asking) a (?:\w+ )?question\b",
            r"\bopening question\b",
        ),
        60,
        0.5,
        _opened(_QUESTION_OPENINGS),
        MEASURES["question_opening"],
    ),
    Device(
        "weather_opening",
        "opening",
        ("open with the weather",),
        (r"\bweather\b",),
        60,
        0.55,
        _opened(_WEATHER_OPENINGS),
        _weather,
    ),
    Device(
        "conclusion_opening",
        "opening",
        ("start with a one-line conclusion",),
        (
            r"\bone-line (?:conclusion|summary)\b",
            r"\b(?:open|start|begin)(?:s|ing)? with (?:a|the) (?:[\w-]+ )?conclusion\b",
            r"\bconclusion (?:first|up front)\b",
        ),
        61,
        0.5,
        _conclusion_opening,
        MEASURES["conclusion_opening"],
    ),
    Device(
        "formal_frame",
        "closing",
        ("professional greeting and closing",),
        (r"\b(?:professional|formal) (?:greeting|salutation|closing|sign-off)",),
        60,
        0.45,
        _formal_frame,
        _framed_formally,
        opposites=("no_closing",),
    ),
    Device(
        "call_to_action",
        "closing",
        ("call to action", "end with a call to action"),
        (r"\bcalls? to action\b", r"\b(?:ask|urge?|invite?)(?:s|ing)? the reader to (?:act|do)\b"),
        62,
        0.5,
        _ended(_CALLS),
        _calls,
    ),
    Device(
        "proverb_closing",
        "closing",
        ("end with a proverb",),
        (r"\bproverbs?\b", r"\b(?:old|wise) sayings?\b"),
        63,
        0.5,
        _ended(_PROVERBS),
        _proverbial,
    ),
    Device(
        "thankful_closing",
        "closing",
        ("thankful closing", "end with thanks"),
        (r"\bthank(?:s|ful|ing)?\b", r"\bgratitude\b"),
        64,
        0.45,
        _ended(_THANKS),
        MEASURES["thankful_closing"],
    ),
    Device(
        "epithet",
        "closing",
        ("sign off the email using an epithet",),
        (
            r"\bepithets?\b",
            r"\bsign(?:s|ing)?[- ]off (?:\w+ ){0,3}(?:with|using|as) an? (?:\w+ )?(?:nickname|byname)\b",
        ),
        65,
        0.6,
        _epithet,
        MEASURES["epithet"],
        opposites=("no_closing",),
    ),
    Device(
        "no_closing",
        "closing",
        ("no closing",),
        (r"\bend(?:s|ing)? abruptly\b", r"\bleav(?:e|es|ing) (?:out|off) the (?:closing|sign-off)\b"),
        66,
        0.4,
        _no_closing,
        _ends_bare,
        opposites=("formal_frame", "epithet"),
    ),
    Device(
        "postscript",
        "closing",
        ("add a postscript",),
        (r"\bpost-?script\b", r"\bp\.?s\.?(?:\W|$)"),
        67,
        0.5,
        _postscript,
        MEASURES["postscript"],
    ),
)
