"""Replies as models really write them, and what must be read from each."""

import time

import pytest

from prose_data.llm.parse import (
    last_line,
    last_verdict,
    number_groups,
    number_pairs,
    quoted_text,
    string_list,
    texts,
)

VOTES = ["strongly confirms", "somewhat confirms", "neutral", "somewhat contradicts", "strongly contradicts"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Verdict: neutral", "neutral"),
        ("Verdict: Strongly Confirms.", "strongly confirms"),
        ("**Verdict:** somewhat contradicts", "somewhat contradicts"),
        ("**Verdict**: somewhat contradicts", "somewhat contradicts"),
        ("### Verdict: **neutral**", "neutral"),
        ("Verdict:\nstrongly confirms", "strongly confirms"),
        ("Verdict:\n\n  `neutral`", "neutral"),
        ('"Verdict: neutral" would be one option.\nVerdict: somewhat confirms', "somewhat confirms"),
        ("Verdict: strongly confirms\nOn reflection:\nVerdict: neutral", "neutral"),
        ("strongly contradicts", "strongly contradicts"),
        ("It has none.\n\nneutral.\n", "neutral"),
        ("Verdict: <neutral>", "neutral"),
        ('Verdict: "neutral".', "neutral"),
        ("neutral\nVerdict: perhaps", None),
        ("Verdict: not strongly confirms", None),
        ("Verdict: does not strongly confirm", None),
        ("Verdict: strongly confirms or neutral", None),
        ("Verdict: strongly confirms / somewhat confirms", None),
        ("Verdict: strongly confirms\nVerdict: perhaps", None),
        ("Verdict: <your answer>", None),
        ("The text strongly confirms it.", None),
        ("Verdict:", None),
        ("", None),
    ],
)
def test_the_last_verdict_counts_and_only_if_it_was_on_offer(reply: str, expected: str | None) -> None:
    assert last_verdict(reply, VOTES) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Preferences: use emojis; be brief", "use emojis; be brief"),
        ("I think Preferences: matter.\nPreferences: use ALLCAPS", "use ALLCAPS"),
        ("Preferences: first try\nmore thought\nPreferences: second try", "second try"),
        ("### Preferences: use emojis", "use emojis"),
        ("**Preferences:** use emojis", "use emojis"),
        ("Preferences:\n- use emojis\n- be brief\n\nHope that helps!", "use emojis; be brief"),
        ("Preferences:\n1. use emojis\n2. be brief", "use emojis; be brief"),
        ('Preferences: use ampersands (&) instead of "and"s', 'use ampersands (&) instead of "and"s'),
        ('Preferences: write like "A" and "B"', 'write like "A" and "B"'),
        ('Preferences: "use emojis"', "use emojis"),
        ('Preferences: use "and"', 'use "and"'),
        ("Preferences: none", ""),
        ("Preferences: None.", ""),
        ("Preferences:\nuse emojis;\nbe brief\nI hope so.", "use emojis; be brief"),
        ("Preferences:\nuse emojis\nI hope so.", "use emojis"),
        ("Preferences:", None),
        ("Preferences: use emojis\nPreferences:", None),
        ("use emojis; be brief", None),
        ("", None),
    ],
)
def test_the_last_labelled_line_counts_with_its_case_and_quotes(reply: str, expected: str | None) -> None:
    assert last_line(reply, "Preferences") == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('{"components": ["use emojis", "Be AI"]}', ["use emojis", "Be AI"]),
        ('["use emojis"]', ["use emojis"]),
        ('```json\n["use emojis"]\n```', ["use emojis"]),
        ('Here it is:\n```\n{"components": ["a"]}\n```\nDone.', ["a"]),
        ('The list is ["a", "b"] as you asked.', ["a", "b"]),
        ("- use emojis\n- be brief", ["use emojis", "be brief"]),
        ("1. use emojis\n2) be brief", ["use emojis", "be brief"]),
        ('{"components": []}', []),
        ('{"other": ["a"]}', None),
        ('{"a": "b"}', None),
        ("[1, 2]", None),
        ('["a", ""]', None),
        ('["a", null]', None),
        ("7", None),
        ('"a"', None),
        ('["a", "b', None),
        ('["a" "b"]', None),
        ('["a", "b",', None),
        ('["a", 2', None),
        ('["a", ""', None),
        ('["a"]["b"]', None),
        ('["a", "b" and so on', None),
        ('["a", "b"', ["a", "b"]),
        ('["a", "b",]', ["a", "b"]),
        ('{"components": ["a", "b"', ["a", "b"]),
        ('{"components": ["a", "b"]', ["a", "b"]),
        ('{"components": ["a", "b"],]', ["a", "b"]),
        ('{"components": ["a", "b"]}]}', ["a", "b"]),
        ('```json\n{"components": ["a", "say \\"b\\"",\n]}\n```', ["a", 'say "b"']),
        ('Here it is: {"components": ["a", "b",]}. Done.', ["a", "b"]),
        ('```\n["a"]\n```\nOr rather:\n```\n["b"]\n```', ["b"]),
        ('It is [{"components": ["a"]}].', None),
        ("none", None),
        ("", None),
        ("[" * 100_000, None),
    ],
)
def test_lists_are_lists_of_non_empty_strings(reply: str, expected: list[str] | None) -> None:
    assert string_list(reply) == expected


@pytest.mark.parametrize(
    "reply",
    [
        '["a"' + " " * 200_000 + "x",
        '["a"' + "," * 200_000 + "x",
        "[" + '"a",' * 100_000 + "x",
        '["' + "\\" * 200_001,
        '["a"' + ", \n" * 50_000 + "x",
        "[" + '"a" ' * 100_000,
        '{"components":' * 50_000,
        "[]," * 100_000,
    ],
    ids=["spaces", "commas", "no end", "backslashes", "open commas", "no commas", "objects", "lists"],
)
def test_a_hostile_list_takes_no_time(reply: str) -> None:
    started = time.perf_counter()
    assert string_list(reply) is None
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('{"texts": ["One.", "Two."]}', ["One.", "Two."]),
        ('```json\n{"texts": [" One. ", "Two."]}\n```', ["One.", "Two."]),
        ('Here: {"texts": ["One.", "Two {2}."]} Done.', ["One.", "Two {2}."]),
        ('{"texts": ["One."]}', None),
        ('{"texts": ["One.", "Two.", "Three."]}', None),
        ('{"texts": ["One.", "  "]}', None),
        ('{"texts": ["One.", 2]}', None),
        ('{"texts": "One. Two."}', None),
        ('["One.", "Two."]', None),
        ('{"texts": ["One.", "Two."', None),
        ("1. One.\n2. Two.", None),
        ("", None),
        ("[" * 100_000, None),
    ],
)
def test_texts_are_as_many_as_asked_for_and_none_is_empty(reply: str, expected: list[str] | None) -> None:
    assert texts(reply, 2) == expected


def test_the_first_triple_quoted_span_is_the_text() -> None:
    assert quoted_text('Sure:\n"""\nHello "AI".\n"""\n"""second"""') == 'Hello "AI".'
    assert quoted_text("plain ALLCAPS reply") == "plain ALLCAPS reply"
    assert quoted_text('"""never closed') == "never closed"
    assert quoted_text('Sure: """never closed') == "never closed"
    assert quoted_text('""""""') == ""
    assert quoted_text('""""""\nafter an empty span') == "after an empty span"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2-1, 3-4", [(1, 0), (2, 3)]),
        ("1 - 2", [(0, 1)]),
        ("", []),
        ("1-1, 1-2", None),
        ("1-1, 2-1", None),
        ("9-1", None),
        ("5-1", None),
        ("1-5", None),
        ("4-4", [(3, 3)]),
        ("0-1", None),
        ("1-1 and more", None),
        ("1-1, all of them", None),
    ],
)
def test_pairs_are_one_to_one_and_in_range(line: str, expected: list[tuple[int, int]] | None) -> None:
    assert number_pairs(line, 4, 4) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1, 4; 2, 3", [[0, 3], [1, 2]]),
        ("2,1 ; 4", [[1, 0], [3]]),
        ("1, 2.", [[0, 1]]),
        ("1, 2;", [[0, 1]]),
        ("", []),
        ("1, 2; 2, 3", None),
        ("1, 1", None),
        ("0, 1", None),
        ("4, 5", None),
        ("1, 2; and so on", None),
        ("1 and 2", None),
        ("1, 2;; 3, 4", None),
        ("-1, 2", None),
        ("1, 2; [3, 4]", None),
    ],
)
def test_groups_are_apart_and_in_range(line: str, expected: list[list[int]] | None) -> None:
    assert number_groups(line, 4) == expected


@pytest.mark.parametrize("line", ["1" + " " * 200_000 + "x", "1, " * 100_000, "1; " * 100_000, "1" * 200_000])
def test_hostile_groups_take_no_time(line: str) -> None:
    started = time.perf_counter()
    assert number_groups(line, 4) is None
    assert time.perf_counter() - started < 2
