"""Users' vectors: sparse, and correlated by common causes (AlignX shows blocks of its dimensions in a heat map).

Each dimension has a normal score, part of which comes from the common causes that it follows. Where the score is far
from 0 the user has a direction, by its sign, so dimensions of one block are held together, and every pole is held
equally often.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from prose_data.alignx.dimensions import COUNT
from prose_data.config import AlignX
from prose_data.streams import numpy_stream

FEWEST = 6  # directions of a user, so that texts can show different ones

Signs = NDArray[np.int8]  # users × 90: 1, 0 or -1 for a value of 1, 0.5 or 0
Values = NDArray[np.float64]  # users × 90: 1, 0.5 or 0


def loadings(settings: AlignX) -> Values:
    """Return how much each dimension follows each cause (causes × 90)."""
    matrix = np.zeros((len(settings.correlations), COUNT))
    for cause, blocks in enumerate(settings.correlations):
        for block in blocks:
            matrix[cause, block.first : block.last + 1] += block.loading
    return matrix


def user_signs(settings: AlignX, seed: int, users: Sequence[int]) -> Signs:
    """Return the users' directions, a row each; a row depends on its user's number and the seed alone."""
    followed = loadings(settings)
    alone = np.sqrt(1.0 - np.square(followed).sum(axis=0))
    drawn = np.empty((len(users), COUNT + len(followed)))
    for row, user in enumerate(users):
        drawn[row] = numpy_stream(seed, "alignx", "user", user).standard_normal(drawn.shape[1])
    scores = drawn[:, :COUNT] * alone
    for cause, loading in enumerate(
        followed
    ):  # not as a matrix product, whose rounding differs with its size
        scores += drawn[:, COUNT + cause, None] * loading
    far = np.abs(scores)
    nearest_held = -np.partition(-far, FEWEST - 1, axis=1)[:, FEWEST - 1 : FEWEST]
    from_here = NormalDist().inv_cdf(1.0 - settings.held / 2)
    held = far >= np.minimum(nearest_held, from_here)
    return np.where(held, np.sign(scores), 0).astype(np.int8)
