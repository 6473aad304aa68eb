"""How often faces are matched with the right ones by the numbers that a recogniser makes of them; what chance does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

CERTAINTY = 0.999  # that guessing matches no more faces than `most_by_chance` says


def ranks(gallery: Sequence[Numbers], probes: Sequence[Numbers]) -> NDArray[np.intp]:
    """For each probe, how many others of the gallery are nearer to it than the one of the same face; 0 is a match."""
    distances = np.linalg.norm(np.array(probes)[:, None] - np.array(gallery), axis=2)
    return (distances < np.diag(distances)[:, None]).sum(axis=1)


def most_by_chance(faces: int) -> int:
    """How many of so many faces guessing matches at most, as surely as CERTAINTY: one on average."""
    from scipy.stats import binom  # which takes a second to import

    return int(binom.ppf(CERTAINTY, faces, 1 / faces))
