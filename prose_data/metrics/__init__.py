"""Metrics score inferences; adding one takes its module and one line below."""

from prose_data.metrics.accuracy import accuracy
from prose_data.metrics.assessed import coherence, faithfulness, similarity
from prose_data.metrics.bertscore import bertscores
from prose_data.metrics.distance import description_length, edit_distance
from prose_data.metrics.following import crosstalk, rival, stale
from prose_data.metrics.identification import identification
from prose_data.metrics.judged import cpm, ppcm
from prose_data.metrics.leakage import quoted, topic_leak
from prose_data.metrics.likeness import preference_likeness, text_likeness
from prose_data.metrics.recovery import recovery
from prose_data.metrics.types import Metric

METRICS: dict[str, Metric] = {
    "ppcm": ppcm,
    "cpm": cpm,
    "recovery": recovery,
    "identification": identification,
    "similarity": similarity,
    "accuracy": accuracy,
    "preference_likeness": preference_likeness,
    "text_likeness": text_likeness,
    "bertscore": bertscores,
    "faithfulness": faithfulness,
    "coherence": coherence,
    "edit_distance": edit_distance,
    "description_length": description_length,
    "topic_leak": topic_leak,
    "quoted": quoted,
    "stale": stale,
    "rival": rival,
    "crosstalk": crosstalk,
}
ENCODED = frozenset({"accuracy", "preference_likeness", "text_likeness"})  # those that need the text encoder
