"""Files and batches of fake-llm, seen by the official client."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import openai
import orjson
import pytest
from openai.types import Batch, FileObject

import prose_data.simulator.batches as batches
from prose_data.simulator.batches import BatchFaults
from prose_data.simulator.model import simulate
from prose_data.simulator.server import Faults, make_app, running

MESSAGES = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hé 😀"}]


def line(custom_id: Any, model: str = "sim-weak", **changes: Any) -> dict[str, Any]:
    body = {"model": model, "messages": MESSAGES, "seed": 5}
    return {
        "custom_id": custom_id,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body,
        **changes,
    }


def jsonl(*lines: Any) -> bytes:
    return b"".join(orjson.dumps(each) + b"\n" for each in lines)


def with_client(work: Callable[[openai.AsyncOpenAI], Awaitable[Any]], faults: Faults | None = None) -> Any:
    async def go() -> Any:
        async with (
            running(make_app(faults or Faults())) as address,
            openai.AsyncOpenAI(api_key="k", base_url=f"{address}/v1", max_retries=0) as client,
        ):
            return await work(client)

    return asyncio.run(go())


async def submit(client: openai.AsyncOpenAI, content: bytes, **metadata: str) -> Batch:
    file = await client.files.create(file=("in.jsonl", content), purpose="batch")
    FileObject.model_validate(file.to_dict())
    return await client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata=metadata,
    )


async def ended(client: openai.AsyncOpenAI, batch: Batch) -> Batch:
    while batch.status in ("validating", "in_progress", "finalizing", "cancelling"):
        await asyncio.sleep(0.01)
        batch = await client.batches.retrieve(batch.id)
    return Batch.model_validate(batch.to_dict())


async def lines_of(client: openai.AsyncOpenAI, file_id: str | None) -> dict[str, Any]:
    if file_id is None:
        return {}
    content = (await client.files.content(file_id)).content
    return {read["custom_id"]: read for read in map(orjson.loads, content.splitlines())}


def test_a_batch_brings_the_replies_that_single_requests_get() -> None:
    async def work(client: openai.AsyncOpenAI) -> None:
        batch = await submit(client, jsonl(line("a"), line("b", body={"model": "sim-weak"})), name="n")
        assert batch.status == "in_progress" and batch.metadata == {"name": "n"}
        batch = await ended(client, batch)
        assert batch.status == "completed" and batch.request_counts is not None
        assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (
            2,
            1,
            1,
        )
        good, bad = await lines_of(client, batch.output_file_id), await lines_of(client, batch.error_file_id)
        reply = good["a"]["response"]
        assert reply["status_code"] == 200 and good["a"]["error"] is None
        assert reply["body"]["choices"][0]["message"]["content"] == simulate(MESSAGES, "sim-weak", 5)
        assert bad["b"]["response"]["status_code"] == 400 and set(good) == {"a"} and set(bad) == {"b"}

    with_client(work)


@pytest.mark.parametrize(
    ("content", "code", "at"),
    [
        (b"", "empty_file", None),
        (b"{\n", "invalid_json_line", 1),
        (jsonl(line("a"), {"custom_id": "b"}), "invalid_json_line", 2),
        (jsonl(line(7)), "invalid_json_line", 1),
        (jsonl(line("a", method="GET")), "invalid_json_line", 1),
        (jsonl(line("a"), line("a")), "duplicate_custom_id", 2),
        (jsonl(line("a"), line("b", "sim-strong")), "mismatched_model", 2),
        (jsonl(line("a", "gpt-4")), "model_not_found", 1),
        (jsonl(line("a"), line("b"), line("c")), "too_many_tasks", None),
    ],
)
def test_a_wrong_file_fails_with_its_reason(
    content: bytes, code: str, at: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_LINES", 2)

    async def work(client: openai.AsyncOpenAI) -> None:
        batch = await ended(client, await submit(client, content))
        assert batch.status == "failed" and batch.errors is not None and batch.errors.data
        assert (batch.errors.data[0].code, batch.errors.data[0].line) == (code, at)
        assert batch.errors.data[0].message

    with_client(work)


def test_files_are_listed_shown_and_deleted() -> None:
    async def work(client: openai.AsyncOpenAI) -> None:
        names = [(await client.files.create(file=(f"{n}", b"x"), purpose="batch")).id for n in range(3)]
        assert [file.id async for file in client.files.list(limit=2)] == names
        assert (await client.files.retrieve(names[1])).filename == "1"
        assert (await client.files.delete(names[1])).deleted
        assert [file.id async for file in client.files.list()] == [names[0], names[2]]
        for call in (client.files.retrieve, client.files.content, client.files.delete):
            with pytest.raises(openai.NotFoundError):
                await call(names[1])
        with pytest.raises(openai.BadRequestError):
            await client.files.create(file=("a", b""), purpose="vision")
        with pytest.raises(openai.BadRequestError):
            await client.post("/files", body={"purpose": "batch"}, cast_to=object)
        batch = await client.batches.create(
            input_file_id="gone", endpoint="/v1/chat/completions", completion_window="24h"
        )
        assert batch.status == "failed"
        with pytest.raises(openai.BadRequestError):
            await client.batches.create(
                input_file_id=names[0], endpoint="/v1/embeddings", completion_window="24h"
            )

    with_client(work)


def test_batches_are_listed_newest_first_and_page_by_page() -> None:
    async def work(client: openai.AsyncOpenAI) -> None:
        made = [(await submit(client, jsonl(line("a")), number=str(n))).id for n in range(5)]
        listed = [batch async for batch in client.batches.list(limit=2)]
        assert [batch.id for batch in listed] == made[::-1]
        assert listed[0].metadata == {"number": "4"}
        with pytest.raises(openai.NotFoundError):
            await client.batches.retrieve("batch-0")

    with_client(work)


def test_a_cancelled_batch_leaves_its_lines_unanswered() -> None:
    async def work(client: openai.AsyncOpenAI) -> None:
        batch = await submit(client, jsonl(line("a"), line("b")))
        assert (await client.batches.cancel(batch.id)).status == "cancelling"
        batch = await ended(client, batch)
        assert batch.status == "cancelled" and batch.output_file_id is None
        bad = await lines_of(client, batch.error_file_id)
        assert {name: read["error"]["code"] for name, read in bad.items()} == dict.fromkeys(
            "ab", "batch_cancelled"
        )
        with pytest.raises(openai.ConflictError):
            await client.batches.cancel(batch.id)

    with_client(work, Faults(batches=BatchFaults(seconds=60)))


def test_lines_expire_and_fail_at_their_rates() -> None:
    async def work(client: openai.AsyncOpenAI) -> None:
        batch = await ended(client, await submit(client, jsonl(*(line(str(n)) for n in range(400)))))
        assert batch.status == "expired"
        good, bad = await lines_of(client, batch.output_file_id), await lines_of(client, batch.error_file_id)
        assert len(good) + len(bad) == 400 and not set(good) & set(bad)
        expired = [read for read in bad.values() if read["response"] is None]
        assert all(read["error"]["code"] == "batch_expired" for read in expired)
        failed = [read for read in bad.values() if read["response"] is not None]
        assert all(read["response"]["status_code"] == 500 for read in failed)
        assert len(expired) / 400 == pytest.approx(0.3, abs=0.08)
        assert len(failed) / 400 == pytest.approx(0.2, abs=0.08)

    with_client(work, Faults(batches=BatchFaults(expire_rate=0.3, error_rate=0.2, seed=1)))


def test_a_batch_takes_its_time_and_the_key_is_checked() -> None:
    async def work(client: openai.AsyncOpenAI) -> None:
        batch = await submit(client, jsonl(line("a")))
        assert (await client.batches.retrieve(batch.id)).status == "in_progress"
        assert (await ended(client, batch)).status == "completed"
        stranger = client.with_options(api_key="wrong")
        for call in (stranger.files.list(), stranger.batches.list(), stranger.batches.retrieve(batch.id)):
            with pytest.raises(openai.AuthenticationError):
                await call

    with_client(work, Faults(api_key="k", batches=BatchFaults(seconds=0.2)))
