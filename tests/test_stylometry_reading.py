"""Reading a text once: layout, sentences, marks, words and sounds, counted as a careful reader would count them."""

import numpy as np
import pytest

from prose_data.stylometry.bodies import side_by_side
from prose_data.stylometry.layout import Layout, lay_out
from prose_data.stylometry.lookup import Lookup
from prose_data.stylometry.marks import marks
from prose_data.stylometry.reading import read
from prose_data.stylometry.sentences import Sentences, split
from prose_data.stylometry.sound import alliterations, rhymes, rime
from prose_data.stylometry.table import TABLE
from prose_data.stylometry.vocabulary import vocabulary

FILLER = "The boats of the harbour are all in, and that is well for the men who sail with them to the north."


def counted(text: str) -> dict[str, tuple[float, float]]:
    """Return hits and chances by name."""
    hits, chances = read([text])[0].tolist()
    return dict(zip(TABLE, zip(hits, chances, strict=True), strict=True))


def sentences(prose: str, items: str = "") -> Sentences:
    """Return the sentences of one text, its paragraphs and the items of its lists a line each."""
    return split(side_by_side([Layout(prose=prose.splitlines(), items=items.splitlines())]))


def test_a_letter_comes_apart_into_its_parts() -> None:
    page = lay_out(
        "Subject: boats\n\nDear Ms Oz,\n\nAll is well.\nMore soon.\n\nBest wishes,\nIda\n\nP.S. Bring tea.\n"
    )
    assert (page.greeting, page.prose, page.closing, page.postscript) == (
        "Dear Ms Oz,", ["All is well.", "More soon."], ["Best wishes,", "Ida"], True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "closing"),
    [
        ("Hi Jo,\n\nall is well here.\n\nBea", ["Bea"]),
        ("Hi Jo,\n\nall is well here.\n\nThanks for the boat, it is a good one and it sails well.", []),
        ("Thanks for the boat.\nIt is a good one.", []),
        ("A summary of the matter.\n\nLove is all they need.", []),
    ],
)
def test_what_only_looks_like_a_closing_is_none(text: str, closing: list[str]) -> None:
    assert lay_out(text).closing == closing


def test_lines_are_counted_by_kind_and_their_words_kept() -> None:
    page = lay_out(
        "Here it is:\n- one thing\n• another thing\n1. first item\n(2) second item\nStep 3: third thing\n"
        "## A heading\nQ: What is it?\nA: A boat.\nHOST: Good evening.\nThe end is near."
    )
    assert (page.bullets, page.numbered, page.steps, page.headings, page.labelled, page.speakers) == (
        2,
        2,
        1,
        1,
        1,
        1,
    )
    assert page.items == ["one thing", "another thing", "first item", "second item"]
    assert page.prose == ["Here it is:", "third thing", "A boat.", "Good evening.", "The end is near."]


def test_mails_are_unwrapped_and_quotations_of_others_left_out() -> None:
    wrapped = "This line was broken by a mail program in the middle of a\nsentence, as they do.\n\nNext."
    assert lay_out(wrapped).prose == [wrapped.split("\n\n")[0].replace("\n", " "), "Next."]
    answer = "On Monday Jo wrote:\n> - a list!\n> of hers\nMine is this.\n```\nx = 1;\n```\nDone."
    assert lay_out(answer).prose == ["Mine is this.", "Done."]


def test_sentences_end_where_they_end() -> None:
    found = sentences(
        "Dr. Oz met Mr. Ash at 9 a.m. on the quay. They talked... and talked. Was it cold? \"It was!\" she said. "
        "He left (at last.) Then it rained 🎉"
    )  # fmt: skip
    assert found.all(0) == [
        "Dr. Oz met Mr. Ash at 9 a.m. on the quay.", "They talked... and talked.", "Was it cold?", '"It was!"',
        "she said.", "He left (at last.)", "Then it rained 🎉",
    ]  # fmt: skip
    assert found.last(0, 2) == found.all(0)[-2:] and found.asked(0) == ["Was it cold?"]
    assert (found.statements.tolist(), found.first_asks.tolist()) == ([6], [False])


def test_sentences_are_measured_and_pieces_are_none() -> None:
    long = "It goes on and on " + "and on " * 20 + "to the end."
    found = sentences(
        f"No heading here\nIt is short. {long} so small it starts. First, this. Next, that.",
        "Buy bread\nRun.",
    )
    assert [*map(int, (found.statements[0], found.short[0], found.long[0]))] == [6, 5, 1]
    assert (int(found.small[0]), int(found.cased[0]), found.ordered) == (1, 6, {0: {"first", "next"}})


def test_sentences_of_many_texts_are_those_of_each() -> None:
    """An abbreviation or dots at the end of a text or of its prose take nothing from what is behind."""
    texts = [
        ("It is etc.", "they went on..."),
        ("", "and there it was. Was it?"),
        ("", ""),
        ("Mr. Ash.\nso…", ""),
    ]
    pages = [Layout(prose=prose.splitlines(), items=items.splitlines()) for prose, items in texts]
    together = split(side_by_side(pages))
    for number, (prose, items) in enumerate(texts):
        alone = sentences(prose, items)
        assert together.all(number) == alone.all(0) and together.asked(number) == alone.asked(0)
        for counts in ("statements", "short", "small", "cased", "first_asks"):
            assert getattr(together, counts)[number] == getattr(alone, counts)[0]
    assert together.all(3) == ["Mr. Ash.", "so…"]


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("salt & pepper & Smith & Sons & R&D", "ampersands", 2),
        ("It is HUGE, REALLY huge, and NOT small. NASA and the EU say so.", "allcaps", 3),
        ("THIS WHOLE LINE IS A TITLE. But WHY?", "allcaps", 1),
        ("Nice 🎉🎉 day ☀", "emojis", 3),
        ("a café — quite good…", "emojis", 0),
        ("fun :-) more ;) and <3 at 10:30; see a:b", "emoticons", 3),
        ("He came (late, as ever) on time (see p. 3) in (2019), f(x).", "parentheses", 1),
        ("one; two; (three; four) &amp; five;six", "semicolons", 2),
        ("one — two – three -- four - five, 1914–18, well-known --option", "dashes", 4),
        ("wait... what… [...] no. . .", "ellipses", 2),
        ("Yes! No!! a != b", "exclamations", 2),
        ("a *key* and a **bold term**, 3 * 4 * 5, *key* again", "asterisks", 2),
        ("#fun at #Work2 but not &#39; or a#b or # heading", "hashtags", 2),
        ('a "so-called" thing, "very short words", "but this is a quotation"', "quotation_marks", 2),
    ],
)
def test_marks_are_counted_and_look_alikes_are_not(text: str, name: str, count: int) -> None:
    assert marks(text, text).get(name, 0) == count


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("I know that my boat is the one that I want, i.e. the best.", "first_singular", 3),
        ("They sent the US fleet to us and to ours.", "first_plural", 3),
        ("Perhaps it may rain, as it seems, to some extent.", "hedges", 4),
        ("There is no doubt that it is certainly, certainly so.", "certainty", 2),
        ("If it rains, as long as it rains, unless it stops.", "conditionals", 3),
        ("It fell like a stone, as quiet as a mouse, as soon as it could, like a lot of them.", "similes", 2),
        ("Thou hast the boat upon the sea.", "archaic", 3),
        ("Upon the sea, hence, and amongst the boats of the harbour.", "archaic", 0),
        ("The dope legit epic fire of that ship.", "slang", 0),
        ("Lol, that is a dope vibe for the ship.", "slang", 3),
        ("Bang and whoosh went the ship to the quay.", "onomatopoeia", 2),
    ],
)
def test_words_are_counted_by_class(text: str, name: str, count: int) -> None:
    assert counted(f"{FILLER} {text}")[name][0] == count


def test_forms_that_could_be_contracted_are_the_chances_of_contraction() -> None:
    found = counted(
        f"{FILLER} It's late, they don't care, and we cannot say. It is not that I do not try, I've said."
    )
    assert found["contractions"] == (3, 6) and found["no_contractions"] == (3, 6)
    assert counted(f"{FILLER} It's late.")["contractions"][1] == 0  # too few to tell


def test_what_is_too_short_or_no_english_has_no_vocabulary() -> None:
    german = "der Hund ist ein Tier und frisst gern viel Fleisch von der Kuh"
    texts = ["", "the of and", german, FILLER]
    assert vocabulary([text.lower().encode() for text in texts]).english.tolist() == [
        False,
        False,
        False,
        True,
    ]
    assert vocabulary([]).english.size == 0


def test_texts_are_read_together_as_each_alone() -> None:
    """Across the borders of what is looked up at once, too."""
    texts = [f"{FILLER} Bang, perhaps I shall, number {n}. " * (1 + n % 7) for n in range(300)]
    texts[40:40] = ["", "x" * 250_000, "\ud800"]
    together = read(texts)
    assert together.shape == (303, 2, len(TABLE))
    assert all((together[n] == read([texts[n]])[0]).all() for n in (0, 39, 40, 41, 42, 43, 150, 302))


@pytest.mark.parametrize(
    ("text", "rhetorical", "curious", "opening"),
    [
        ("Who knew? It rained and it rained. Isn't that odd?", 2, 0, 1),
        ("It rained. Could you tell me why? I wonder where it came from.", 0, 2, 0),
        ("What is it? Nobody knows that. What was it then? Nobody asked.", 1, 0, 1),
    ],
)
def test_questions_are_told_apart(text: str, rhetorical: int, curious: int, opening: int) -> None:
    found = counted(f"{text} {FILLER}")
    assert (found["rhetorical_questions"][0], found["inquisitive"][0]) == (rhetorical, curious)
    assert found["question_opening"][0] == opening


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"TL;DR: the boats are in.\n\n{FILLER}", {"conclusion_opening"}),
        (
            f"Hello Jo,\n\n{FILLER}\n\nThanks again!\n\nYours,\nKim the Weary",
            {"greeting", "thanks", "epithet"},
        ),
        (f"Hello Jo,\n\n{FILLER}\n\nRegards,\nKim Weary", {"greeting"}),
        (f"First, it rains. {FILLER} Next, it snows. Then, it thaws. Finally, it is warm.", {"steps"}),
        (f"First, it rains. {FILLER} Second, it snows. Third, it thaws.", set()),
    ],
)
def test_openings_closings_and_orders(text: str, names: set[str]) -> None:
    found = counted(text)
    looked_at = ("greeting", "thanks", "epithet", "postscript", "conclusion_opening", "steps")
    assert {name for name in looked_at if found[name][0]} == names


def test_rhymes_are_heard_in_their_spelling() -> None:
    verses = ["He sailed by day,", "and went away,", "in the pale light", "of a winter night."]
    assert rhymes(verses) == (4, 4)
    assert rhymes(["It is a boat.", "It was a ship.", "Rain fell all week.", "She left it there."]) == (0, 4)
    assert rhymes(["the same", "the same", "the same", "the same"]) == (0, 4)
    assert rime("night") == rime("kite") and rime("sailing") == ""


def test_words_alliterate_in_runs_of_three() -> None:
    texts = [
        "big bold boats sail safely north",
        "all are always",
        "",
        "my many",
        "mad men meet more merry mice",
    ]
    initials = np.frombuffer(
        "".join(word[0] for text in texts for word in text.split()).encode(), dtype=np.uint8
    )
    owner = np.repeat(np.arange(len(texts)), [len(text.split()) for text in texts])
    assert alliterations(initials, owner, len(texts)).tolist() == [3, 0, 0, 0, 6]
    assert alliterations(initials[:0], owner[:0], 2).tolist() == [0, 0]


def test_known_words_are_found_in_any_text_by_their_letters() -> None:
    known = ["boat", "boats", "a", "o", "don't", "x1", "boatswain's", "incontrovertible"]
    texts = [b"a boat  boats aboat boat' don't", b"", b" x1 x11 1x o a ", b"boa t boatsboats"]
    texts.append(b"boatswain's boatswain'sx boatswain incontrovertible incontrovertibles incontrovertibly")
    words = Lookup(known).words(texts)
    assert words.text.tolist() == [0] * 6 + [2] * 5 + [3] * 3 + [4] * 6
    named = [known[number] if number >= 0 else "" for number in words.known]
    assert named[:14] == ["a", "boat", "boats", "", "", "don't", "x1", "", "", "o", "a", "", "", ""]
    assert named[14:] == ["boatswain's", "", "", "incontrovertible", "", ""]
    assert bytes(words.initial) == b"abbabdxx1oabtbbbbiii"
    assert Lookup(known).words([]).text.size == 0
    with pytest.raises(ValueError, match="longer than 16 bytes"):
        Lookup(["incontrovertibles"])
