"""DPO with TRL on rows of `prose-data export`, with the hyper-parameters published for AlignX's models.

    pip install 'prose-data[train]'
    prose-data export runs/alignx/records --prompt pba --share 0.07 --out train.parquet
    accelerate launch recipes/train_dpo.py train.parquet --model meta-llama/Llama-3.1-8B-Instruct --out models/pba \
        --heldout test.parquet --method pba_arithmetic

Before training policy and reference are one model, so every target is a tie where both read ICA's prompt; PBA's policy reads
another prompt than the reference, as published. With `--heldout` (a file as `prose-data score pairs` takes it) it prints margin accuracy before and after as JSON, by the
same code that scores models behind an endpoint. ZeRO-3 and the number of devices are accelerate's configuration.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from trl import DPOConfig, DPOTrainer

from prose_data.alignx.margin import Scored, Scorer
from prose_data.alignx.pair_report import summarize
from prose_data.alignx.predicting import Method
from prose_data.alignx.readers import read_targets
from prose_data.alignx.scoring import Asking, Showing, score_margin
from prose_data.alignx.targets import Target
from prose_data.config import Config
from prose_data.llm.door import open_door
from prose_data.llm.types import Message

BATCH, MICRO_BATCH = 128, 2
COLUMNS = ["prompt", "chosen", "rejected"]


def published(out: Path, devices: int = 1, **changes: Any) -> DPOConfig:
    """Return AlignX's settings for `devices`; `changes` are fields of DPOConfig.

    Sigmoid loss with beta 0.1, no smoothing and no further term; 5e-7 with 10 % warm-up and cosine to 10 % of it; 128 rows
    a step; one epoch; Adam (0.9, 0.95), no decay, clipped at 1; 8,192 tokens; bf16; seed 42.
    """
    settings: dict[str, Any] = {
        "output_dir": str(out),
        "loss_type": "sigmoid",
        "beta": 0.1,
        "label_smoothing": 0.0,
        "learning_rate": 5e-7,
        "warmup_steps": 0.1,  # below 1: a share of all steps
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
        "per_device_train_batch_size": MICRO_BATCH,
        "gradient_accumulation_steps": max(1, BATCH // (MICRO_BATCH * devices)),
        "num_train_epochs": 1,
        "optim": "adamw_torch",
        "adam_beta1": 0.9,
        "adam_beta2": 0.95,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "max_length": 8192,
        "bf16": torch.cuda.is_available(),
        "activation_checkpointing": True,
        "seed": 42,
        "logging_steps": 1,
        "report_to": [],
    }
    return DPOConfig(**(settings | changes))


def read_rows(path: Path) -> Dataset:
    """Return the rows of `prose-data export`, .jsonl or .parquet, as far as TRL reads them."""
    read = Dataset.from_parquet if path.suffix == ".parquet" else Dataset.from_json
    return read(str(path)).select_columns(COLUMNS)


def train(
    model: PreTrainedModel,
    reference: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Dataset,
    settings: DPOConfig,
) -> list[dict[str, float]]:
    """Train `model` in place against the frozen `reference`, and return what was logged, an entry per step."""
    trainer = DPOTrainer(
        model=model, ref_model=reference, args=settings, train_dataset=rows, processing_class=tokenizer
    )
    trainer.train()
    return [entry for entry in trainer.state.log_history if "loss" in entry]


def torch_scorer(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Scorer:
    """Return the scorer of a model in this process: prompt and response are tokenised apart and then joined.

    Raises ValueError where the chat template and the tokenizer both add a begin token.
    """

    async def score(messages: Sequence[Message], response: str) -> Scored:
        prompt: list[int] = tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=True, tokenize=True, return_dict=False
        )
        if tokenizer.bos_token_id is not None and prompt.count(tokenizer.bos_token_id) > 1:
            raise ValueError("the prompt begins with more than one begin token")
        reply = tokenizer(response.rstrip("\n"), add_special_tokens=False)["input_ids"] + [
            tokenizer.eos_token_id
        ]
        with torch.inference_mode():
            logits = model(torch.tensor([prompt + reply], device=model.device)).logits[0]
        steps = torch.log_softmax(logits[len(prompt) - 1 : -1].float(), dim=-1)
        chosen = steps.gather(1, torch.tensor(reply, device=model.device).unsqueeze(1))
        return Scored(float(chosen.double().sum()), len(reply))

    return score


def margins(
    model: PreTrainedModel,
    reference: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    targets: Sequence[Target],
    method: Method,
) -> dict[str, Any]:
    """Return margin accuracy of `model` against `reference` on `targets`, as `prose-data score pairs` gives it."""
    showing, config = Showing(), Config()
    was_training = model.training
    model.eval()
    reference.eval()

    async def go() -> dict[str, Any]:
        async with open_door(config, None) as door:
            scorers = (
                ("policy", torch_scorer(model, tokenizer)),
                ("reference", torch_scorer(reference, tokenizer)),
            )
            scores = await score_margin(targets, [method], showing, Asking(config, door), *scorers)
        found = summarize(targets, [showing.of(target) for target in targets], scores, ())
        return {
            "targets": found["targets"],
            "distinct_targets": found["distinct_targets"],
            **found["methods"][method],
        }

    result = asyncio.run(go())
    model.train(was_training)
    return result


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Train as the command line says, save the model, and return and print margin accuracy before and after."""
    parser = argparse.ArgumentParser(description="DPO with AlignX's published settings")
    parser.add_argument("rows", type=Path, help="rows of prose-data export --kind dpo, .jsonl or .parquet")
    parser.add_argument("--model", required=True, help="base model, which is the frozen reference as well")
    parser.add_argument("--out", type=Path, required=True, help="folder for the trained model")
    parser.add_argument("--heldout", help="targets to score before and after")
    parser.add_argument("--method", choices=["ica", "pba_arithmetic", "pba_stored", "golden"], default="ica")
    parser.add_argument("--devices", type=int, default=1, help="how many train at once")
    parser.add_argument(
        "--set",
        dest="changes",
        type=json.loads,
        default={},
        help="fields of DPOConfig to change, as a JSON object",
    )
    chosen = parser.parse_args(arguments)
    tokenizer = AutoTokenizer.from_pretrained(chosen.model)
    kind = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    model, reference = (AutoModelForCausalLM.from_pretrained(chosen.model, dtype=kind) for _ in range(2))
    targets = read_targets(chosen.heldout)[0] if chosen.heldout else []
    found: dict[str, Any] = {}
    if targets:
        found["before"] = margins(model, reference, tokenizer, targets, chosen.method)
    settings = published(chosen.out, chosen.devices, **chosen.changes)
    log = train(model, reference, tokenizer, read_rows(chosen.rows), settings)
    if targets:
        found["after"] = margins(model, reference, tokenizer, targets, chosen.method)
    model.save_pretrained(chosen.out)
    tokenizer.save_pretrained(chosen.out)
    found["steps"], found["loss"] = len(log), log[-1]["loss"] if log else None
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
