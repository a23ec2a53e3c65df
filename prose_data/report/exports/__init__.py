"""A finished run in the forms of other evaluation tools: results of lm-evaluation-harness, logs of Inspect.

A metric that is undefined for a method, or could not be read, is absent in both; it is never a 0.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from prose_data.errors import InputError
from prose_data.report import tables_of
from prose_data.report.exports.inspect_log import write_logs
from prose_data.report.exports.lm_eval import write_results
from prose_data.report.summary import Tables
from prose_data.runs import MANIFEST, Run, load_run, read_json

Form = Literal["lm-eval", "inspect"]
Writer = Callable[[Run, Tables, Mapping[str, Any], Path], list[Path]]
FORMS: Mapping[Form, Writer] = {"lm-eval": write_results, "inspect": write_logs}


def export_run(folder: Path, form: Form, out: Path) -> list[Path]:
    """Write the run in `folder` to `out` in one of `FORMS` and return the files: the same bytes each time.

    Raises InputError for a run that is not finished or lacks a table, and for an `out` that the form can't be written to.
    """
    run = load_run(folder)
    if not run.finished:
        raise InputError(f"{folder}: is not finished; run prose-data run {folder} to go on with it first")
    return FORMS[form](run, tables_of(run), read_json(folder / MANIFEST), out)
