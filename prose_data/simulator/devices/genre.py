"""Devices of genre: the whole text poses as a tweet, a screenplay, a broadcast, a rhyme or a children's book."""

from random import Random

from prose_data.features import Features
from prose_data.simulator.devices.lexis import simplify
from prose_data.simulator.devices.verse import TAG, rhyme, write_rhyme
from prose_data.simulator.devices.words import Apply, both, cue_device, fill
from prose_data.simulator.edits import put_first, put_last
from prose_data.simulator.page import Device, Page


def _tweet(text: Features) -> float:
    """Return how short and how tagged the text is; 280 characters without a tag are a fifth of a tweet."""
    words = len(text.words)
    if not words:
        return 0.0
    tags = len(TAG.findall(text.text))
    short = min(1.0, max(0.0, (190 - words) / 100))
    marks = 0.0 if tags == 0 else 0.55 if tags == 1 else 1.0
    return short * max(marks, 0.2 if len(text.text) <= 280 else 0.0)


def _cut(sentence: str, limit: int) -> str:
    """Return the sentence's first `limit` words at most, cut at a comma where one comes late enough."""
    words = sentence.split()
    if len(words) <= limit:
        return sentence
    stops = [i + 1 for i, word in enumerate(words[:limit]) if word.endswith((",", ";", ":")) and i >= 8]
    return " ".join(words[: stops[-1] if stops else limit]).rstrip(",;:") + "."


def _write_tweet(page: Page, rng: Random) -> None:
    """Keep the first sentence and what else fits into about 45 words; add two or three hashtags."""
    sentences = page.sentences() or [""]
    kept = [_cut(sentences[0], 32)]
    for sentence in sentences[1:]:
        if sum(len(s.split()) for s in [*kept, sentence]) <= 45:
            kept.append(sentence)
    topic = [word for word in page.topic if word.isalpha()] or ["news", "today"]
    if len(topic) == 1:
        topic.append(rng.choice(("news", "today", "thread", "update", "now")))
    tags = rng.sample(topic[:5], min(len(topic), rng.choice((2, 3))))
    page.paragraphs = [[sentence for sentence in kept if sentence]]
    page.prefixes = page.prefixes[:1]
    page.paragraphs[0].append(" ".join(f"#{tag}" for tag in tags))


def _framed(openings: tuple[str, ...], closings: tuple[str, ...]) -> Apply:
    """Return the change that puts one of `openings` first and one of `closings` last."""

    def apply(page: Page, rng: Random) -> None:
        put_first(page, fill(rng.choice(openings), page, rng))
        put_last(page, fill(rng.choice(closings), page, rng))

    return apply


_SPEAKERS = ("Narrator: ", "Voice-over: ", "Narrator, off screen: ", "First voice: ", "Second voice: ")


def _write_speakers(page: Page, rng: Random) -> None:
    """Give about a third of the sentences to speakers."""
    for paragraph in page.paragraphs:
        for i in range(len(paragraph)):
            if rng.random() < 0.3 and not page.prefixes:
                paragraph[i] = rng.choice(_SPEAKERS) + paragraph[i]


DEVICES_GENRE: tuple[Device, ...] = (
    cue_device(
        "stream",
        "genre",
        ("write using a stream-of-consciousness style", "let thoughts flow as they come"),
        (r"\bstream[- ]of[- ]consciousness", r"\bfree association", r"\brambl(?:e|es|ing)\b"),
        """where was i, wait no, no wait, no where was, what was it, was it about, keep thinking, the mind, mind drifts, mind wanders,
        thoughts drift, drifting, drifting now, wanders, it wanders, and then what, and then again, round it goes, round again,
        slips away, slips into, slips, i forget, on it goes, and on it, one thought, another thought, same thought, the thought,
        thinking of, not thinking, back again, funny how, strange how, odd how, and now this, now that, always always, circling,
        there it goes, there it is, gone again, the next and, into the next, no end to, hold on was, no matter the, something else,
        the tip of, my mind, my thoughts, oh and, and and""",
        """
        Wait, no, where was I, yes, {s}, and on it goes.
        Funny how one thought slips into another, {s}, and then {s}.
        And {s}, and then what was it, something else, gone again.
        Drifting now, the mind drifts, back to {s}, and away.
        Strange how it keeps circling, circling, back again.
        It was on the tip of the tongue, no, gone again.
        Thinking of {s}, or not thinking, drifting along.
        And now this, and now that, the thought slips away.
        What was it about {s}, there it is, there it goes.
        Round it goes, round again, {s}, the same thought, the same.
        One thing runs into the next, and the next, no end to it.
        Hold on, was it {s}, no matter, the mind wanders, so it wanders.
        """,
        stage=50,
        salience=0.9,
        full=6,
        floor=1,
    ),
    cue_device(
        "childrens_book",
        "genre",
        (
            "write in the style of a children's book",
            "style targeted to young children",
            "tell it to small children",
        ),
        (
            r"\bchild(?:ren)?(?:['’]s)? (?:book|stor)",
            r"\b(?:young|small|little) (?:children|kids|readers)\b",
            r"\bfor kids\b",
        ),
        """once upon a, upon a time, little one, little ones, little friend, little friends, teeny, teeny tiny, teeny weeny, tiny, bunny,
        teddy, snuggle, cuddle, cozy, cosy, bedtime, mommy, mummy, daddy, grown ups, the end, happily ever, hooray, yay, goodnight,
        good night, big big, very very, yummy, puppy, kitten, kittens, hop, hopped, skip, skipped, rainbow, magical, tippy toes,
        sleepy, fluffy, all the way home, very big, snug, all cried, piglet, fairy, princess, dragon, so so""",
        """
        The little ones all cried hooray.
        Very, very big it was, and very, very grand.
        A fluffy bunny hopped by to look at {s}.
        Snuggle up, little one, there is more about {s}.
        Hop, skip, hop, all the way home.
        The sleepy teddy wanted to hear all about {s}.
        What a big, big day for the tiny bunny.
        Even the puppy knew about {s}, yay.
        The grown-ups waved, and the kittens hopped.
        Soon it was bedtime, cosy and snug.
        A magical rainbow hung over {s}.
        Good night, {s}, good night, little friends.
        """,
        stage=50,
        salience=0.95,
        count=3,
        full=5,
        floor=1,
        implies=("simple_words", "storytelling"),
        rewrite=both(
            simplify,
            _framed(
                (
                    "Once upon a time, there was a teeny tiny secret about {s}.",
                    "Once upon a time, in a cosy place, somebody spoke of {s}.",
                    "Once upon a time, little ones, there was a very big surprise about {s}.",
                ),
                ("The end, little friends.", "And that is the end, good night.", "The end, and hooray."),
            ),
        ),
    ),
    cue_device(
        "storytelling",
        "genre",
        ("storytelling",),
        (
            r"\bstory-?tell",
            r"\bnarrative (?:arc|style)",
            r"\btell(?:s|ing)? (?:it as )?(?:a )?stor(?:y|ies)\b",
        ),
        """upon a time, it all began, it began, one day, one morning, one evening, one night, one quiet morning, long ago, so it was,
        and so the, the tale, this tale, tale of, our tale, our story, story begins, story goes, our hero, our heroes,
        hero, heroine, meanwhile, at last, from that day, that day on, suddenly, then came, journey, a long journey, set out,
        set in motion, legend, the legend, adventure, the adventure, as fate would, fate, no sooner, to this day, there lived,
        never forget, entered the tale, found them""",
        """
        It all began one quiet morning.
        And so the tale of {s} was set in motion.
        Long ago, there was only {m} and the start of an adventure.
        Then came the moment that our heroes would never forget.
        Meanwhile, our story turns to {s}.
        One day, as fate would have it, the wind turned.
        And so it was that {s} entered the tale.
        At last, after a long journey, the answer arrived.
        From that day on, {m} was part of the legend.
        To this day, people tell the tale of {s}.
        Suddenly, our hero had to choose.
        Meanwhile, at last, the story came to {s}.
        No sooner had the day begun than the adventure found them.
        """,
        stage=50,
        salience=0.75,
        full=5,
        floor=1,
    ),
    Device(
        "tweet",
        "genre",
        ("write in the style of a tweet", "tweet style", "post it as a tweet"),
        (r"\btweets?\b", r"\btwitter\b", r"\bhash-?tags?\b"),
        10,
        0.95,
        _write_tweet,
        _tweet,
        implies=("brief",),
    ),
    cue_device(
        "screenplay",
        "genre",
        ("write in the style of a screenplay", "lay it out as a film script"),
        (r"\bscreenplay", r"\b(?:film|movie) script", r"\bstage directions"),
        """fade in, fade out, fade in on, cut to, fade to black, to black, smash cut, close on, close up, camera pans, the camera, voice over,
        voiceover, narrator, narrator off, first voice, second voice, int, ext, interior, exterior, dissolve to, pan to, pull back,
        wide shot, shot of, off screen, stage left, stage right, stage directions, montage, title card, end scene, curtain falls,
        act one, scene one, long beat, a beat, the frame, some time later, continuous""",
        """
        Cut to a wide shot of {s}, interior, night.
        Narrator: This is where {m} enters the frame.
        The camera pans slowly across the room, a beat.
        Narrator, in voice-over: Nobody speaks of {s} yet.
        Close on a hand, then pull back to {s}.
        Interior, archive room, day, with {s} close up on the table.
        Exterior, a street at night, the camera low.
        Smash cut to {s}, off screen noise, then a long beat.
        Dissolve to a montage of {s}.
        Stage directions: a pause, a glance, a beat.
        Title card: {s}, some time later.
        Pull back to a wide shot, and hold on {s}.
        """,
        stage=50,
        salience=0.95,
        count=3,
        full=5,
        floor=1,
        rewrite=both(
            _write_speakers,
            _framed(
                (
                    "Fade in on {s}, interior, early morning.",
                    "Scene one: {s}, exterior, day.",
                    "Fade in: a wide shot of {s}.",
                ),
                ("Fade to black.", "Fade out, end scene.", "Cut to black, and the curtain falls."),
            ),
        ),
    ),
    cue_device(
        "podcast",
        "genre",
        ("write in the style of a podcast", "host it like a podcast"),
        (r"\bpodcast",),
        """welcome back, welcome to the, this episode, today's episode, brand new episode, episode, the episode, podcast, this podcast,
        the show, our show, to the show, show notes, listeners, a listener, subscribe, hit subscribe, our host, your host, co host,
        co hosts, our guest, today's guest, guest today, off mic, the mic, earbuds, headphones, last season, hit play, press play,
        quick break, the break, a review, listener mail, segment, next week, thanks for listening, theme music, intro music""",
        """
        Today's episode is all about {s}.
        Our guest today knows {s} inside out.
        Listeners have been asking about {s} all week.
        More on that after a quick break.
        This podcast has covered {s}, check the show notes.
        Grab those headphones, listeners, because this one is good.
        As the co-host said off mic, {m} is the thing.
        Hit subscribe, and the next episode lands next week.
        A listener from last season wrote in about {s}.
        That is the {t} segment, next up is listener mail.
        Press play again later, the show stays on {s}.
        Our guest brought {s} along for this episode.
        """,
        stage=50,
        salience=0.95,
        count=3,
        full=5,
        floor=1,
        rewrite=_framed(
            (
                "Welcome back to the show, listeners.",
                "Welcome back to a brand new episode on {s}.",
                "Welcome to the podcast, and press play on {s}.",
            ),
            (
                "That is the episode, see the show notes.",
                "That is the show, until next week, listeners.",
                "More in the next episode of this podcast.",
            ),
        ),
    ),
    cue_device(
        "old_radio",
        "genre",
        ("write in the style of old timey radio", "announce it like a vintage radio host"),
        (r"\bradio\b", r"\bold[- ]tim(?:ey|e) (?:radio|broadcast)"),
        """ladies and gentlemen, ladies gentlemen, good evening, stay tuned, tune in, that dial, the dial, airwaves, the airwaves, wireless,
        the wireless, broadcast, this broadcast, this station, coast to coast, announcer, the announcer, our sponsor, brought to you,
        folks, say folks, swell, mighty swell, golly, by golly, gee whiz, gee, programme, program, orchestra, studio orchestra,
        bulletin, the makers of, gather round, transmission, on the air, to the air, radio, radioland, old chum, jeepers, humdinger,
        now a word, a word from, dance band, good night folks, tonight's""",
        """
        Gather round the wireless, folks, for news of {s}.
        Stay tuned, and keep away from that dial.
        This bulletin on {m} comes over the airwaves tonight.
        By golly, {m} is a real humdinger.
        This broadcast is brought to the air by the makers of Sunbeam Soap.
        Say, folks, that {t} business is mighty swell.
        And now, a word from our sponsor.
        The studio orchestra strikes up for {s}.
        Gee whiz, what a programme.
        This station returns to {s} in a moment, folks.
        Up next on the air, {s} and a dance band.
        The announcer tips a hat to {s}, by golly.
        """,
        stage=50,
        salience=0.95,
        count=3,
        full=5,
        floor=1,
        rewrite=_framed(
            (
                "Good evening, ladies and gentlemen, from coast to coast.",
                "Good evening, folks, and gather round the wireless.",
                "Ladies and gentlemen, this station is on the air with {s}.",
            ),
            (
                "Stay tuned, folks, and keep that dial where it is.",
                "That ends the broadcast, good night, folks.",
                "Until the next bulletin, ladies and gentlemen, stay tuned.",
            ),
        ),
    ),
    Device(
        "rhyme",
        "genre",
        ("adopt a rhyming structure", "make it rhyme"),
        (r"\brhym", r"\bcouplets?\b", r"\bpoem\b"),
        75,
        0.9,
        write_rhyme,
        rhyme,
    ),
)
