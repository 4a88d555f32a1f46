"""Other ranking algorithms for the same split: popularity, item-kNN, EASE, and EASE with decay.

Each algorithm returns a score for every user and film. Its default parameters are the best ones found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tests.bench._recommend_movielens import Split

type Matrix = NDArray[np.floating[Any]]

TOP = 10


class Baselines:
    """The baseline algorithms for a split, which is stored as a matrix of users and films."""

    def __init__(self, split: Split, films: list[int]) -> None:
        self._column = {film: column for column, film in enumerate(films)}
        self._histories = [[self._column[rating.film] for rating in ratings] for ratings in split.known]
        self._targets = np.array([self._column[film] for film in split.held_out])
        self._seen: Matrix = np.zeros((len(self._histories), len(films)))
        for user, history in enumerate(self._histories):
            self._seen[user, history] = 1

    def popularity(self) -> Matrix:
        """Return how many users watched each film; the scores are the same for every user."""
        return np.broadcast_to(self._seen.sum(0), self._seen.shape)

    def item_knn(self, *, neighbours: int = 20, shrinkage: float = 10) -> Matrix:
        """Return the sums of shrunk cosine similarities to the films that a user watched.

        Only the nearest neighbours of each film count.
        """
        together = self._seen.T @ self._seen
        size = np.sqrt(np.diag(together))
        np.fill_diagonal(together, 0)
        near = together / (np.outer(size, size) + shrinkage)
        near[near < np.sort(near, axis=0)[-neighbours]] = 0
        return self._seen @ near

    def ease(self, *, ridge: float = 100) -> Matrix:
        """Return the scores of EASE (Steck, 2019)."""
        return self._seen @ self._ease_weights(ridge)

    def ease_recent(self, *, ridge: float = 500, decay: float = 0.7) -> Matrix:
        """Return the scores of EASE if each film in a history has `decay` times the weight of the next newer film."""
        recent = np.zeros_like(self._seen)
        for user, history in enumerate(self._histories):
            recent[user, history] = decay ** np.arange(len(history) - 1, -1, -1)
        return recent @ self._ease_weights(ridge)

    def hits(self, scores: Matrix) -> tuple[float, float]:
        """Return HR@10 and NDCG@10 of the held-out films among all films that are not in the user's training data.

        Among films with equal scores, the held-out film is ranked in the middle.
        """
        ranked = np.where(self._seen > 0, -np.inf, scores)
        target = ranked[np.arange(len(ranked)), self._targets][:, None]
        place = (ranked > target).sum(1) + ((ranked == target).sum(1) - 1) / 2
        found = place < TOP
        return float(found.mean()), float((found / np.log2(place + 2)).mean())

    def _ease_weights(self, ridge: float) -> Matrix:
        gram = self._seen.T @ self._seen
        gram[np.diag_indices_from(gram)] += ridge
        inverse = np.linalg.inv(gram)
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0)
        return weights
