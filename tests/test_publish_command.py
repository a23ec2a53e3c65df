"""`prose-data publish` as it is typed: a real run, the real client library, the stand-in hub, and everything that is refused."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from prose_data.cli import app
from prose_data.hub.files import FILES
from prose_data.runs import load_run
from tests.hub_server import TOKEN, Fault, Hub
from tests.hub_session import at_hub

# of the client library about its own use of httpx2
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

REPO = "team/small"
SMALL = """
name: small
seeds: [0]
tasks: [email]
users: {count: 2}
samples: {per_user: 2}
methods: [no_learning, oracle]
metrics: [ppcm]
"""


def call(*arguments: str | Path, token: str | None = TOKEN) -> Result:
    runner = CliRunner(env={"COLUMNS": "200", "HF_TOKEN": token})
    return runner.invoke(app, [str(argument) for argument in arguments], prog_name="prose-data")


def refused(result: Result) -> str:
    """Return the last line of an error that ended with exit code 2."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: ") and "Traceback" not in result.stderr
    return last


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run folder."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "small.yaml").write_text(SMALL)
    result = call("run", folder / "small.yaml", "--out", folder / "run", "--engine", "plain")
    assert result.exit_code == 0, result.output
    return folder / "run"


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    with at_hub(hub):
        yield hub


def _here(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_run_on_the_hub_and_once_more(run: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    done = call("publish", run, "--repo", REPO, "--private", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["changed"] and told["target"] == REPO and told["commit"] == hub.repos[REPO].tags[told["tag"]]
    assert hub.repos[REPO].private and hub.files(REPO) == _here(run / "hub")
    assert told["files"] == len(hub.files(REPO)) - 1
    assert "files are on the hub" in done.stderr

    again = call("publish", run, "--repo", REPO)
    assert again.exit_code == 0 and again.stdout.startswith("nothing new: ")
    assert len(hub.repos[REPO].commits) == 2

    from flows.publish import publish

    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert publish.fn(str(run), REPO) is False


def test_a_dry_run_needs_no_token_and_no_hub(run: Path) -> None:
    shutil.rmtree(run / "hub", ignore_errors=True)
    done = call("publish", run, "--repo", REPO, "--dry-run", token=None)
    assert done.exit_code == 0, done.output
    samples = load_run(run).count("samples")
    assert any(
        line.split()[:2] == [f"{samples:,}", "rows"] and line.endswith("samples/train")
        for line in done.stdout.splitlines()
    )
    assert "no secrets, e-mail addresses or phone numbers found" in done.stdout
    assert (run / "hub" / FILES).exists()

    told = json.loads(call("publish", run, "--repo", "file:///x", "--dry-run", "--json", token=None).stdout)
    assert told["bytes"] == sum(len(data) for name, data in _here(run / "hub").items() if name != FILES)
    assert {part["config"] for part in told["parts"]} >= {"users", "samples", "labels"}
    assert told["found"] == [] and not told["refused"]


def test_a_folder_as_the_target(run: Path, tmp_path: Path) -> None:
    target = (tmp_path / "sets" / "small").as_uri()
    done = call("publish", run, "--repo", target, token=None)
    assert done.exit_code == 0 and f"at {target}" in done.stdout, done.output
    assert _here(tmp_path / "sets/small") == _here(run / "hub")


@pytest.fixture
def leaking(run: Path, tmp_path: Path) -> Path:
    """A copy of the run in which a user gives away an address and a number."""
    copy = tmp_path / "leaking"
    shutil.copytree(run, copy)
    samples = load_run(copy).read("samples")
    text = pl.lit("Ask jane.doe@gmail.com or 212-234-5678.")
    manifest = (copy / "manifest.json").read_bytes()
    first = samples.with_row_index().with_columns(
        text=pl.when(pl.col("index") == 0).then(text).otherwise("text")
    )
    load_run(copy).write("samples", first.drop("index"))
    (copy / "manifest.json").write_bytes(manifest)
    return copy


def test_what_should_not_be_public_is_refused_unless_it_is_meant(leaking: Path, hub: Hub) -> None:
    said = refused(call("publish", leaking, "--repo", REPO))
    assert "an e-mail address in samples, column text (1 text, the first at sample_id" in said
    assert "a phone number in samples" in said and "--allow-pii" in said
    assert "jane" not in said and "234" not in said and not hub.asked
    dry = call("publish", leaking, "--repo", REPO, "--dry-run", token=None)
    assert dry.exit_code == 0 and "publishing would be refused" in dry.stdout and "jane" not in dry.output
    assert call("publish", leaking, "--repo", REPO, "--allow-pii").exit_code == 0
    assert hub.repos[REPO].tags


def test_keys_of_the_endpoints_are_refused_whatever_is_allowed(
    leaking: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "jane.doe@gmail.com")
    said = refused(call("publish", leaking, "--repo", REPO, "--allow-pii"))
    assert "a key of this machine's environment in samples" in said and not hub.asked


def test_a_card_of_ones_own(run: Path, tmp_path: Path, hub: Hub) -> None:
    card = tmp_path / "card.yaml"
    card.write_text("pretty_name: Letters of two\nlicense: cc-by-4.0\n")
    assert call("publish", run, "--repo", REPO, "--card", card, "--tag", "v1").exit_code == 0
    assert b"pretty_name: Letters of two" in hub.files(REPO, "v1")["README.md"]


def test_trouble_at_the_hub_is_one_sentence(run: Path, hub: Hub) -> None:
    hub.faults = [Fault("commit/", 403)]
    assert "HF_TOKEN may not write there" in refused(call("publish", run, "--repo", REPO))
    assert call("publish", run, "--repo", REPO).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--repo", "small"], "small: must be OWNER/NAME"),
        (["--repo", "a/b/c"], "a/b/c: must be OWNER/NAME"),
        (["--repo", "hf://datasets/team/small"], "name a data set on the hub as OWNER/NAME"),
        (["--repo", "nothing://there"], "is no address of a folder or an object store"),
        (["--repo", "file:///x", "--private"], "--private is for the hub"),
        (["--repo", "file:///x", "--tag", "v1"], "--tag is for the hub"),
        (["--repo", REPO, "--tag", "a b"], "--tag a b: must be"),
        (["--repo", REPO, "--card", "missing.yaml"], "missing.yaml: cannot be read"),
    ],
)
def test_wrong_arguments(run: Path, arguments: list[str], says: str) -> None:
    assert says in refused(call("publish", run, *arguments))


@pytest.mark.parametrize(
    ("card", "says"),
    [
        ("- a\n", "must hold keys and values"),
        ("size_categories: [1M<n<10M]\n", "size_categories"),
        ("tags: [human-written]\n", "tags"),
        ("configs: []\n", "configs"),
        ("license: my-own-licence\n", "license"),
        ("colour: red\n", "colour: is no field of a card"),
    ],
)
def test_cards_that_contradict_the_files(run: Path, tmp_path: Path, card: str, says: str) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(card)
    assert says in refused(call("publish", run, "--repo", REPO, "--dry-run", "--card", path))


def test_only_a_dry_run_needs_no_target(run: Path) -> None:
    assert "--repo: say where to publish" in refused(call("publish", run))
    assert call("publish", run, "--dry-run", token=None).exit_code == 0


def test_no_token(run: Path) -> None:
    assert "HF_TOKEN is not set" in refused(call("publish", run, "--repo", REPO, token=None))


def test_runs_that_are_none(run: Path, tmp_path: Path) -> None:
    assert "is not a run folder" in refused(call("publish", tmp_path, "--repo", REPO))
    assert "is not a run folder" in refused(call("publish", tmp_path / "nowhere", "--repo", REPO))
    shutil.copytree(run, tmp_path / "half")
    (tmp_path / "half/manifest.json").unlink()
    assert "is not finished" in refused(call("publish", tmp_path / "half", "--repo", REPO))


def test_two_runs_of_one_configuration_are_one_version(run: Path, tmp_path: Path, hub: Hub) -> None:
    """What a schedule does: a run that finds nothing new publishes nothing."""
    later = tmp_path / "later"
    assert call("run", run.parent / "small.yaml", "--out", later, "--engine", "plain").exit_code == 0
    assert json.loads(call("publish", run, "--repo", REPO, "--json").stdout)["changed"]
    assert not json.loads(call("publish", later, "--repo", REPO, "--json").stdout)["changed"]
