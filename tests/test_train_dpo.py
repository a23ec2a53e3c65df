"""The DPO recipe on a tiny random Llama: it learns from exported rows, and our own scorer sees it."""

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import pytest

from prose_data.alignx.exports import Recipe, export
from prose_data.alignx.record import PAIR
from tests.alignx_targets import rows

pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("default")]

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
QUICK = {
    "learning_rate": 3e-3, "gradient_accumulation_steps": 2, "use_cpu": True, "num_train_epochs": 4,
    "activation_checkpointing": False, "disable_tqdm": True, "save_strategy": "no",
}  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a random Llama of bytes with a chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bytes_alone = {
        letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))
    }
    tokenizer = Tokenizer(models.BPE(vocab=bytes_alone, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|pad|>",
        additional_special_tokens=["<|im_start|>"], chat_template=CHATML,
    )  # fmt: skip
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(wrapped), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=16384, eos_token_id=wrapped.eos_token_id, pad_token_id=wrapped.pad_token_id,
        bos_token_id=None,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tiny")
    LlamaForCausalLM(config).save_pretrained(folder)
    wrapped.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of targets with few bytes, as what a byte takes is what the test takes."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.json"
    history = [{"prompt": "Tea?", "chosen": "Yes.", "rejected": "No."}]
    rows = [
        {"prompt": f"Walk {number}?", "chosen": "Yes, gladly.", "rejected": "No, never.", PAIR: history}
        for number in range(8)
    ]
    path.write_text(json.dumps(rows))
    return path


def loaded(tiny: Path) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(tiny), AutoTokenizer.from_pretrained(tiny)


def test_training_moves_the_margins_that_our_scorer_measures(tiny: Path, pairs: Path, tmp_path: Path) -> None:
    from recipes.train_dpo import main

    file = tmp_path / "train.parquet"
    export(str(pairs), file, Recipe())
    found = main(
        [str(file), "--model", str(tiny), "--out", str(tmp_path / "out"), "--heldout", str(pairs), "--set",
         json.dumps(QUICK)]
    )  # fmt: skip
    before, after = found["before"], found["after"]
    assert before["margin_accuracy"]["mean"] == 0.0 and before["ties"] == 8, "policy and reference are one"
    assert after["margin_accuracy"]["mean"] > 0.7 and "ties" not in after
    assert math.isfinite(found["loss"]) and found["loss"] < math.log(2) and found["steps"] == 8
    assert (tmp_path / "out" / "model.safetensors").exists()


def test_rows_are_read_alike_from_both_kinds_of_file(tmp_path: Path) -> None:
    from recipes.train_dpo import COLUMNS, read_rows

    records = tmp_path / "records.json"
    records.write_text(json.dumps(rows(3)))
    for prompt in ("ica", "pba"):
        for kind in ("jsonl", "parquet"):
            export(str(records), tmp_path / f"{prompt}.{kind}", Recipe(prompt=prompt))  # type: ignore[arg-type]
        one, other = (read_rows(tmp_path / f"{prompt}.{kind}") for kind in ("jsonl", "parquet"))
        assert one.to_list() == other.to_list() and one.column_names == COLUMNS and len(one) == 3


def test_the_published_settings(tmp_path: Path) -> None:
    from recipes.train_dpo import published

    settings = published(tmp_path, devices=8)
    per_step = settings.per_device_train_batch_size * settings.gradient_accumulation_steps * 8
    assert per_step == 128 and settings.per_device_train_batch_size == 2
    assert (
        settings.loss_type in ("sigmoid", ["sigmoid"])
        and settings.beta == 0.1
        and settings.label_smoothing == 0
    )
    assert (settings.adam_beta1, settings.adam_beta2, settings.weight_decay, settings.max_grad_norm) == (
        0.9,
        0.95,
        0,
        1,
    )
    assert (settings.learning_rate, settings.num_train_epochs, settings.seed, settings.max_length) == (
        5e-7,
        1,
        42,
        8192,
    )
    assert settings.get_warmup_steps(1_000) == 100
    assert settings.lr_scheduler_kwargs == {"min_lr_rate": 0.1}


def test_the_scorer_sums_log_probabilities_of_the_response_and_one_end_token(tiny: Path) -> None:
    import torch

    from recipes.train_dpo import torch_scorer

    model, tokenizer = loaded(tiny)
    messages = [{"role": "user", "content": "Hi"}]
    found = asyncio.run(torch_scorer(model, tokenizer)(messages, "ab\n"))
    text = (
        tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False) + "ab<|im_end|>"
    )
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        steps = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), dim=-1)
    by_hand = sum(float(steps[at - 1, ids[at]]) for at in range(len(ids) - 3, len(ids)))
    assert found.tokens == 3 and found.total == pytest.approx(by_hand, abs=1e-4)
