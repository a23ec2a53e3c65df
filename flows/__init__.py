"""The only code that imports Prefect: the stages of `prose_data.stages` as flows, one task per shard and stage.

Prefect sends no telemetry and prints warnings only, Dask and Ray nothing but what is raised, unless the environment says
otherwise. A failed task's traceback is not logged, because the exception itself reaches the caller.
"""

import os

for _name, _value in {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "DASK_LOGGING__DISTRIBUTED": "critical",
    "PREFECT_LOGGING_LOGGERS_PREFECT_FLOW_RUNS_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL": "CRITICAL",
}.items():
    os.environ.setdefault(_name, _value)
