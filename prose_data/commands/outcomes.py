"""How a command ends: exit codes, and the errors that are meant for the user as one line on stderr.

0 done; 1 finished with failures above the limit; 2 wrong usage, configuration or input; 3 stopped at the budget; 130
interrupted.
"""

import errno
import json
import logging
import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from prose_data.errors import BudgetReached, InputError, printable

FAILURES, USAGE, BUDGET, INTERRUPTED = 1, 2, 3, 130


class Outcomes(TyperGroup):
    """Turns the errors that are meant for the user into one line on stderr and an exit code; bugs stay visible."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that `ctx` names."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            stop(f"error: {error}", USAGE)
        except BudgetReached as error:
            stop(f"stopped: {error}", BUDGET)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            if error.filename is None:  # else Python writes the rest at its end, and fails again
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            stop(f"error: {error.filename or 'the output'}: cannot be written ({error.strerror})", USAGE)
        except KeyboardInterrupt:
            # What a second Ctrl-C broke off is no news.
            logging.getLogger("asyncio").setLevel(logging.CRITICAL)
            stop("interrupted; run the same command again to go on where it stopped", INTERRUPTED)


def stop(message: str, code: int) -> None:
    """Print `message` on stderr and exit with `code`."""
    typer.echo(printable(message), err=True)
    raise typer.Exit(code)


def end(share: float, limit: float, where: str) -> None:
    """Exit with 1 if more failed than `budget.max_failures` allows."""
    if share > limit:
        stop(
            f"finished, but {share:.1%} failed, more than budget.max_failures ({limit:.1%}) allows; see {where}",
            FAILURES,
        )


def print_json(data: dict[str, Any]) -> None:
    """Print `data` as one JSON object on stdout."""
    typer.echo(json.dumps(data))
