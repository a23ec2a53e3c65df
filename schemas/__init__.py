"""One schema per table of a run: columns, types, bounds, keys, and a sentence for each column."""

import dataframely as dy

from schemas.documents import Documents
from schemas.edits import Edits
from schemas.failures import Failures
from schemas.inferences import Inferences
from schemas.requests import Requests
from schemas.samples import Samples
from schemas.scores import Scores
from schemas.truths import Truths
from schemas.users import Users

SCHEMAS: dict[str, type[dy.Schema]] = {
    "users": Users,
    "documents": Documents,
    "samples": Samples,
    "truths": Truths,
    "inferences": Inferences,
    "edits": Edits,
    "scores": Scores,
    "failures": Failures,
    "requests": Requests,
}
