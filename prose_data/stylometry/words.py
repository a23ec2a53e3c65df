"""The word lists of stylometry: function words, persons, hedges, boosters and other marks of register.

Words are lower case with straight apostrophes. Lists are closed classes or marks of a register, never topics.
Sources of the classes: function words, Mosteller & Wallace (1964) and Burrows (2002); persons, contractions and
conditionals, Biber (1988, dimensions 1 and 4); hedges and boosters, Hyland (1998, 2005).
"""

from collections.abc import Mapping
from types import MappingProxyType

FUNCTION = frozenset(
    "the of and to that is was for with it but".split()
)  # a tenth to a quarter of any English text
ARCHAIC = frozenset(
    "thou thee thy thine ye hath doth dost hast shalt wilt wouldst couldst shouldst canst mayest saith speaketh "
    "cometh goeth maketh knoweth seemeth giveth 'tis tis 'twas twas 'twere 'twill oft ere nay aye verily forsooth "
    "prithee pray hither thither whither hence thence whence wherefore whereupon whereof wherein thereof therein "
    "hereby heretofore betwixt betwixen amongst whilst perchance mayhap methinks unto upon lo behold hark alas alack "
    "anon naught aught nought yonder yon hitherto henceforth forthwith beseech bequeath begat bade spake wrought "
    "damsel fain afore o'er e'er ne'er morrow eventide quoth smitten thyself wherewith withal woe trow".split()
)
ARCHAIC_MILD = frozenset(
    "upon whilst amongst hence hereby thereof therein wherein whereof hitherto pray alas behold whence woe aye".split()
)  # alive in law, scholarship or prayer: they count once stronger ones are there too
SLANG = frozenset(
    "lol lmao rofl omg omfg wtf btw imo imho tbh ngl idk idc smh brb ttyl fyi irl yolo fomo af asf fr rn tho thx pls "
    "plz cuz coz u ur r gonna wanna gotta kinda sorta lemme gimme dunno y'all yall ain't aint lit sus vibe vibes "
    "vibing lowkey highkey legit fam bruh bro bros bestie dude dudes slay slayed slaying goat stan bae squad salty "
    "savage yeet cringe cringey cringy based bussin drip rizz hella dope sick epic fire banger hype hyped flex "
    "flexing ghosted shook deadass snatched simp glow-up yas yass yaas periodt clapback woke basic extra mood "
    "yikes oof meh nah yep yup yeah nope gr8 l8r b4 2day 2nite tmrw ppl haha hahaha lolz asap".split()
)
SLANG_MILD = frozenset(
    "sick epic fire basic extra mood savage salty squad based goat lit hype drip woke flex dope asap fyi yeah yep bro "
    "dude r rn fr nah yup meh btw legit bros imo".split()
)  # also plain words or ordinary speech: they count once others are there too
HEDGES = frozenset(
    "may might maybe perhaps possibly probably seem seems seemed seemingly appear appears apparently presumably "
    "arguably likely unlikely somewhat suggest suggests potentially conceivably supposedly allegedly reportedly "
    "roughly tend tends plausibly ostensibly could".split()
)
BOOSTERS = frozenset(
    "certainly definitely undoubtedly absolutely clearly obviously undeniably undeniable unquestionably "
    "indisputably indisputable surely doubtless decisively conclusively conclusive unmistakably unmistakable "
    "incontrovertible guaranteed certain undisputed irrefutable irrefutably categorically plainly "
    "emphatically positively utterly".split()
)
CONDITIONALS = frozenset("if unless provided providing assuming supposing suppose otherwise whenever".split())
SOUNDS = frozenset(
    "bang boom crash buzz buzzing buzzed hiss hissing hissed whoosh swoosh splash sizzle sizzling sizzled thud clang "
    "clanging clank ding dong ding-dong kaboom thump thumping plop splat whack smack zap zoom zing ping pow wham bam "
    "vroom rattle rattling clatter clattering crackle crackling creak creaking rustle rustling swish squish gurgle "
    "murmur hum humming purr chirp tweet woof meow moo oink quack ribbit neigh honk beep toot clink clunk "
    "tick-tock ticktock snap pop crunch crunching fizz fizzing whir whirr whirring whizz whizzed drip "
    "plink plunk rumble rumbling roar pitter patter achoo ahem shh psst phew ugh argh brrr".split()
)
SOUNDS_MILD = frozenset(
    "ping smack zoom snap pop tweet hum drip roar crunch bang crash boom murmur rattle splash "
    "humming beep crackle rumble buzz".split()
)  # plain nouns and verbs as well
# What stays short or common in capitals for emphasis; longer words in capitals are judged by their letters.
SHOUTED = frozenset(
    "all also and any away back bad best big both but call can come dead did done dont down each easy else even ever "
    "fact fast feel few find fine for free from full fun get give goes gone good great had half hard has hate have "
    "help her here high him his home hope how huge just keep kind know last late less life like live long look lose "
    "lost lot love made main make many math mind more most move much must near need never new next nice no none not "
    "now off old one only open out over own part past plan poor pure rare real rest rich right risk safe same save "
    "see self she should show sick side slow so some soon sort stay still stop such sure take talk tell that the "
    "their them then they this thus time told too took true try two urge use very vast wait walk want was way weak "
    "well went were what when who whole why wide wild will win with won wont work wow yes yet you your zero "
    "amazing critical key fail top".split()
)
STOP = frozenset(
    "a about after again all also am an and another any are as at be been before being both but by can could did do "
    "does down each even ever every few for from had has have her here hers him his how i if in into is it its just "
    "like made make many may me more most much must my no nor not now of off on once one only or other our out over "
    "own per same she should so some such than that the their them then there these they this those through to too "
    "two under until up upon us very via was way we well were what when where which while who whose why will with "
    "without would yet you your s t".split()
)  # between the words that alliterate
NEGATIONS = frozenset(("not", "cannot"))
CONTRACTED = frozenset(
    "don't doesn't didn't isn't aren't wasn't weren't can't couldn't won't wouldn't shouldn't haven't hasn't hadn't "
    "mustn't ain't i'm i've i'll i'd you're you've you'll you'd we're we've we'll we'd they're they've they'll they'd "
    "he's he'll he'd she's she'll she'd it's it'll it'd that's that'll there's what's let's who's here's where's "
    "how's".split()
)
PHRASES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "hedges": {
            "sort": ("sort of ",),
            "kind": ("kind of ",),
            "sense": ("in a sense",),
            "extent": ("to some extent",),
            "think": ("i think ",),
            "guess": ("i guess ",),
            "far": ("as far as ",),
            "less": ("more or less",),
            "entirely": ("not entirely ",),
        },
        "certainty": {
            "doubt": ("no doubt", "without a doubt", "without doubt", "beyond doubt", "beyond any doubt"),
            "question": ("without question", "beyond question", "no question"),
            "dispute": ("beyond dispute",),
            "mistake": ("make no mistake",),
            "fact": ("the fact is", "is a fact"),
            "denying": ("no denying",),
            "denied": ("be denied",),
            "stop": ("full stop",),
            "sure": ("i am sure", "i'm sure", "for sure"),
            "insist": ("i insist",),
        },
        "conditionals": {
            "long": ("as long as ", "so long as "),
            "case": ("in case ",),
            "condition": ("on condition",),
            "were": ("were to ",),
        },
    }
)  # by the word without which a phrase can't occur
NO_SIMILE = (" like a lot ", " like a bit ", " like the one ", " like the rest ", " like the way ")
NO_COMPARED = frozenset(
    "well soon long far much many good possible such little few often in a the it he she they we i you for to early "
    "late recently just same not".split()
)
NO_COMPARISON = frozenset("possible it he she they we i you well to before ever needed".split())
