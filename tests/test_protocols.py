"""The harder protocols, end to end: what ships runs and is the same again, nobody is told the truth, and what it says."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from prose_data.audiences import Audience, as_shown, audiences_of, in_sequence, right_sources
from prose_data.cli import app
from prose_data.config import Config, load_config, parse_config
from prose_data.documents import Documents, draw_documents, load_documents
from prose_data.embedding import similarities
from prose_data.episode import Round
from prose_data.errors import InputError
from prose_data.llm.door import Door
from prose_data.llm.types import Reply, Request, Role
from prose_data.report import make_report
from prose_data.runs import Run
from prose_data.simulator.understanding import meaning
from prose_data.spaces import load_space
from prose_data.stages import check, run_all
from prose_data.streams import digest
from prose_data.users import kinds_of, user_range
from prose_data.values import Document, Stage, User

STYLE, PLUME = load_space("style"), load_space("plume")
TABLES = ("users", "documents", "samples", "truths", "inferences", "scores", "failures")
TITLES = {
    "drift": "## Drift: new components stated",
    "conflict": "## Conflict: what is stated of a contested component",
    "mixed": "## Users served together",
    "distractor": "## Distractor topics",
    "few": "## Learning curve: recovery_f1",
    "paraphrased": "## Paraphrased components",
    "long": "## Long documents",
    "unknown_source": "## Users served together",
}
OWN_METRIC = {"drift": "stale", "conflict": "rival", "mixed": "crosstalk", "distractor": "topic_leak"}


def _small(name: str) -> Config:
    """Return a bundled configuration with as few users, samples and methods as it takes."""
    less = {
        "drift": ["samples.per_user=7"],
        "few": ["samples.per_user=11"],
        "unknown_source": ["tasks=[email]"],
    }
    users = [] if name == "unknown_source" else ["users.count=2"]
    sets = ["seeds=[0]", "methods=[cipher_n, oracle]", "shards.users=1", *users, *less.get(name, [])]
    return load_config(Path(name), sets)


def _parts(run: Path) -> dict[str, bytes]:
    paths = [path for table in TABLES for path in sorted((run / table).glob("*.parquet"))]
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in paths}


@pytest.fixture(scope="module", params=TITLES)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Run]:
    """A small finished run of each bundled protocol."""
    folder = tmp_path_factory.mktemp("protocols") / request.param
    return request.param, asyncio.run(run_all(_small(request.param), folder))


def test_what_ships_runs_and_its_report_has_its_section(finished: tuple[str, Run]) -> None:
    name, run = finished
    summary = make_report(run)
    text = (run.path / "report.md").read_text()
    assert text.count(TITLES[name]) == 1
    assert "recovered" not in summary["methods"]["oracle"]
    if name in OWN_METRIC:
        assert summary["methods"]["cipher_n"][OWN_METRIC[name]]["n"] > 0
    assert all(entry["failed"] == 0 for row in summary["methods"].values() for entry in row.values())
    figures = sorted(path.name for path in (run.path / "figures").glob("learning_*.svg"))
    assert figures == (["learning_ppcm.svg", "learning_recovery_f1.svg"] if name == "few" else [])


def test_a_run_is_the_same_again_also_when_it_was_broken_off(
    finished: tuple[str, Run], tmp_path: Path
) -> None:
    name, run = finished
    asyncio.run(run_all(run.config, tmp_path / name, stages=("synthesize", "infer")))
    again = Run(tmp_path / name, run.config)
    again.part("inferences", 0).unlink()  # as if the process had died before it landed
    if run.config.varies:
        again.part("truths", 0).unlink()
    asyncio.run(run_all(run.config, tmp_path / name))
    whole, parts = _parts(run.path), _parts(tmp_path / name)
    assert whole.keys() == parts.keys() and whole == parts


def test_the_recovered_components_are_the_recall(finished: tuple[str, Run]) -> None:
    scores = finished[1].read("scores")
    recalls = scores.filter(metric="recovery_recall").select("inference_id", "value")
    per_component = scores.filter(metric="recovered").group_by("inference_id").agg(pl.col("value").mean())
    both = recalls.join(per_component, on="inference_id", validate="1:1")
    assert both.height == recalls.height > 0
    assert (both["value"] - both["value_right"]).abs().max() < 1e-9


def test_the_oracle_gets_the_truth_of_each_document_and_no_other(finished: tuple[str, Run]) -> None:
    name, run = finished
    drafts = run.read("inferences").filter(method="oracle")
    if name in ("drift", "conflict"):
        truths = run.read("truths").select("user_id", "seed", "document_id", held="components")
        drafts = drafts.join(truths, on=["user_id", "seed", "document_id"], validate="1:1")
        assert drafts["held"].n_unique() == (4 if name == "drift" else 2)
    else:
        held = run.read("users").select("user_id", held="components")
        drafts = drafts.join(held, on="user_id")
    assert drafts.height and (drafts["components"] == drafts["held"]).all()


# Nobody is told

SECRETS = ("yodel every quozzle", "blorp all wugs", "snark the gribbles", "fnord each plugh")


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": {"drift": {"step": 1, "components": 1}}},
        {"protocol": {"conflict": {"share": 0.4, "components": 1}}},
        {"audience": {"users": 2, "source": "unknown"}},
        {"audience": {"users": 2, "source": "known"}},
    ],
    ids=("drift", "conflict", "unknown", "known"),
)
def test_no_method_is_told_what_anybody_holds_held_or_wrote_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    """Components that no reader can find in a text: of all that is asked in `infer` only the oracle's drafts hold any."""
    components = [{"text": text, "axis": "x"} for text in SECRETS]
    space = {"space": "secret", "version": "1", "kind": "drawn", "components": components}
    (tmp_path / "secret.yaml").write_text(yaml.safe_dump(space))
    asked: list[tuple[Stage, str, Role, str]] = []
    ask = Door.ask

    async def recorded(self: Door, way: Any, request: Request, stage: Stage, method: str) -> Reply:
        text = "\n".join(message["content"] for message in request.body["messages"])
        asked.append((stage, method, request.role, text))
        return await ask(self, way, request, stage, method)

    monkeypatch.setattr(Door, "ask", recorded)
    methods = ["icl", "cipher_n", "prose", "prose_plus", "stylometric", "oracle"]
    config = parse_config(
        {
            "seeds": [0],
            "tasks": ["email"],
            "space": str(tmp_path / "secret.yaml"),
            "users": {"count": 2, "components": 1},
            "samples": {"per_user": 5, "attempts": 20},
            "methods": methods,
            "metrics": [],
            **changes,
        },
        "test",
    )
    run = asyncio.run(run_all(config, tmp_path / "run"))
    assert run.count("samples") >= 7
    if config.varies:  # some of what is learned from was written by something that was not always there
        truths = run.read("truths").join(run.read("samples"), on=["user_id", "seed", "step"])
        assert len({(user, *told) for user, told in truths.select("user_id", "told").iter_rows()}) == 4
    told = Counter(
        (method, any(secret in text for secret in SECRETS))
        for stage, method, _, text in asked
        if stage == "infer"
    )
    assert {method for method, secret in told if secret} == {"oracle"}
    assert {method for method, secret in told if not secret} == set(methods) - {"oracle"}
    stated = run.read("inferences").filter(pl.col("method") != "oracle")
    assert not any(secret in str(stated.to_dicts()) for secret in SECRETS)


def _documents(*sources: str, each: int = 3, task: str = "email") -> Documents:
    rows = [
        Document(f"{source}-{n}", task, source, f"{source} {n} text", f"by {source}", "CC0")
        for source in sources
        for n in range(each)
    ]
    return Documents(tuple(sorted(rows, key=lambda row: row.document_id)), {})


def _users(config: Config, count: int, documents: Documents) -> list[User]:
    return user_range(config, STYLE, kinds_of(config, STYLE, documents.rows), 0, count)


def test_a_document_whose_owner_is_unknown_says_nothing_of_them() -> None:
    config = parse_config({"space": "style", "audience": {"users": 2, "source": "unknown"}}, "test")
    documents = _documents("ccby", "slf5k")
    users = _users(config, 2, documents)
    (audience,) = audiences_of(config, STYLE, kinds_of(config, STYLE, documents.rows), users)
    shown = [as_shown(config, audience, user, documents.rows[0], 0) for user in users]
    assert {(s.source, s.origin, s.licence) for s in shown} == {("unknown", "", "")}
    assert len({s.document_id for s in shown}) == 2
    assert not any(word in s.document_id for s in shown for word in ("ccby", users[0].user_id))
    assert [s.text for s in shown] == [documents.rows[0].text] * 2


def test_a_known_owner_is_told_apart_from_every_other_whatever_the_documents_source() -> None:
    config = parse_config({"space": "style", "audience": {"users": 2, "source": "known"}}, "test")
    documents = _documents("ccby")
    users = _users(config, 2, documents)
    audience = Audience("both", tuple(users))
    assert [as_shown(config, audience, user, documents.rows[0], 0).source for user in users] == [
        user.user_id for user in users
    ]
    many = parse_config({"space": "style", "protocol": {"documents": "task"}}, "test")
    alone = Audience(users[0].user_id, (users[0],))
    shown = {as_shown(many, alone, users[0], document, 0).source for document in _documents("a", "b").rows}
    assert shown == {users[0].user_id}
    plain = parse_config({"space": "style"}, "test")
    assert as_shown(plain, alone, users[0], documents.rows[0], 0) == documents.rows[0]


def test_an_audience_learns_everything_before_anything_heldout_is_drafted() -> None:
    data = {"space": "style", "samples": {"per_user": 4, "heldout": 2}, "audience": {"users": 3}}
    config, documents = parse_config(data, "test"), _documents("ccby")
    users = _users(config, 3, documents)
    turns = in_sequence(config, STYLE, documents, Audience("three", tuple(users)), 0)
    assert sorted((user.user_id, n) for user, n in turns) == [
        (u.user_id, n) for u in sorted(users, key=lambda u: u.user_id) for n in range(6)
    ]
    assert [n < 4 for _, n in turns] == [True] * 12 + [False] * 6
    for user in users:
        assert [n for other, n in turns if other == user] == list(range(6))
    assert [user for user, _ in turns[:4]] != [users[0]] * 4


def test_related_samples_of_the_right_user_are_counted() -> None:
    def turn(user: str, n: int, text: str, split: str = "learn") -> Round:
        document = Document(f"{user}{n}", "email", user, text, "", "")
        return Round(user, document, document.document_id, "own", split)

    rounds = [
        turn("a", 0, "cats"),
        turn("b", 0, "dogs"),
        turn("a", 1, "cats"),
        turn("b", 1, "dogs", "heldout"),
    ]

    def counted(by: str, retrieve: int, rounds: list[Round] = rounds) -> tuple[int, int]:
        data = {"retrieval": {"by": by}, "prose": {"retrieve": retrieve}}
        return right_sources(parse_config(data, "test"), rounds)

    assert counted("most_recent", 5) == (0 + 0 + 1 + 1, 0 + 1 + 2 + 3)
    assert counted("exact_match", 5) == (2, 2)
    assert counted("cosine", 1) == (2, 3)
    assert counted("cosine", 0) == (0, 0)


# Documents


def test_parts_join_the_next_documents_of_a_source_with_all_that_is_known_of_them(tmp_path: Path) -> None:
    lines = [
        f'{{"text": "Text {n} of {source}.", "task": "email", "source": "{source}", "document_id": "{source}{n}", '
        f'"origin": "o{n % 2}", "licence": "CC-{source}"}}'
        for source, many in (("a", 5), ("b", 1))
        for n in range(many)
    ]
    (tmp_path / "own.jsonl").write_text("\n".join(lines))
    data = {"documents": {"path": str(tmp_path / "own.jsonl")}, "tasks": ["email"], "protocol": {"parts": 2}}
    documents = load_documents(parse_config(data, "test"), STYLE)
    assert documents.rows == (
        Document("a0+1", "email", "a", "Text 0 of a.\n\nText 1 of a.", "o0; o1: a0, a1", "CC-a"),
        Document("a2+1", "email", "a", "Text 2 of a.\n\nText 3 of a.", "o0; o1: a2, a3", "CC-a"),
    )
    assert documents.counts["joined by 2"] == {"read": 6, "joined": 2}


def test_documents_of_the_task_are_drawn_by_seed_and_user_from_all_its_sources() -> None:
    config = parse_config(
        {"space": "style", "samples": {"per_user": 20}, "protocol": {"documents": "task"}}, "test"
    )
    documents = load_documents(config, STYLE)
    one, other = _users(config, 2, documents)
    drawn = draw_documents(config, STYLE, documents, one, 0, 20)
    assert len({d.document_id for d in drawn}) == 20 and {d.task for d in drawn} == {one.task}
    assert len({d.source for d in drawn}) > 2
    assert drawn == draw_documents(config, STYLE, documents, one, 0, 20)
    assert drawn != draw_documents(config, STYLE, documents, one, 1, 20)
    assert drawn != draw_documents(config, STYLE, documents, other, 0, 20)
    fixed = user_range(config, PLUME, kinds_of(config, PLUME, ()), 0, 1)[0]
    assert len({d.source for d in draw_documents(config, PLUME, documents, fixed, 0, 20)}) > 2


def test_documents_of_one_topic_are_more_alike_than_by_chance_and_heldout_ones_are_of_other_sources() -> None:
    data = {"space": "style", "samples": {"per_user": 4, "heldout": 2}, "protocol": {"documents": "topic"}}
    config = parse_config(data, "test")
    documents = load_documents(config, STYLE)
    anchors = set()
    for user in _users(config, 9, documents):
        own = documents.of(user)
        for seed in range(3):
            drawn = draw_documents(config, STYLE, documents, user, seed, 6)
            learned, heldout = drawn[:4], drawn[4:]
            assert {d.source for d in learned} == {user.source} and len({d.document_id for d in drawn}) == 6
            assert all(d.task == user.task and d.source != user.source for d in heldout)
            nearest = [
                {own[i].document_id for i in sorted(range(len(own)), key=lambda i: -alike[i])[:4]}
                for alike in (similarities(d.text, [o.text for o in own], "hashing") for d in learned)
            ]
            assert {d.document_id for d in learned} in nearest  # one of them is what the others are most like
            assert drawn == draw_documents(config, STYLE, documents, user, seed, 6)
            anchors.add(digest(*sorted(d.document_id for d in learned)))
    assert len(anchors) > 15


# Paraphrases


def test_every_paraphrase_is_understood_as_its_original_and_none_is_its_original() -> None:
    other = load_space("style_paraphrased")
    assert other.paraphrases == "style" and len(other.components) == len(STYLE.components)
    words = {a.text: b.text for a, b in zip(STYLE.components, other.components, strict=True)}
    assert not {text.casefold() for text in words} & {text.casefold() for text in words.values()}
    for original, paraphrase in zip(STYLE.components, other.components, strict=True):
        understood = meaning(paraphrase.text)
        assert understood is not None and understood == meaning(original.text), paraphrase.text
        assert (paraphrase.axis, paraphrase.check) == (original.axis, original.check)
        assert set(paraphrase.excludes) == {words[text] for text in original.excludes}


# Wrong settings


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (["protocol.drift.step=5"], "protocol.drift.step is 5, but samples.per_user 5 makes documents 0 to 4"),
        (["protocol.drift={components: 5}"], r"protocol.drift.components is 5, but user \S+ holds 4 components"),
        (["protocol.drift={}", "protocol.conflict={}"], "drift and conflict can't be told apart in one run"),
        (["protocol.conflict.share=0.5"], "protocol.conflict.share is 0.5: must be less than 0.5"),
        (["protocol.conflict.share=0.1"], "protocol.conflict.share is 0.1, which of samples.per_user 5 is not one text"),
        (["protocol.conflict={}", "space=LONE"], "protocol.conflict.components is 1, but space lone has no others"),
        (["protocol.documents=topic", "samples.per_user=14"], "needs 14 documents of email/ccby"),
        (["protocol.documents=topic", "samples.heldout=40"], "needs 40 documents of email that are not of its source"),
        (["protocol.documents=task", "samples.per_user=60"], r"needs 60 documents of email \(samples.per_user 60"),
        (["protocol.documents=task", "framework=prelude"], "protocol.documents: task does not go with framework prelude"),
        (["protocol.parts=14"], "protocol.parts is 14, but no source has that many documents"),
        (["protocol.parts=4"], r"needs 5 documents of email/ccby .* there are 3"),
        (["protocol.parts=0"], "protocol.parts is 0: must be greater than or equal to 1"),
        (["protocol.topic=x"], "protocol.topic is not a known key"),
        (["audience={users: task, source: unknown}", "retrieval.by=exact_match"], "retrieval.by: exact_match needs to know "
         "whose a document is, and audience.source is unknown; use cosine or most_recent"),
        (["space=style", "audience={users: task}"], "audience.users: task is for spaces with one user per source"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence_before_a_folder_is_made(
    tmp_path: Path, sets: list[str], words: str
) -> None:
    lone = {"space": "lone", "version": "1", "kind": "drawn"}
    lone["components"] = [{"text": f"be {n}", "axis": str(n)} for n in range(4)]
    (tmp_path / "lone.yaml").write_text(yaml.safe_dump(lone))
    options = [word for s in sets for word in ("--set", s.replace("LONE", str(tmp_path / "lone.yaml")))]
    out = tmp_path / "run"
    result = CliRunner().invoke(app, ["run", *options, "--engine", "plain", "--out", str(out)])
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    with pytest.raises(InputError, match=words):
        check(load_config(None, [option for option in options if option != "--set"]))
    assert not out.exists()


def test_related_samples_are_found_by_what_is_known() -> None:
    unknown = {"audience": {"users": "task", "source": "unknown"}}
    assert Config().retrieves.by == "exact_match"
    assert parse_config(unknown, "test").retrieves.by == "cosine"
    assert parse_config({"framework": "prelude"}, "test").retrieves.by == "cosine"
    assert parse_config({**unknown, "retrieval": {"by": "most_recent"}}, "test").retrieves.by == "most_recent"


@pytest.mark.slow
@pytest.mark.parametrize("name", TITLES)
def test_every_protocol_can_be_validated_and_estimated_by_name(name: str) -> None:
    for command in ("validate", "estimate"):
        result = CliRunner().invoke(app, [command, name, "--set", "methods=[icl]", "--json"])
        assert result.exit_code == 0, result.output
