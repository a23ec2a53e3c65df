"""The flow `publish`: the data set of a finished run, on the hub or in a bucket."""

from pathlib import Path

from prefect import flow

from flows.shards import FLOW
from prose_data.hub import publishing
from prose_data.runs import load_run


@flow(name="publish", **FLOW)
def publish(
    out: str,
    target: str,
    private: bool = False,
    create: bool = True,
    tag: str | None = None,
    allow_pii: bool = False,
) -> bool:
    """Publish the run in folder `out` to `target` as `prose_data.hub.publishing.publish` does; return whether it is new."""
    done = publishing.publish(
        load_run(Path(out)), target, private=private, create=create, tag=tag, allow_pii=allow_pii
    )
    return done.changed
