"""Devices of tone: how the writer sounds. Their lexicons share no cue, so that no tone reads as another one."""

import re
from random import Random

from prose_data.features import Features
from prose_data.simulator.devices.manner import DEVICES_MANNER
from prose_data.simulator.devices.words import cue_device, cues, different, inserts, lines, saturate, swaps
from prose_data.simulator.page import Device, Page

_CONTRACTION = re.compile(
    r"\b\w+(?:n['’]t|['’](?:re|ve|ll|d|m))\b|\b(?:it|that|there|what|here|who|let)['’]s\b", re.I
)
_CONTRACTED = swaps(
    {
        "is not": "isn't",
        "are not": "aren't",
        "was not": "wasn't",
        "were not": "weren't",
        "do not": "don't",
        "does not": "doesn't",
        "did not": "didn't",
        "cannot": "can't",
        "could not": "couldn't",
        "would not": "wouldn't",
        "has not": "hasn't",
        "have not": "haven't",
        "had not": "hadn't",
        "will not": "won't",
        "it is": "it's",
        "that is": "that's",
        "there is": "there's",
    }
)

_FORMAL = cues("""furthermore, moreover, accordingly, consequently, therefore, thus, hereby, herewith, pursuant,
    notwithstanding, with regard to, with respect to, in accordance, please note, be advised, be noted, is noted,
    aforementioned, subsequently, in light of, on behalf of, for the purposes, in this regard, with reference to,
    the undersigned, as outlined, is recommended, to that end, with a view, due consideration, under consideration,
    for consideration, additionally, regarding, whereby, thereof, therein, merits, particulars, set out, be addressed,
    established practice, for reference, the above, duly, appropriate, proceed, relevant, submitted, at present""")
_FORMAL_BANK = lines("""
    Furthermore, it should be noted that {m} merits due consideration.
    Accordingly, the matter of {m} is set out below.
    In this regard, the following points are submitted for consideration.
    With respect to {s}, no further action is required at present.
    Moreover, the particulars are consistent with established practice.
    Consequently, a review of {m} is recommended.
    The aforementioned details are provided for reference.
    In light of the above, {m} remains under consideration.
    Additionally, the relevant facts have been duly recorded.
    It is therefore appropriate to proceed with regard to {s}.
    To that end, a concise account is provided herewith.
    Subsequently, all matters regarding {s} will be addressed.
""")

_INFORMAL = cues("""kinda, gonna, wanna, gotta, sorta, stuff, bunch of, pretty much, yeah, yep, nope, okay, ok, super,
    totally, no big deal, big deal, guys, hey, cool, heck, buddy, loads of, lots of, thing is, big time, whatever,
    messed up, crazy, weird, cuz, y'all, dunno, gimme, lemme, hang out, bonkers, sweat it, anyhow, turns out, no biggie,
    that's about it, freaking, screwed up, hangs out, catch up, gist, my bad, bummer, nah""")
_INFORMAL_BANK = lines("""
    Yeah, the {t} stuff is kinda messed up.
    It's pretty much that, no big deal.
    There's a whole bunch of {t} stuff going on.
    Okay, that's super weird.
    They're gonna need loads more of {s}, heck.
    The {t} bit's totally bonkers.
    Nope, nobody's gonna fix that overnight.
    Anyhow, it's kinda cool how {s} turned out.
    It's gotta be the {t} thing, big time.
    Yep, that's about it.
    Don't sweat it, the {t} bit's okay.
    Turns out it's a bunch of {t} stuff, whatever.
""")

_POSITIVE = cues("""wonderful, wonderfully, delightful, delightfully, delighted, lovely, cheerful, happily, happy, glad,
    gladly, joy, joyful, smile, smiling, bright, brighter, hopeful, hopefully, encouraging, inspiring, uplifting, thrilled,
    fantastic, marvellous, marvelous, splendid, superb, excellent, great news, good news, promising, proud, celebrate,
    celebration, cheers, cheering, sunny, heartening, refreshing, exciting, terrific, amazing, awesome, brilliant, success,
    blessing, treat, admirable, pleased, pleasure, love, loved, enjoy, enjoyed, fortunately, looking up, well done,
    perfect, beautiful, beautifully, great, progress, yay, optimistic, congratulations, fun""")
_SARCASTIC = cues("""oh great, oh brilliant, oh joy, oh sure, oh good, oh wonderful, oh please, oh how, oh fantastic,
    oh of course, how original, very original, how thoughtful, how convenient, how shocking, how very, how generous,
    how quaint, what a surprise, what a shock, what a relief, what a shocker, shocker, me shocked, me surprised, slow clap,
    bravo, yeah right, big surprise, as if that, because obviously, because of course, because clearly, sure because,
    just what the, exactly what the, what the world, stroke of genius, a medal, the front page, the presses, riveting,
    riveting stuff, truly riveting, could possibly go, go wrong, could have guessed, would have thought, said nobody ever,
    nobody ever, no one ever, earth shattering, lucky us, lucky me, pure genius, real genius, genius, good luck with,
    so thrilled, be still my, my sides, alert the media, no less, apart from everyone, that always works, of all things,
    obviously, what a treat, nobel prize, we all needed, highlight of my, wow who, wow what, oh look, give these people,
    exactly what we, exactly what i, what i needed, because who""")
_SARCASTIC_BANK = lines("""
    Oh, brilliant, just what the world needed.
    What a surprise, said nobody ever.
    Bravo, a slow clap for {s}.
    Because obviously {m} was keeping the whole town awake.
    How original, how very original.
    Someone give {s} a medal, no less.
    Sure, because that always works.
    Stop the presses, here comes {m}, how very shocking.
    Riveting stuff, this {t} business, truly riveting.
    Who could have guessed, apart from everyone.
    A stroke of genius, no less.
    Colour me shocked, {s} of all things.
    Lucky us, as if that would fix it.
    What could possibly go wrong with {s}, pure genius.
""")
_POSITIVE_BANK = lines("""
    What a delightful, heartening turn for {s}.
    There is so much good news in here, and it is a treat.
    It is a joy and a pleasure to see {s} get this far.
    The outlook is bright and wonderfully hopeful.
    Happily, {m} gives every reason to smile.
    This is an encouraging step, and a lovely one.
    Such cheerful progress deserves a celebration.
    The part about {m} is uplifting and refreshing.
    Things are looking up, and that is splendid.
    Cheers for {s} and for a brighter season.
    A truly inspiring, promising turn of events.
    All involved can be proud and glad.
    With {s}, the mood is sunny and joyful.
""")


def _formal(text: Features) -> float:
    contractions = len(_CONTRACTION.findall(text.text)) if "'" in text.text or "’" in text.text else 0
    return saturate(text, different(text, _FORMAL) - 0.5 * contractions, full=5, floor=1)


def _informal(text: Features) -> float:
    contractions = len(_CONTRACTION.findall(text.text)) if "'" in text.text or "’" in text.text else 0
    return saturate(text, different(text, _INFORMAL) + 0.4 * min(contractions, 5), full=5, floor=1)


def _sarcastic(text: Features) -> float:
    return saturate(text, different(text, _SARCASTIC), full=5, floor=1)


def _positive(text: Features) -> float:
    """Return how cheerful the praise is; praise next to mockery is no praise."""
    return saturate(text, different(text, _POSITIVE), full=6, floor=2) * (1.0 - _sarcastic(text))


def _write_informal(page: Page, rng: Random) -> None:
    _CONTRACTED(page, rng)
    inserts(_INFORMAL_BANK, 4, _informal)(page, rng)


DEVICES_TONE: tuple[Device, ...] = (
    cue_device(
        "emotional",
        "tone",
        ("be intensely emotional", "show emotions", "pour out strong feelings"),
        (r"\bemotion(?:s|al|ally)?\b", r"\bheartfelt\b", r"\bstrong feelings\b", r"\bpassionate"),
        """heartbroken, heartbreaking, heartbreak, heartache, heartfelt, heart aches, my heart, a heart, heart breaks,
        heart sinks, heart soars, heart races, heart is, tears, tearful, weep, weeps, weeping, wept, sob, sobs, sobbing,
        sobbed, cry, crying, devastated, devastating, anguish, anguished, agony, agonising, agonizing, grief, grieving,
        sorrow, despair, desperate, desperately, overwhelmed, overwhelming, aching, ache, aches, longing, yearning, yearn,
        terrified, dread, trembling, tremble, rage, fury, torn, torn in two, shattered, shattering, unbearable, bittersweet,
        soul, ecstatic, elated, goosebumps, adore, passion, passionately, ashamed, betrayed, lonely, loneliness, hopeless,
        helpless, cherished, tenderness, hardly breathe, can't breathe, hurts, painful, choked up, deeply moved, i miss,
        so angry, so sad, so happy, scared, i feel""",
        """
        It is heartbreaking, utterly heartbreaking, and it hurts.
        The grief of it all is overwhelming.
        Tears come at the mere thought of {s}, and then despair.
        Such sorrow, such longing, such helpless rage.
        This {t} business leaves the soul shattered.
        The ache remains, and the dread keeps growing.
        Even the word {t} now hurts with unbearable tenderness.
        No soul should have to carry so much anguish.
        Trembling, weeping, torn in two, that is how it feels.
        There is despair here, and desperate longing as well.
        The loneliness of {m} is agony.
        What aching sorrow, and what hot tears.
        Every thought of {s} ends in sobs and heartache.
        """,
        full=5,
        floor=1,
    ),
    cue_device(
        "critical",
        "tone",
        ("be sharply critical", "be harshly critical"),
        (r"\bcritical\b", r"\bharsh", r"\bscathing", r"\bfault-?finding", r"\bfind(?:s|ing)? faults?\b"),
        """flawed, flaw, flaws, sloppy, careless, carelessly, shoddy, unconvincing, inadequate, inadequately, unacceptable,
        indefensible, inexcusable, misleading, superficial, shallow, lazy, feeble, incoherent, disappointing, disappointment,
        mediocre, unjustified, untenable, embarrassing, embarrassingly, half baked, falls short, fall short, falls apart,
        fails, failure, glaring, fatal, fatally, does not hold, ill conceived, pointless, worthless, amateurish, useless,
        muddled, blunder, blunders, negligent, negligence, excuses, no excuse, unforgivable, dismal, woeful, woefully,
        inept, botched, substandard, poorly, poorly conceived, unsupported, nonsense, wasted, a waste, weak, bad, badly,
        worse, worst, terrible, awful, dreadful, naive, insulting, ridiculous, absurd, at worst, poor, tedious, predictable, wooden, dull, boring,
        makes no sense, no sense, clumsy, unoriginal, ignore, ignores, overblown, ill defined, contrived, poorly designed,
        poorly written, poorly argued, beyond the evidence, not justified, not convincing, frankly, lacks, fail, fails to""",
        """
        This is sloppy work, and the {t} part is worse.
        The argument is flawed and feeble from start to finish.
        Such a careless treatment of {m} is inexcusable.
        The reasoning is shallow, muddled, and unconvincing.
        That is a glaring, embarrassing failure of judgement.
        On {s} the account is woefully inadequate.
        A claim this feeble is indefensible.
        The handling of {m} is shoddy and misleading.
        It falls short of any acceptable standard, and badly.
        Nothing excuses a blunder this embarrassing.
        The part about {m} is superficial and misleading at worst.
        Lazy thinking of this kind is unacceptable.
        The whole {t} business is poorly conceived and botched.
        """,
        full=6,
        floor=2,
        opposites=("positive",),
    ),
    Device(
        "sarcastic",
        "tone",
        ("be blatantly sarcastic", "be sarcastic"),
        (r"\bsarcas", r"\biron(?:y|ic)", r"\bsnark", r"\bmocking"),
        30,
        0.95,
        inserts(_SARCASTIC_BANK, 4, _sarcastic),
        _sarcastic,
        opposites=("positive",),
    ),
    Device(
        "positive",
        "tone",
        ("positive", "sound cheerful and positive"),
        (r"\bpositiv(?:e|ity)\b", r"\bcheerful", r"\bupbeat\b", r"\boptimis", r"\benthusias"),
        30,
        0.85,
        inserts(_POSITIVE_BANK, 4, _positive),
        _positive,
        opposites=("critical", "sarcastic"),
    ),
    cue_device(
        "playful",
        "tone",
        ("playful language", "be playful"),
        (r"\bplayful", r"\bwhimsical", r"\bhumou?r", r"\bfunny\b"),
        """silly, giggle, giggles, giggling, wiggle, wiggles, wiggly, tickle, tickles, cheeky, mischief, mischievous, naughty,
        hocus pocus, abracadabra, ta da, tada, peekaboo, peek a boo, topsy turvy, razzle dazzle, wink wink, whoopsie, whoops,
        oopsie, oops, zany, shenanigans, tomfoolery, goofy, fiddle faddle, dilly dally, willy nilly, helter skelter,
        hoity toity, itsy bitsy, higgledy piggledy, easy peasy, okey dokey, flibbertigibbet, bamboozle, bamboozled,
        skedaddle, kerfuffle, hullabaloo, gobbledygook, wobbly, wobble, jiggle, pun intended, pun, puns, monkey business,
        lickety split, hoopla, rollicking, frolic, prank, jiggery pokery, pinky promise, loopy, boogie, party hat, kazoo,
        cartwheel, cartwheels, jumping jellybeans, noodle, nutty, wacky""",
        """
        Hocus pocus, abracadabra, and {s} leaves the hat.
        What a silly, wiggly tangle.
        Whoopsie, there goes {s} again, wobbly as ever.
        It is all a bit topsy turvy, giggles included.
        Ta da, the cheeky {t} trick is done.
        There is monkey business afoot, and mischief too.
        Peekaboo, here comes the {t} part, cheeky as ever.
        Such shenanigans deserve a tickle.
        Easy peasy, or so the silly rumour goes.
        Higgledy piggledy goes the {t} parade, willy nilly.
        A fine hullabaloo, with a pun in it.
        Somebody fetch {s} a party hat and a kazoo.
        Razzle dazzle first, tomfoolery later.
        """,
    ),
    Device(
        "formal",
        "tone",
        ("professional tone", "keep a formal and professional tone"),
        (r"\bformal", r"\bprofessional(?:ism|ly)?\b(?! (?:greeting|closing|sign))", r"\bbusiness-?like"),
        30,
        0.8,
        inserts(_FORMAL_BANK, 4, _formal),
        _formal,
        opposites=("informal", "slang"),
    ),
    Device(
        "informal",
        "tone",
        ("informal", "casual tone", "sound casual"),
        (r"\binformal", r"\bcasual", r"\brelaxed\b", r"\blaid-?back"),
        30,
        0.8,
        _write_informal,
        _informal,
        opposites=("formal",),
    ),
    *DEVICES_MANNER,
)
