"""mlcroissant, whose logging library must not close what pytest captures.

It keeps the standard error of its import, and closes that when another library (Prefect) sets up logging anew; the real one
it leaves open.
"""

import sys

import mlcroissant
from absl import logging

logging.get_absl_handler().python_handler.stream = sys.__stderr__
Dataset = mlcroissant.Dataset
