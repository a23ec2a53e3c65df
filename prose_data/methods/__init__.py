"""Methods infer a user's preferences from writing samples; adding one takes its module and one line below."""

from collections.abc import Callable
from functools import partial

from prose_data.config import Config
from prose_data.methods.baselines import icl, no_learning
from prose_data.methods.cipher import cipher_1, cipher_n
from prose_data.methods.describe import describe
from prose_data.methods.majority import majority
from prose_data.methods.prelude import continual, cot_edit, explore_exploit, icl_edit
from prose_data.methods.prose import variant
from prose_data.methods.prose_plus import prose_plus
from prose_data.methods.stylometric import stylometric
from prose_data.methods.ticl import ticl
from prose_data.methods.types import Method

METHODS: dict[str, Callable[[Config], Method]] = {
    "no_learning": no_learning,
    "icl": icl,
    "cipher_1": cipher_1,
    "cipher_n": cipher_n,
    "explore_exploit": explore_exploit,
    "continual": continual,
    "icl_edit": icl_edit,
    "cot_edit": cot_edit,
    "describe": describe,
    "ticl": ticl,
    "majority": majority,
    "prose": partial(variant, "prose"),
    "prose_icl": partial(variant, "prose_icl"),
    "prose_nv": partial(variant, "prose_nv"),
    "prose_sc": partial(variant, "prose_sc"),
    "prose_1sc": partial(variant, "prose_1sc"),
    "prose_1nc": partial(variant, "prose_1nc"),
    "prose_1sc_ap_nv": partial(variant, "prose_1sc_ap_nv"),
    "prose_breakdown_each": partial(variant, "prose_breakdown_each"),
    "prose_no_breakdown": partial(variant, "prose_no_breakdown"),
    "prose_plus": prose_plus,
    "stylometric": stylometric,
}
ORACLE = (
    "oracle"  # the ceiling: the writer given the true components; added by the driver, which alone knows them
)
