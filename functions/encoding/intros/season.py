"""Which parts of an episode can be skipped, from its comparisons with the episodes nearest to it: pure functions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from functions.catalogue.model import PartKind, SkippablePart
from functions.encoding.intros.comparison import find_shared
from functions.encoding.intros.fingerprint import CENTRE_S, POINT_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from functions.catalogue.model import Title
    from functions.encoding.intros.fingerprint import EpisodeSound

BEGINNING_SHARE, BEGINNING_S = 0.25, 600.0
"""An intro is looked for in this share of an episode, from its beginning, and in at most so many seconds."""

ENDING_SHARE, ENDING_S = 0.25, 360.0
"""Credits are looked for in this share of an episode, up to its end, and in at most so many seconds."""

LEAST_S, LONGEST_INTRO_S, LONGEST_CREDITS_S = 15.0, 120.0, 300.0
"""A shorter stretch is a jingle; a longer one belongs to episodes that are the same."""

EDGE_S = 0.25
"""A part that begins or ends so close to what can be compared extends to the beginning or the end of the film."""

NEIGHBOURS = 6
"""With how many episodes each is compared: the nearest ones, because an intro may change in the course of a season."""

RULES = 1
"""The version of fingerprints and rules; a change makes all episodes be compared again."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """An episode, the episodes with which it is compared, and a digest of all their encode jobs."""

    episode: Title
    others: tuple[Title, ...]

    @property
    def digest(self) -> str:
        """Return the value that changes if the episode has to be compared again."""
        jobs = sorted(job_of(title) for title in (self.episode, *self.others))
        return hashlib.sha256(" ".join((str(RULES), *jobs)).encode()).hexdigest()[:16]


def job_of(episode: Title) -> str:
    """Return the id of the encode job whose files an episode plays."""
    assert episode.playback
    return episode.playback.job_id


def neighbourhoods(season: Sequence[Title]) -> list[Neighbourhood]:
    """Return each episode of a season, which is in order, with the episodes nearest to it; none if it is alone."""
    found = []
    for place, episode in enumerate(season):
        nearest = sorted((abs(place - other), other) for other in range(len(season)) if other != place)
        found.append(Neighbourhood(episode, tuple(season[other] for _, other in nearest[:NEIGHBOURS])))
    return found if len(season) > 1 else []


def beginning_s(duration_s: float) -> float:
    """Return how many seconds from its beginning an episode may have an intro."""
    return min(BEGINNING_S, duration_s * BEGINNING_SHARE)


def ending_s(duration_s: float) -> float:
    """Return how many seconds before its end an episode may have credits."""
    return min(ENDING_S, duration_s * ENDING_SHARE)


def find_parts(episode: EpisodeSound, others: Iterable[EpisodeSound]) -> tuple[SkippablePart, ...]:
    """Return the intro and the credits of an episode, as far as others share them."""
    compared = list(others)
    intros = (
        find_shared(episode.beginning, other.beginning, least_s=LEAST_S, most_s=LONGEST_INTRO_S) for other in compared
    )
    credits = (
        find_shared(episode.ending, other.ending, least_s=LEAST_S, most_s=LONGEST_CREDITS_S) for other in compared
    )
    spans = {
        PartKind.INTRO: [(found.first_s, found.first_s + found.lasts_s) for found in intros if found],
        PartKind.CREDITS: [(found.first_s, found.first_s + found.lasts_s) for found in credits if found],
    }
    return tuple(_parts(spans, episode.duration_s))


def _parts(spans: Mapping[PartKind, list[tuple[float, float]]], duration_s: float) -> Iterable[SkippablePart]:
    for kind, found in spans.items():
        if agreed := _agreed(found):
            start_s, end_s = agreed
            # no point describes the first and the last moments of a film alone
            start_s = 0.0 if start_s <= CENTRE_S + EDGE_S else start_s
            end_s = duration_s if end_s >= duration_s - (POINT_S - CENTRE_S) - EDGE_S else end_s
            yield SkippablePart(kind, round(start_s, 2), round(end_s, 2))


def _agreed(spans: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Return the span on which most comparisons agree, or None; of several, the longest.

    Spans agree if they have more than half of the longer one in common. Two episodes may share other music, but rarely
    with a third one.
    """
    groups = [
        [other for other in spans if _overlap(span, other) > 0.5 * max(_length(span), _length(other))] for span in spans
    ]
    if not groups:
        return None
    group = max(groups, key=lambda group: (len(group), max(map(_length, group))))
    return median(begin for begin, _ in group), median(end for _, end in group)


def _length(span: tuple[float, float]) -> float:
    return span[1] - span[0]


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    return min(one[1], other[1]) - max(one[0], other[0])
