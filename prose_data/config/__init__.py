"""One YAML file -> one frozen, strict `Config`; every key has a default, so an empty file is the quickstart.

Unknown keys and wrong values end in an `InputError` that names the file, the key and what would be right.
"""

from prose_data.config.alignx import AlignX, Block, Experiment
from prose_data.config.data import (
    Audience,
    Conflict,
    Drift,
    Framework,
    HubDocuments,
    OwnDocuments,
    Protocol,
    Samples,
    Users,
)
from prose_data.config.loading import dump_config, load_config, load_yaml, parse_config
from prose_data.config.methods import Cipher, Majority, Prelude, Prose, ProsePlus, Retrieval, Stop, Ticl
from prose_data.config.models import LOCAL_MODEL, ROLES, Model, Price, Roles
from prose_data.config.whole import Budget, Config, Engine, Shards

__all__ = [
    "LOCAL_MODEL",
    "ROLES",
    "AlignX",
    "Audience",
    "Block",
    "Budget",
    "Cipher",
    "Config",
    "Conflict",
    "Drift",
    "Engine",
    "Experiment",
    "Framework",
    "HubDocuments",
    "Majority",
    "Model",
    "OwnDocuments",
    "Prelude",
    "Price",
    "Prose",
    "ProsePlus",
    "Protocol",
    "Retrieval",
    "Roles",
    "Samples",
    "Shards",
    "Stop",
    "Ticl",
    "Users",
    "dump_config",
    "load_config",
    "load_yaml",
    "parse_config",
]
