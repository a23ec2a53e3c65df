"""`prose-data infer --samples`: one method over somebody's own writing."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from prose_data.commands.outcomes import end, print_json
from prose_data.errors import InputError, printable

if TYPE_CHECKING:
    from prose_data.config import Config


def infer_texts(
    samples: Path,
    method: str,
    settings: "Config",
    out: Path | None,
    as_json: bool,
) -> None:
    """Let `method` infer from the texts in `samples`, print what it finds, write it to `out`, and end by what was lost."""
    import asyncio
    import json

    from rich.console import Console

    from prose_data.own import infer_own, inferring, print_findings, read_texts, to_rows
    from prose_data.report.summary import simulated_notice
    from prose_data.runs import land

    inferring(method, settings)
    authors = read_texts(samples)
    if out is not None and out.is_dir():
        raise InputError(f"--out {out}: is a folder; name the JSON Lines file to write")
    findings = asyncio.run(infer_own(authors, method, settings))
    rows = to_rows(findings)
    notice = simulated_notice(settings) if any(found.calls for found in findings) else None
    if out is not None:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        land(out, lambda file: file.write(lines.encode(errors="replace")))
    if as_json:
        print_json({"notice": notice, "users": rows})
    else:
        print_findings(Console(), findings, notice)
        if out is not None:
            typer.echo(f"saved in {out}")
    for reason, message in (failure for found in findings for failure in found.failures):
        typer.echo(printable(f"{reason}: {message}"), err=True)
    of = sum(found.of for found in findings)
    lost = of - sum(found.learned for found in findings)
    end(lost / max(1, of), settings.budget.max_failures, "the lines above")
