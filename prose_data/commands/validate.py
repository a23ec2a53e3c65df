"""`prose-data validate`: what a run would be, before anything is sent."""

import typer

from prose_data.commands.options import Json, Sets, Settings
from prose_data.commands.outcomes import print_json


def validate(
    config: Settings = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Check a configuration and its inputs and say what the run would be. Sends nothing."""
    from prose_data.config import load_config
    from prose_data.stages import check
    from prose_data.users import user_count

    settings = load_config(config, sets or ())
    if settings.space == "alignx":
        from prose_data.commands.alignx import validate_records

        validate_records(settings, as_json)
        return
    ground = check(settings)
    users = user_count(settings, ground.space, ground.kinds)
    samples = users * len(settings.seeds) * settings.rounds
    counts = {"users": users, "documents": len(ground.documents.rows), "seeds": len(settings.seeds)}
    counts |= {
        "samples": samples,
        "methods": len(settings.methods),
        "inferences": samples * len(settings.methods),
    }
    if as_json:
        print_json({"name": settings.name, **counts})
        return
    typer.echo(f"{config or 'the quickstart'} is valid; the run {settings.name} would be:")
    for word, count in counts.items():
        typer.echo(f"{count:>12,} {word}")
