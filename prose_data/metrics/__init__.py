"""Metrics score inferences; adding one takes its module and one line below."""

from prose_data.metrics.accuracy import accuracy
from prose_data.metrics.distance import description_length, edit_distance
from prose_data.metrics.following import crosstalk, rival, stale
from prose_data.metrics.identification import identification
from prose_data.metrics.judged import cpm, ppcm
from prose_data.metrics.leakage import topic_leak
from prose_data.metrics.recovery import recovery
from prose_data.metrics.types import Metric

METRICS: dict[str, Metric] = {
    "ppcm": ppcm,
    "cpm": cpm,
    "recovery": recovery,
    "identification": identification,
    "accuracy": accuracy,
    "edit_distance": edit_distance,
    "description_length": description_length,
    "topic_leak": topic_leak,
    "stale": stale,
    "rival": rival,
    "crosstalk": crosstalk,
}
