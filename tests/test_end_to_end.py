"""The whole pipeline on the real simulated model: in process, over HTTP, and through a faulty endpoint."""

import asyncio
import json
from pathlib import Path

import polars as pl
import pytest

from prose_data.config import Config, parse_config
from prose_data.report import make_report
from prose_data.runs import Run
from prose_data.simulator.server import Faults, make_app, running
from prose_data.stages import run_all
from schemas import SCHEMAS

TABLES = ("users", "documents", "samples", "inferences", "scores")
SMALL = {
    "users": {"count": 5},
    "seeds": [7],
    "samples": {"per_user": 3},
    "metrics": ["ppcm", "cpm", "recovery"],
}


def _run(out: Path, **changes: object) -> Run:
    return asyncio.run(run_all(parse_config({**SMALL, **changes}, "test"), out))


def _over_http(out: Path, faults: Faults) -> Run:
    async def drive() -> Run:
        async with running(make_app(faults)) as url:
            model = {"backend": "openai", "model": "sim-strong", "base_url": f"{url}/v1", "timeout": 1.0}
            price = {"price": {"prompt": 0, "completion": 0}}
            config = parse_config({**SMALL, "models": {"default": {**model, **price}}}, "test")
            return await run_all(config, out)

    return asyncio.run(drive())


def _same_tables(one: Run, other: Run) -> None:
    for table in TABLES:
        key = SCHEMAS[table].primary_key()
        assert one.read(table).sort(key).equals(other.read(table).sort(key)), table


@pytest.fixture(scope="module")
def in_process(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return _run(tmp_path_factory.mktemp("run") / "plain")


def test_http_gives_the_tables_of_the_run_in_process(in_process: Run, tmp_path: Path) -> None:
    _same_tables(_over_http(tmp_path / "http", Faults()), in_process)


def test_a_fifth_of_all_requests_failing_changes_no_table(in_process: Run, tmp_path: Path) -> None:
    # Few hang: a request that does so three times is given up.
    faults = Faults(rate_429=0.06, rate_500=0.06, hang_rate=0.01, bad_json_rate=0.07, hang=60.0)
    faulty = _over_http(tmp_path / "faulty", faults)
    _same_tables(faulty, in_process)
    requests = faulty.read("requests")
    retried = requests.filter(pl.col("attempts") > 1).height
    assert 0.1 < retried / requests.filter(pl.col("source") == "endpoint").height < 0.3


def test_equal_configurations_give_equal_files(in_process: Run, tmp_path: Path) -> None:
    again = _run(tmp_path / "again")
    for table in TABLES:
        for part in sorted((again.path / table).glob("*.parquet")):
            assert part.read_bytes() == (in_process.path / table / part.name).read_bytes()


def test_the_shard_size_changes_no_row(in_process: Run, tmp_path: Path) -> None:
    _same_tables(_run(tmp_path / "shards", shards={"users": 2}), in_process)


def test_every_true_component_has_a_verdict_and_undefined_metrics_have_no_row(in_process: Run) -> None:
    scores, inferences = in_process.read("scores"), in_process.read("inferences")
    assert scores.filter(pl.col("metric") == "ppcm").height >= 0.99 * 4 * inferences.height
    undefined = scores.filter(
        pl.col("method").is_in(["no_learning", "icl"]) & (pl.col("metric") == "recovery_f1")
    )
    assert undefined.is_empty()
    assert scores["value"].is_finite().all()


@pytest.mark.slow
def test_the_quickstart_orders_the_methods_as_the_papers_do(tmp_path: Path) -> None:
    """Nothing tells the simulated model which method asks; what holds here comes out of the texts."""
    config = Config()
    run = asyncio.run(run_all(config, tmp_path / "run"))
    make_report(run)
    methods = json.loads((run.path / "summary.json").read_text())["methods"]
    ppcm = {name: metrics["ppcm"]["mean"] for name, metrics in methods.items()}
    assert ppcm["oracle"] > ppcm["prose"] > max(ppcm["cipher_1"], ppcm["cipher_n"])
    assert ppcm["oracle"] > ppcm["prose_icl"] > max(ppcm["cipher_1"], ppcm["cipher_n"])
    assert min(ppcm["cipher_1"], ppcm["cipher_n"]) > ppcm["no_learning"]
    assert methods["prose"]["recovery_f1"]["mean"] > methods["cipher_1"]["recovery_f1"]["mean"]

    weak_model = {"default": {"backend": "simulated", "model": "sim-weak"}}
    weak = asyncio.run(
        run_all(
            config.model_copy(update={"models": parse_config({"models": weak_model}, "test").models}),
            tmp_path / "weak",
        )
    )
    make_report(weak)
    weak_methods = json.loads((weak.path / "summary.json").read_text())["methods"]
    for name in methods:
        if name != "no_learning":
            assert weak_methods[name]["ppcm"]["mean"] < ppcm[name]
