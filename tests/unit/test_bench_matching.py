"""`make bench-strength`: which faces count as matched, and how many are by chance."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.matching import CERTAINTY, most_by_chance, ranks


def test_the_rank_is_how_many_others_are_nearer() -> None:
    gallery = [np.array([0.0, 0.0]), np.array([1.0, 0.0]), np.array([5.0, 0.0])]
    probes = [np.array([0.1, 0.0]), np.array([0.2, 0.0]), np.array([0.9, 0.0])]
    assert ranks(gallery, probes).tolist() == [0, 1, 2]


def test_a_tie_counts_as_a_match() -> None:
    gallery = [np.array([0.0, 1.0]), np.array([1.0, 0.0])]
    assert ranks(gallery, [np.zeros(2), np.zeros(2)]).tolist() == [0, 0]


@pytest.mark.parametrize("faces", [20, 102, 475])
def test_guessing_seldom_matches_more_than_the_most_by_chance(faces: int) -> None:
    guesses = np.random.default_rng(faces).binomial(faces, 1 / faces, 100_000)
    most = most_by_chance(faces)
    assert (guesses > most).mean() <= 1 - CERTAINTY
    assert (guesses > most - 1).mean() > 1 - CERTAINTY
