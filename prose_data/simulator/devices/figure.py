"""Devices of figure: alliteration, hyperbole, simile, personification, onomatopoeia, imagery, foreshadowing."""

import re
from random import Random

from prose_data.features import Features
from prose_data.simulator.devices.words import (
    cue_device,
    cues,
    different,
    insert,
    inserts,
    lines,
    paired,
    saturate,
    scaled,
)
from prose_data.simulator.edits import subject
from prose_data.simulator.page import Device, Page

_TOKEN = re.compile(r"[^\W\d_]+|[.!?;:\n]")
_SMALL = frozenset(
    "a about after all also am an and any are as at be been before but by can could did do does for from had has have "
    "he her him his how i if in into is it its just may me my no nor not now of off on once one or our out over own she "
    "should so some such than that the their them then there these they this those through to too under until up upon "
    "was we were what when where which while who why will with would you your".split()
)
_ONSETS = (
    ("ph", "f"),
    ("kn", "n"),
    ("gn", "n"),
    ("wr", "r"),
    ("ps", "s"),
    ("sh", "sh"),
    ("ch", "ch"),
    ("th", "th"),
    ("wh", "w"),
    ("ce", "s"),
    ("ci", "s"),
    ("cy", "s"),
    ("ge", "j"),
    ("qu", "k"),
    ("c", "k"),
)
_ADJECTIVES = {
    "a": "awkward ambitious abundant",
    "b": "big bold busy",
    "c": "curious complicated crooked",
    "d": "dear difficult daring",
    "e": "elegant endless extra",
    "f": "famous fragile fickle",
    "g": "gradual grand grim",
    "h": "heavy hasty humble",
    "i": "intricate idle inner",
    "j": "just jolly jagged",
    "k": "keen kindred key",
    "l": "long lively lonely",
    "m": "many modest mighty",
    "n": "new narrow noble",
    "o": "old odd ordinary",
    "p": "plain patient peculiar",
    "q": "quiet quick quaint",
    "r": "rare rapid rough",
    "s": "steady serious simple",
    "t": "tricky tangled timely",
    "u": "urgent unusual utter",
    "v": "various vague vital",
    "w": "wide wild weary",
    "y": "young yearly yellow",
    "z": "zealous zigzag zesty",
}
_ALLITERATIONS = lines("""
    Many modest moments made meaning.
    Patient people ponder plain particulars.
    Slowly, surely, some small signs surface.
    Facts find friends faster than fancies.
    Big bold beginnings bring better business.
    Time tends to tell tricky tales.
    Careful counting can correct confusion.
    Dull days do deserve daring deeds.
    Worries will wane when winter weather weakens.
    Long lists leave little lasting light.
    Great gains grow gradually.
    Rough roads rarely run right round.
""")

_HUMANS = frozenset(
    "he she they we i you who that man woman men women child children boy girl people person judge mother father brother "
    "sister wife husband aunt uncle friend colleague doctor teacher student pupil audience crowd patient researcher author "
    "actor actress director captain driver customer neighbour neighbor nurse speaker and or to never always also then not "
    "him her them us everyone everybody nobody somebody someone player baby guest officer owner manager girls boys".split()
)
_HUMAN_DEED = re.compile(
    r"\b([^\W\d_]+) (?:softly |slowly |quietly |gently |angrily |just |now |still |has |hath )?"
    r"(?:whisper|sigh|wink|yawn|grin|shrug|sulk|gossip|tiptoe|scold|plead|beg|smile|nod|frown|blush|chuckle|giggle|"
    r"danc|sing|sang|weep|wept|danced|bow|applaud|laugh|greet|embrac|beckon|mutter|grumble|knock|tease)(?:s|d|es|ed|ned|ged|ded|eth)?\b",
    re.I,
)
_HUMAN_PART = cues("""its breath, its throat, its mind, its arms, its shoulders, its lips, its chin, its temper, its voice,
    its fingers, clears its, holds its breath, shakes its head, shook its head, rubs its, strokes its, crosses its,
    waves goodbye, pulls up a, takes a bow, lends a hand, a finger on, listens patiently, refuses to leave, knocks""")
_PERSONIFICATIONS = lines("""
    The {t} page whispers something and then holds its breath.
    Somewhere the {t} part clears its throat and yawns.
    Even the evening yawns and rubs its eyes.
    The word {t} shrugs and sulks in a corner.
    Time tiptoes past, a finger on its lips.
    The {t} part grins and waves goodbye.
    A tired clock sighs, then makes up its mind.
    Hope knocks, shakes its head, and leaves again.
    The {t} file sulks when nobody listens, and the lamp nods.
    The empty page pleads for patience and bows.
    Doubt pulls up a chair and crosses its arms.
    The {t} question winks, and the room chuckles.
    History nods, frowns, and strokes its chin.
""")

_LIKE = re.compile(
    r"(?<!would )(?<!'d )(?<!should )(?<!do not )(?<!did not )(?<!also )(?<!really )\blike (?:an?|some|pieces of|the [a-z]+ of an?)"
    r" (?!lot|bit|little more)",
    re.I,
)
_AS_AS = re.compile(
    r"(?<!times )(?<!twice )(?<!half )\bas (?!well\b|soon\b|long\b|much\b|many\b|far\b|part\b|low\b|high\b|early\b|late\b|little\b|few\b)[a-z]+"
    r" as (?:an?|the|any) [a-z]",
    re.I,
)
_AS_IF = re.compile(r"\bas (?:if|though) (?!that\b)[a-z]", re.I)
_SIMILES = lines("""
    It is as stubborn as a mule.
    The {t} part runs through it like a thread through cloth.
    The details fit together like pieces of a puzzle.
    The whole {t} affair is like a chess game with no clock.
    It spreads like a rumour in a village.
    The facts stand in line like a row of dominoes.
    The {t} part is as tricky as a knot in a rope.
    It all moves like a river towards the sea.
    It is as solid as a brick wall.
    Each step is like a stone in an arch.
    The {t} part is as sharp as a needle.
    It hangs together like a bridge of matchsticks.
    Doubt sticks to {s} like a burr to a coat.
    The matter is as slippery as an eel.
""")


def onset(word: str) -> str:
    """Return the sound, by its spelling, that a lower-cased word begins with; empty for a vowel."""
    for letters, sound in _ONSETS:
        if word.startswith(letters):
            return sound
    return "" if word[0] in "aeiou" else word[0]


def _alliteration(text: Features) -> float:
    """Return how much of the text runs on equal initial sounds: different content words in runs of three or more."""
    hits, last = 0.0, ""
    run: set[str] = set()
    for token in [*_TOKEN.findall(text.lower), "."]:
        if token in _SMALL:
            continue
        sound = onset(token) if token[0].isalpha() else ""
        if sound and sound == last:
            run.add(token)
            continue
        hits += (0.0, 0.0, 0.0, 1.0, 2.5, 3.5)[min(5, len(run))]
        run, last = {token}, sound
    return saturate(text, hits, full=6, floor=1)


def _topic_run(page: Page, rng: Random) -> str:
    noun = subject(page, rng).split()[-1]
    adjectives = _ADJECTIVES.get(noun[0].lower(), _ADJECTIVES["p"]).split()
    rng.shuffle(adjectives)
    return f"{rng.choice(('It is about', 'Such', 'So much for', 'What', 'All about'))} {', '.join(adjectives)} {noun}."


def _alliterate(page: Page, rng: Random) -> None:
    drawn = rng.sample(_ALLITERATIONS, scaled(4, page) - 1)
    insert(page, paired([*drawn, _topic_run(page, rng)], page, rng), rng)


def _simile(text: Features) -> float:
    lower = text.lower
    hits = len(_LIKE.findall(lower)) + len(_AS_AS.findall(lower)) + 0.5 * len(_AS_IF.findall(lower))
    return saturate(text, hits, full=2.5)


def _personification(text: Features) -> float:
    """Return how often things act: a human deed of what is neither a person word nor a name, or its human part."""
    deeds = sum(
        1 for m in _HUMAN_DEED.finditer(text.text) if not m[1].istitle() and m[1].lower() not in _HUMANS
    )
    return saturate(text, deeds + different(text, _HUMAN_PART), full=4, floor=0.5)


_ECHOED = (
    "boom bang buzz hiss crackle crash clang clank clatter clink click clack thud thump thwack whoosh swoosh swish "
    "splash splosh drip plop pop fizz sizzle snap creak screech whirr whir beep rattle rumble growl gurgle squeak "
    "squelch whack zap zoom honk chirp hoot plink patter tick ding jingle murmur slurp gulp moo woof meow quack"
).split()
_SOUNDS = ", ".join(
    [
        *(
            f"{word}{end}"
            for word in _ECHOED
            for end in ("", "s", "es", "d", "ed", "ing", f"{word[-1]}ed", f"{word[-1]}ing")
        ),
        *(f"{word[:-1]}ing" for word in _ECHOED if word.endswith("e")),
        *(
            "tock, tick tock, drip drip, ding dong, pitter patter, wham, pow, vroom, kaboom, shh, achoo, bam".split(
                ", "
            )
        ),
    ]
)

DEVICES_FIGURE: tuple[Device, ...] = (
    Device(
        "alliteration",
        "figure",
        ("include alliterations", "use alliteration"),
        (
            r"\balliterat",
            r"\bwords?\b.*\bsame (?:first )?(?:letter|sound|consonant)\b",
        ),
        30,
        0.7,
        _alliterate,
        _alliteration,
    ),
    cue_device(
        "hyperbole",
        "figure",
        ("include hyperboles", "exaggerate with hyperboles"),
        (r"\bhyperbol", r"\bexaggerat", r"\bout of (?:all )?proportion\b"),
        """a million, a billion, a trillion, a zillion, a gazillion, million times, billion times, thousand times, thousand tons,
        thousand years, million years, million lifetimes, billion years, eternity, an eternity, forever, in the history, of all time,
        on the planet, the universe, entire universe, whole universe, galaxies, whole galaxies, galaxy, the cosmos, dawn of time,
        end of the world, to the moon, than the sun, the sky itself, than the ocean, mount everest, miles high, a ton, weighs a,
        a ton of, tons of, mountains of, oceans of, on earth, everyone on earth, no human, in all of, bored to death, scared to death,
        to death, infinitely, endlessly, never ever, literally, colossal, gigantic, the world has, ever lived, ever seen, ever known,
        ever written, biggest thing, comes close, of history, lifetimes, starving""",
        """
        The word {t} alone could fill a million libraries.
        This is the biggest thing since the dawn of time.
        It would take a billion years to say enough about {s}.
        Nothing in the history of the universe comes close.
        The {t} question weighs a thousand tons.
        Everyone on earth has waited an eternity for this.
        Mountains of {t} notes reach to the moon and back.
        A trillion trumpets and whole galaxies could not drown it out.
        It is infinitely larger than the sky itself.
        Whole galaxies could vanish inside {s}, never ever to return.
        The wait lasted at least a million lifetimes.
        No human in all of history has seen so much of {s}.
        The shock reached everyone on earth and the edge of the cosmos.
        """,
        salience=0.75,
    ),
    Device(
        "simile",
        "figure",
        ("include a simile", "compare things with similes"),
        (r"\bsimiles?\b", r"\bliken(?:s|ing)?\b", r"\bcompar(?:e|es|ing|isons?)\b.*\b(?:like|things)\b"),
        30,
        0.65,
        inserts(_SIMILES, 4, _simile),
        _simile,
    ),
    Device(
        "personification",
        "figure",
        ("include personifications", "let things act like people"),
        (r"\bpersonif", r"\bhuman (?:traits|qualities|actions)", r"\bact like (?:people|humans)"),
        30,
        0.65,
        inserts(_PERSONIFICATIONS, 4, _personification),
        _personification,
    ),
    cue_device(
        "onomatopoeia",
        "figure",
        ("include onomatopoeias", "use words that imitate sounds"),
        (r"\bonomatop", r"\bsound words\b", r"\bimitate\w* sounds?"),
        _SOUNDS,
        """
        Whoosh, past {s}, and then a thud.
        Tick tock, tick tock, runs the clock.
        Somewhere a door creaks, and a latch goes click.
        Bang, clatter, boom, that was {m}.
        Drip, drip, drip, and then a splash.
        The {t} part lands with a thump and a crash.
        A low buzz, a sharp hiss, a sudden pop.
        Clink, clank, goes the {t} machine.
        Rattle and rumble, on it goes.
        Zoom, past it flies, with a swish.
        Ding dong, here comes {m}.
        Snap, crackle, and a fizz after that.
        Thump, bam, comes the {t} drum.
        """,
        full=5,
        floor=1,
        salience=0.75,
    ),
    cue_device(
        "imagery",
        "figure",
        ("use imagery", "paint pictures with sensory detail"),
        (r"\bimagery\b", r"\bsensory\b", r"\bvivid(?:ly)? (?:descri|detail|picture)", r"\bpaint pictures"),
        """golden, crimson, silver, amber, scarlet, violet, copper, emerald, azure, pearly, shimmering, shimmer, glow, glows, glowing,
        glimmers, glimmering, glistening, glitters, glittering, gleaming, misty, mist, velvet, fragrant, fragrance, scent, smell of,
        smells of, aroma, taste of, salty, honey, bitter, warm, damp, icy, smoky, smoke, dusty, dust, rough, silky, pale, moonlit,
        sunlit, sunlight, moonlight, dusk, twilight, flicker, flickering, shadow, shadows, haze, breeze, petals, moss, cobblestones,
        frost, ripple, swirls, swirling, bleeds, drifts, crisp, wet, rustling, sun drenched, cool, blazing, soft, cold, stung, spray, rotten, sweet, sour,
        grey, gray, seaweed, sea salt, hum, sticky, tang, spiced, fiery, sparkling, sparkle, spilled, dewy, drizzle""",
        """
        Pale golden light glimmers over {s}.
        The scent of damp earth hangs in the misty air.
        Crimson dusk bleeds slowly into violet shadow.
        A warm, salty breeze drifts past {s}.
        Silver frost glitters along the dark window.
        The taste of smoke and honey lingers in the haze.
        Amber dust swirls in the slanting sunlight.
        Rough stone, cool moss, and {s} under a pearly sky.
        The fragrance of rain rises from the warm, wet pavement.
        Behind {s}, a copper moon glows through the haze.
        Silky shadows ripple over the wet cobblestones.
        Scarlet petals and bitter smoke colour the air around {s}.
        """,
        full=8,
        floor=2,
        salience=0.7,
    ),
    cue_device(
        "foreshadowing",
        "figure",
        ("skillful foreshadowing",),
        (r"\bforeshadow", r"\bhints? at what"),
        """little did, little did anyone, did anyone know, did they know, did he know, did she know, before long, soon enough,
        about to change, yet to come, things to come, of things to, would come back, return to haunt, haunt, an omen, omen,
        first omen, ominous, foretold, would turn out, time would show, nobody knew yet, knew yet, could have known, first hint,
        only the beginning, was gathering, already gathering, calm before, the storm, before the storm, seeds of, matter later,
        later on, in hindsight, one day it, would regret, looming, looms, in store, awaits, awaited, anyone guessed, how soon,
        still hidden, were sown, for now""",
        """
        Little did anyone know what {s} would bring.
        It was only the first hint of things to come.
        Before long, {s} would matter more than anyone guessed.
        Nobody knew yet how soon that would change.
        The calm before the storm rarely lasts.
        A detail about {s} would return to haunt them all.
        Something ominous was already gathering.
        Remember {s}, for it will matter later, before long.
        That was only the beginning, as time would show.
        In hindsight, {m} was the first omen.
        What lay in store was still hidden from view.
        The seeds of the ending were sown with {s}.
        """,
        full=4,
        floor=1,
        salience=0.6,
    ),
)
