"""The rows of the table, in its order. A row more is a function in the file of its family and an entry here."""

from fnmatch import fnmatchcase

from bench import (
    alignx,
    cluster,
    hub,
    hub_upload,
    methods,
    report_page,
    scale,
    speed,
    stylometry,
    summary,
    trouble,
)
from bench.values import Row, Unusable

ROWS: dict[str, Row] = {
    "throughput": Row(">=", 1.5, "x the floor's requests/s", speed.throughput),
    "latency-64": Row(">=", 0.95, "of the ideal rate", speed.latency_64),
    "latency-256": Row("<=", 0.85, "x the floor's time", speed.latency_256),
    "start": Row("<", 1.2, "s to the first request", speed.start),
    "replay": Row(">=", 15_000, "replies/s from the store", speed.replay),
    "kill-sent-again": Row("<=", 0, "requests beyond those in flight", trouble.kill_sent_again),
    "kill-asked-again": Row("<=", 0, "replies that had been read", trouble.kill_asked_again),
    "limit-in-flight": Row(">=", 90, "of 100 in flight", trouble.limit_in_flight),
    "limit-rejected": Row("<", 0.02, "of all requests", trouble.limit_rejected),
    "errors-unanswered": Row("<=", 0, "requests", trouble.errors_unanswered),
    "errors-extra": Row("<", 0.15, "requests more, as a share", trouble.errors_extra),
    "memory-growth": Row("<=", 150, "MB more than for 10,000 items", scale.memory_growth),
    "memory-peak": Row("<", 250, "MB", scale.memory_peak),
    "processes-8": Row("<=", 0, "processes and replies lost", scale.processes),
    "prose-cpu": Row("<", 5, "ms of one processor per user", methods.prose_cpu),
    "stylometry": Row(">=", 2_000, "users/s in two processes", stylometry.users_a_second),
    "summary": Row("<", 10, "s from tables on disk to the summary", summary.seconds),
    "summary-memory": Row("<", 1_000, "MB", summary.memory),
    "report-page": Row("<", 20, "s to the report of 100,000 inferences", report_page.seconds),
    "alignx": Row(">=", 1_000, "records/s over the whole run", alignx.records_a_second),
    "alignx-memory": Row("<", 1_500, "MB over all processes", alignx.memory),
    "alignx-checks": Row("<", 300, "s for all checks of the full set", alignx.checks),
    "alignx-kill": Row("<=", 0, "files that differ after a kill", alignx.resumed),
    "hub-folder": Row("<", 300, "s for the data set folder of the full set", hub.seconds),
    "hub-memory": Row("<", 2_000, "MB over all processes", hub.memory),
    "hub-again": Row("<", 0.05, "of the bytes, 1 % of the rows changed in a row", hub_upload.sent_again),
    "dask-speedup": Row(">=", 1.8, "x from one worker to two", cluster.dask_speedup),
    "prefect-share": Row("<", 0.05, "of the wall time at 100 shards", cluster.prefect_share),
}


def selected(only: str) -> list[str]:
    """Return the names that `only` chooses: all for an empty text, else one name or a pattern such as `memory-*`."""
    names = [name for name in ROWS if fnmatchcase(name, only or "*")]
    if not names:
        raise Unusable(f"no benchmark is called {only!r}; there are {', '.join(ROWS)}")
    return names
