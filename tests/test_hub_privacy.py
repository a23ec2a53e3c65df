"""What must not be published: planted secrets, addresses and numbers are all found, ordinary texts are let through."""

import time
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prose_data.config import parse_config
from prose_data.documents import load_documents
from prose_data.errors import InputError
from prose_data.hub.patterns import SUSPECT, kinds_of
from prose_data.hub.privacy import KNOWN, refuse, scan
from prose_data.spaces import load_space

DASHES = "-" * 5  # so that no scanner of this repository stumbles
PLANTED = {
    "an e-mail address": [
        "write to jane.doe@gmail.com today",
        "jörg.müller@uni-köln.de",
        '<a href="mailto:x@y.co.uk">',
        "(bob+lists@mail.company.io)",
    ],
    "a phone number": [
        "+49 30 1234567",
        "+1 (415) 234-5678",
        "+442079460958",
        "call (212) 234-5678.",
        "212-234-5678",
        "212.234.5678",
        "212 234 5678",
        "1-800-234-5678",
        "(555) 123-4567",
        "030 12345678",
        "0151 23456789",
        "06 12 34 56 78",
        "(030) 123 4567 8",
        "Tel.: 123-4567",
        "my phone number is 5551234567",
    ],
    "a private key": [
        f"{DASHES}BEGIN RSA PRIVATE KEY{DASHES}",
        f"{DASHES}BEGIN OPENSSH PRIVATE KEY{DASHES}\nabc",
        f"{DASHES}BEGIN PRIVATE KEY{DASHES}",
        f"{DASHES}BEGIN PGP PRIVATE KEY BLOCK{DASHES}",
    ],
    "an API key": [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "sk-proj-" + "abcdefghijklmnopqrstuvwx",
        "key sk-" + "abcdEFGH1234abcdEFGH1234.",
        "sk-ant-" + "api03-aaaaaaaaaaaaaaaaaaaaaaaaa",
        "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
        "gsk_" + "abcdefghij0123456789abcdefghij0123",
    ],
    "an access token": [
        "hf_" + "abcdefghijklmnopqrstuvwxyzABCDEFGH",
        "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_" + "11ABCDEFG0abcdefghijkl_xxxxxxxxx",
        "xoxb-" + "1234567890-abcdefghij",
        "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9",
        "Authorization: Bearer " + "abcdef0123456789abcdef0123456789",
    ],
    "a password": [
        "postgres://admin:hunter22@db/x",
        'api_key = "' + '9f8e7d6c5b4a39281706f5e4d3c2b1a0"',
        "password: " + "correct4horse7battery9staple",
    ],
}
HARMLESS = """jane@example.com and joe@mail.example.org, root@localhost, x@y.test
@user said hi at 10 a.m. to @other and a@b
call 555-0123 or (415) 555-0199 or 212-555-0142
arXiv 2505.23815, 1,311,622 rows, 2023-10-11 12:30, 11-10-2023 10:30
ISBN 978-3-16-148410-0, ISSN 2049-3630, DOI 10.1000/182
in 1914-1918 and 1939-1945, for $1,234,567.89
+3.14159265 and 0.123456789012 and -12.5e10
192.168.100.200 and 10.0.0.1 and v1.2.3
sha 9f8e7d6c5b4a39281706f5e4d3c2b1a0deadbeef9f8e7d6c5b4a39281706f5e4
sk-ateboarding-and-other-very-long-hyphenated-things
http://example.org:8080/path@home and https://en.wikipedia.org/wiki/A_(b)#c
12:30:45 01/02/2023 09:15 - 10:45, 01-02-2023 10
1234567890123 100 200 3000 pages 123-456, section 3.2.1
token: completion_tokens_and_prompt_tokens_total
secret = aaaaaaaaaaaaaaaaaaaaaaaaaaaa, the secret is out
hf_hub and hf_datasets, xoxo, phone home, telephone 1, mobile first
2021-2022-2023 season 2023 10 11, room 0123 456, 007, 0800""".splitlines()


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in PLANTED.items() for text in texts]
)
def test_what_is_planted_is_found(kind: str, text: str) -> None:
    assert kind in kinds_of(text)
    assert kind in kinds_of(f"Words before, {text} and after.")


@pytest.mark.parametrize("text", [f"{DASHES}BEGIN PUBLIC KEY{DASHES}", *HARMLESS])
def test_what_is_harmless_is_let_through(text: str) -> None:
    assert kinds_of(text) == []


def test_the_first_look_lets_nothing_through_that_the_second_finds() -> None:
    texts = pa.array([text for texts in PLANTED.values() for text in texts])
    assert all(pa.compute.match_substring_regex(texts, SUSPECT).to_pylist())


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "1",
        "1 ",
        "a.b-",
        "+1 ",
        "0 0 0",
        "sk-",
        "eyJ",
        "a@",
        "a@a.",
        "://a:",
        "token=",
        "bearer ",
        "tel 1 ",
    ],
)
def test_hostile_texts_take_time_in_proportion(unit: str) -> None:
    def seconds(size: int) -> float:
        began = time.process_time()
        kinds_of(unit * (size // len(unit)))
        return time.process_time() - began

    seconds(1_000)
    assert seconds(400_000) < 16 * seconds(50_000) + 0.05


def test_bundled_documents_hold_nothing() -> None:
    documents = load_documents(parse_config({}, "test"), load_space("plume")).rows
    assert len(documents) > 100
    assert not [(one.document_id, kinds) for one in documents if (kinds := kinds_of(one.text))]


def _folder(path: Path, **columns: Any) -> Path:
    (path / "samples").mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path / "samples/train-00000-of-00001.parquet")
    return path


def test_it_says_where_and_never_what(tmp_path: Path) -> None:
    texts = ["fine", "write to jane.doe@gmail.com", "or joe.doe@gmail.com, 212-234-5678"]
    folder = _folder(tmp_path, sample_id=["s1", "s2", "s3"], text=texts, title=["", None, "a"])
    email, phone = scan(folder)
    assert (email.kind, email.table, email.column, email.texts) == ("an e-mail address", "samples", "text", 2)
    assert (email.first, phone.first) == ("sample_id s2", "sample_id s3")
    with pytest.raises(
        InputError, match=r"an e-mail address in samples, column text \(2 texts, .*sample_id s2\)"
    ) as error:
        refuse(folder, (email, phone), allowed=False)
    assert "--allow-pii" in str(error.value)
    assert not any(word in str(error.value) for word in ("jane", "gmail", "234"))
    refuse(folder, (email, phone), allowed=True)


def test_a_key_that_would_tell_is_not_shown(tmp_path: Path) -> None:
    folder = _folder(tmp_path, user_id=["u1", "jane.doe@gmail.com"], text=["a", "b"])
    (found,) = scan(folder)
    assert found.column == "user_id"
    assert found.first == "row 2 of samples/train-00000-of-00001.parquet"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([["a"], ["b", "x@gmail.com"], []], pa.list_(pa.string())),
        ([["a"], ["b", "x@gmail.com"], None], pa.large_list(pa.large_string())),
        ([["a", "a"], ["b", "x@gmail.com"], ["", None]], pa.list_(pa.string(), 2)),
        (
            [{"a": "x", "b": 1}, {"a": "x@gmail.com", "b": 2}, None],
            pa.struct([("a", pa.string()), ("b", pa.int64())]),
        ),
        (
            [[], [{"n": 1.0, "t": ["a", "x@gmail.com"]}], None],
            pa.list_(pa.struct([("n", pa.float64()), ("t", pa.list_(pa.string()))])),
        ),
        ([[("a", "b")], [("k", "x@gmail.com")], []], pa.map_(pa.string(), pa.string())),
        (["a", "x@gmail.com", None], pa.dictionary(pa.int32(), pa.string())),
    ],
)
def test_every_string_however_deep(tmp_path: Path, values: list[Any], kind: pa.DataType) -> None:
    column = (
        pa.array(["a", "x@gmail.com", None]).dictionary_encode() if pa.types.is_dictionary(kind) else None
    )
    folder = _folder(
        tmp_path,
        sample_id=["s1", "s2", "s3"],
        number=[1, 2, 3],
        nested=column if column is not None else pa.array(values, kind),
    )
    (found,) = scan(folder)
    assert (found.column, found.first, found.texts) == ("nested", "sample_id s2", 1)


def test_rows_beyond_the_first_batch_and_file(tmp_path: Path) -> None:
    for number in range(2):
        frame = pl.DataFrame({"text": ["fine"] * 9_000})
        if number == 1:
            frame[7_500, "text"] = "x@gmail.com"
        (tmp_path / "alignx").mkdir(exist_ok=True)
        frame.write_parquet(tmp_path / f"alignx/train-0000{number}-of-00002.parquet")
    (found,) = scan(tmp_path)
    assert found.first == "row 7,501 of alignx/train-00001-of-00002.parquet"


def test_text_files_are_looked_at_by_line(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Title\n\nAsk jane.doe@gmail.com\n")
    (tmp_path / "picture.png").write_bytes(b"jane.doe@gmail.com")
    (found,) = scan(tmp_path)
    assert (found.table, found.column, found.first) == ("README.md", "", "line 3")


def test_keys_of_this_machine_are_never_allowed(tmp_path: Path) -> None:
    folder = _folder(tmp_path, sample_id=["s1", "s2"], text=["fine", "it said my-plain-secret and"])
    assert scan(folder) == ()
    found = scan(folder, ["my-plain-secret", ""])
    assert [one.kind for one in found] == [KNOWN]
    with pytest.raises(InputError, match="a key of this machine's environment in samples") as error:
        refuse(folder, found, allowed=True)
    assert "my-plain" not in str(error.value) and "--allow-pii" not in str(error.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match=r"x\.parquet: cannot be read"):
        scan(tmp_path)
