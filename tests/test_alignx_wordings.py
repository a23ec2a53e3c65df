"""The simulated model's words for the 90 directions: what it writes shows what it was told, and nothing else."""

import random
from collections import Counter

import pytest

from prose_data.alignx.dimensions import COUNT, Pole, opposite
from prose_data.alignx.leaks import quoted
from prose_data.simulator.alignx_reader import noticed, shown
from prose_data.simulator.alignx_tables import wordings
from prose_data.simulator.alignx_writer import persona, posts, replies, reply, topic
from prose_data.simulator.skills import SKILLS

POLES: list[Pole] = [(index, positive) for index in range(COUNT) for positive in (True, False)]
TABLES = wordings()
TOPICS = list(TABLES.topics.items())
ROLES = TABLES.phrases["who"]
BRIEFS = [f"{about}; {ROLES[at % len(ROLES)]}; {TABLES.aims[at % 5]}" for at, (about, _) in enumerate(TOPICS)]


def _some_poles(rng: random.Random, count: int) -> tuple[Pole, ...]:
    return tuple((index, rng.random() < 0.5) for index in sorted(rng.sample(range(COUNT), count)))


def test_each_pole_has_several_wordings_and_each_shows_just_that_pole() -> None:
    for pole in POLES:
        assert len(set(TABLES.says[pole])) >= 6
        for number, text in enumerate(TABLES.says[pole]):
            it = TOPICS[(7 * number + pole[0]) % len(TOPICS)][1]
            assert shown(f"Honestly, {text.replace('{it}', it)}.") == (pole,), text
        for text in TABLES.traits.get(pole, ()):
            assert shown(f"Meet a night nurse who {text}.") == (pole,), text


def test_what_says_nothing_shows_nothing() -> None:
    for kind in ("opener", "filler", "lead", "start", "detail", *TABLES.aims):
        for text in TABLES.phrases[kind]:
            assert shown(text.replace("{it}", "the piano move")) == (), text
    assert not [text for text in posts("a", BRIEFS) if shown(text)]
    assert shown("The committee met on Tuesday and approved the budget for the new library.") == ()


def test_no_wording_quotes_a_label() -> None:
    texts = [text for own in TABLES.says.values() for text in own]
    texts += [text for own in TABLES.traits.values() for text in own]
    texts += [text for own in TABLES.phrases.values() for text in own] + BRIEFS
    assert not [text for text in texts if quoted(text)]


def test_a_post_names_its_topic_once_and_no_other() -> None:
    for post, (_, it) in zip(posts("a", BRIEFS), TOPICS, strict=True):
        assert topic(post) == it
        assert sum(about.lower() in post.lower() for about, _ in TOPICS) == 1
    assert topic("A post about the tides.") == topic("") != ""


def test_a_reply_shows_what_it_was_told_as_far_as_the_writer_follows() -> None:
    rng = random.Random(0)
    told = [_some_poles(rng, 4) for _ in range(300)]
    written = [shown(reply(f"m{n}", 0.9, "A post.", "the piano move", poles)) for n, poles in enumerate(told)]
    assert all(set(found) <= set(poles) and found for found, poles in zip(written, told, strict=True))
    share = sum(map(len, written)) / (4 * len(told))
    assert 0.87 < share < 0.94
    assert shown(reply("m", 1.0, "A post.", "the piano move", told[0])) == told[0]
    assert shown(reply("m", 0.0, "A post.", "the piano move", told[0])) == told[0][:1], "never nothing at all"


def test_two_replies_to_one_post_are_about_equally_long_whichever_poles_they_speak_for() -> None:
    rng = random.Random(1)
    for index in (2, 16, 44, 46):  # those whose poles' wordings differ most in length
        longer = []
        for number in range(600):
            poles = ((index, True), *((at, rng.random() < 0.5) for at in rng.sample(range(50, 90), 2)))
            one, other = replies(f"m{number}", 1.0, "A post.", "the piano move", poles, opposite(poles))
            assert max(len(one), len(other)) < 2 * min(len(one), len(other)) and one != other
            longer.append(len(one) > len(other))
        assert 0.43 < sum(longer) / len(longer) < 0.57, index


def test_a_persona_names_likes_and_dislikes_first_and_shows_all_else() -> None:
    rng = random.Random(2)
    for number in range(200):
        poles = _some_poles(rng, 1 + number % 16)
        text = persona(f"m{number}", 1.0, poles)
        assert shown(text) == poles, text
        if any(index >= 47 for index, _ in poles):
            first = set(shown(text.partition(". ")[0] + "."))
            assert first == {pole for pole in poles if pole[0] >= 47}


def test_the_same_item_is_written_alike_wherever_it_stands_and_otherwise_differs() -> None:
    poles = ((3, True), (59, False))
    texts = {
        reply("m", 0.9, "A post.", "the piano move", poles),
        reply("m", 0.9, "A post.", "the piano move", list(poles)),
    }
    assert len(texts) == 1
    texts |= {reply("other", 0.9, "A post.", "the piano move", poles)}
    texts |= {reply("m", 0.9, "Another post.", "the piano move", poles)}
    texts |= {reply("m", 0.9, "A post.", "the piano move", opposite(poles))}
    assert len(texts) == 4


def test_texts_hardly_ever_repeat() -> None:
    written = [post for number in range(20) for post in posts(f"m{number}", BRIEFS)]
    assert len(set(written)) == len(written)
    one_topic = [posts(f"m{number}", BRIEFS[:1])[0] for number in range(2_000)]
    assert len(set(one_topic)) == len(one_topic)
    first = Counter(text.split()[0] for text in one_topic)
    assert max(first.values()) < 0.2 * len(one_topic)


@pytest.mark.parametrize(("model", "least", "most"), [("sim-strong", 0.78, 0.86), ("sim-weak", 0.34, 0.44)])
def test_a_reader_notices_as_much_as_its_skills_say(model: str, least: float, most: float) -> None:
    rng = random.Random(3)
    told = [_some_poles(rng, 4) for _ in range(500)]
    right = wrong = 0
    for number, poles in enumerate(told):
        found = noticed(reply(f"m{number}", 1.0, "A post.", "it", poles), SKILLS[model], rng)
        right += len(set(found) & set(poles))
        wrong += len(set(found) - set(poles))
    assert least < right / (4 * len(told)) < most
    assert 0 < wrong < 0.8 * len(told)
