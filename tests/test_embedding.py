"""Encoders: what is alike comes first, in every process, and no text is too strange."""

import hashlib
import os
import subprocess
import sys
from typing import get_args

import numpy as np
import pytest

from prose_data.config import Retrieval
from prose_data.embedding import ENCODERS, LONGEST, check_encoder, encode, similarities
from prose_data.errors import InputError

GLASS = "Ground bottle glass replaces cement in mortar. We cast prisms of mortar and froze them for a winter."
MORTAR = "Mortar with glass powder in place of cement: how many winters does it take before prisms crack?"
OTHERS = (
    "My sister borrowed money from me in spring and now she won't answer when I call her about it.",
    "The film is slow, the actors mumble, and I left the cinema long before the credits.",
    "Bumblebees nest in old hedgerows, where the banks are dry and nobody mows until autumn.",
)
STRANGE = ("", "   ", "!?… 🙂🙂", "\0", "\ud800", "x", "漢字", "नमस्ते", "İ", "a" * 50_000, "don't " * 20_000)


def test_encoders_are_those_that_a_configuration_can_name() -> None:
    assert tuple(ENCODERS) == get_args(Retrieval.model_fields["encoder"].annotation)
    for call in (lambda: check_encoder("bert"), lambda: encode(["x"], "bert")):
        with pytest.raises(InputError, match="'bert' is not known; use hashing or minilm"):
            call()


def test_a_row_has_length_one_or_what_the_encoder_gives_it() -> None:
    rows = encode([GLASS, *STRANGE], "hashing")
    assert rows.shape == (1 + len(STRANGE), 4096) and rows.dtype == np.float32
    lengths = np.linalg.norm(rows, axis=1)
    assert lengths[0] == pytest.approx(1) and set(np.round(lengths, 5)) == {0, 1}
    short, long = np.linalg.norm(encode([GLASS, f"{GLASS} {MORTAR}"], "hashing", normalise=False), axis=1)
    assert 1 < short < long
    assert encode([], "hashing").shape == (0, 0)


def test_what_is_about_the_same_comes_first() -> None:
    alike = similarities(GLASS, [*OTHERS, MORTAR], "hashing")
    assert alike.argmax() == 3 and alike[3] > 2 * alike[:3].max()


def test_case_and_punctuation_make_no_difference_and_word_order_a_small_one() -> None:
    same, turned, other = similarities(
        "Use emojis; be brief",
        ["USE EMOJIS, be brief!", "be brief; use emojis", "sign off formally"],
        "hashing",
    )
    assert same == 1 and other + 0.3 < turned < 1


def test_scripts_without_blanks_are_compared_by_their_characters() -> None:
    alike = similarities("我喜歡在山裡散步", ["我喜歡在海邊散步", "天氣預報說明天下雨"], "hashing")
    assert alike[0] > 0.3 and abs(alike[1]) < 0.1


def test_a_repeated_word_counts_less_each_time() -> None:
    often = similarities("glass", ["glass", "glass " * 10], "hashing", normalise=False)
    assert often[0] < often[1] < 5 * often[0]


def test_strange_texts_are_alike_to_nothing_but_raise_nothing() -> None:
    assert np.isfinite(similarities(GLASS, STRANGE, "hashing")).all()
    assert similarities("!?", [GLASS, "!?"], "hashing").tolist() == [0, 0]


def test_of_a_very_long_text_the_beginning_is_read() -> None:
    start = ("word " * LONGEST)[:LONGEST]
    assert similarities(start, [start + GLASS * 1000], "hashing") == 1


def test_whoever_writes_into_the_rows_changes_no_later_ones() -> None:
    rows = encode([GLASS], "hashing")
    rows[:] = 0
    assert np.linalg.norm(encode([GLASS], "hashing")) == pytest.approx(1)


def test_rows_are_the_same_in_every_process() -> None:
    script = (
        "import hashlib, sys; from prose_data.embedding import encode; "
        "print(hashlib.sha256(encode(sys.argv[1:], 'hashing').tobytes()).hexdigest())"
    )
    digests = {hashlib.sha256(encode([GLASS, *OTHERS], "hashing").tobytes()).hexdigest()}
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", script, GLASS, *OTHERS]
        digests.add(subprocess.check_output(command, env=environment, text=True, timeout=60).strip())
    assert len(digests) == 1
    assert similarities(GLASS, [MORTAR, OTHERS[0]], "hashing").tolist() == [0.409459, 0.15854]
