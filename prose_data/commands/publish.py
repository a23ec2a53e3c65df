"""`prose-data publish`: a finished run as a data set on the Hugging Face hub or in a bucket."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prose_data.commands.options import Json
from prose_data.commands.outcomes import print_json
from prose_data.errors import InputError, printable

if TYPE_CHECKING:
    from prose_data.hub.publishing import Prepared, Published


def publish(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    repo: Annotated[
        str | None,
        typer.Option(
            "--repo",
            help="OWNER/NAME on the hub, or a place: s3://BUCKET/PREFIX, file:///FOLDER. Needed but for --dry-run.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write RUN/hub and say what would be sent; needs no token.")
    ] = False,
    private: Annotated[
        bool, typer.Option("--private", help="Create it private; refuse one that is public.")
    ] = False,
    create: Annotated[
        bool, typer.Option("--create/--no-create", help="Create the data set on the hub if it is not there.")
    ] = True,
    tag: Annotated[
        str | None, typer.Option("--tag", help="Name of this version; default v and the content hash.")
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(
            "--card", metavar="FILE.yaml", help="Fields of the card, for example license and pretty_name."
        ),
    ] = None,
    allow_pii: Annotated[
        bool,
        typer.Option(
            "--allow-pii",
            help="What looks like secrets, e-mail addresses and phone numbers is meant to be public.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Publish a finished run as a data set: the folder RUN/hub, as one commit with one tag.

    Nothing is sent if nothing has changed, and nothing twice: run it again after a failure. On the hub the environment
    variable HF_TOKEN must hold a token that may write.
    """
    from prose_data.hub.publishing import check_target, parts_of, prepare
    from prose_data.hub.publishing import publish as send
    from prose_data.runs import load_run

    if repo is not None:
        check_target(repo, private, tag)
    run, fields = load_run(path), _card(card)
    if dry_run:
        ready = prepare(run, repo, fields, _say)
        _print_prepared(ready, parts_of(ready.folder), repo, allow_pii, as_json)
        return
    if repo is None:
        raise InputError("--repo: say where to publish, OWNER/NAME, s3://… or file://…; --dry-run needs none")
    done = send(
        run, repo, private=private, create=create, tag=tag, allow_pii=allow_pii, card=fields, progress=_say
    )
    _print_published(done, as_json)


def _card(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    from prose_data.config import load_yaml

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    return load_yaml(text, str(path))


def _say(line: str) -> None:
    typer.echo(printable(line), err=True)


def _print_prepared(
    ready: "Prepared", parts: list[Any], repo: str | None, allowed: bool, as_json: bool
) -> None:
    from dataclasses import asdict

    from prose_data.hub.privacy import KNOWN

    content = ready.content
    refused = [one for one in ready.found if one.kind == KNOWN or not allowed]
    if as_json:
        print_json(
            {
                "folder": str(ready.folder),
                "target": repo,
                "content_hash": content.hash,
                "files": len(content.files),
                "bytes": content.bytes,
                "parts": [asdict(part) for part in parts],
                "found": [asdict(one) for one in ready.found],
                "refused": bool(refused),
            }
        )
        return
    for part in parts:
        typer.echo(f"{part.rows:>12,} rows {part.bytes:>15,} bytes  {part.config}/{part.split}")
    typer.echo(
        f"{len(content.files):>12,} files{content.bytes:>15,} bytes  at most would be sent{f' to {printable(repo)}' if repo else ''}"
    )
    for one in ready.found:
        typer.echo(f"found {printable(str(one))}")
    if refused:
        typer.echo(
            "publishing would be refused" + ("" if allowed else "; --allow-pii says that they are meant")
        )
    elif not ready.found:
        typer.echo("no secrets, e-mail addresses or phone numbers found")


def _print_published(done: "Published", as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json(asdict(done))
        return
    if not done.changed:
        typer.echo(f"nothing new: {printable(done.url)} holds this version already")
        return
    tag = f" as {done.tag}" if done.tag else ""
    sent = "" if done.sent is None else f", {done.sent:,} bytes sent"
    typer.echo(f"published {done.files:,} files{tag} at {printable(done.url)}{sent}")
