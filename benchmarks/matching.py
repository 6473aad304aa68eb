"""Matches faces by a recogniser's descriptors, and says how many matches guessing gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

CERTAINTY = 0.999  # the probability that guessing matches no more faces than `most_by_chance`


def ranks(gallery: Sequence[Numbers], probes: Sequence[Numbers]) -> NDArray[np.intp]:
    """For each probe, how many other faces of the gallery are nearer than its own; 0 is a match."""
    distances = np.linalg.norm(np.array(probes)[:, None] - np.array(gallery), axis=2)
    return (distances < np.diag(distances)[:, None]).sum(axis=1)


def most_by_chance(faces: int) -> int:
    """The most faces that guessing matches, with the probability CERTAINTY; on average it matches one."""
    from scipy.stats import binom  # which takes a second to import

    return int(binom.ppf(CERTAINTY, faces, 1 / faces))
