"""The damaged pictures of a film: where they are, how many a film may have, and the sentences about them.

A decoder fills in what it cannot read of a picture, so a film with little damage is worth publishing. Damage is counted
in frames of the grid, per chunk, so that a chunk that is encoded twice is counted once.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from functions.encoding.frame_grid import FrameGrid
    from functions.platform.settings import Settings

ALWAYS_TOLERATED_S = Fraction(1, 2)
"""Damage of this length is tolerated in any film, because 1 % of a short clip is less than a single glitch."""

_NEIGHBOURS = 2
"""Damaged frames at most this far apart form one run."""

_PLACE_S = 1
"""Runs less than this many seconds apart are shown to people as one place."""

_NAMED_PLACES = 3


@dataclass(frozen=True, slots=True)
class DamagedRun:
    """Frames [first_frame, end_frame) of the grid; `pictures` of these could not be decoded correctly."""

    first_frame: int
    end_frame: int
    pictures: int


@dataclass(frozen=True, slots=True)
class DamagedPlace:
    """A damaged section of a film, in seconds from its start; `pictures` is the number of damaged pictures in it."""

    begin_s: float
    end_s: float
    pictures: int


@dataclass(frozen=True, slots=True)
class DamageReport:
    """The damage of a film: `pictures` of its `total` pictures are damaged, in `places`.

    `longest_s` is the longest run without a good picture. The last `missing_s` seconds of the film are not in its file;
    they count as damaged too. `filled_in` are the damaged places before them.
    """

    pictures: int
    total: int
    longest_s: Fraction
    missing_s: Fraction
    places: tuple[DamagedPlace, ...]
    filled_in: tuple[DamagedPlace, ...]
    rate: Fraction

    @property
    def percent(self) -> float:
        """Return the share of damaged pictures in percent."""
        return 100 * self.pictures / self.total

    @property
    def note(self) -> str:
        """Return sentences for the owner of a film that was published in spite of its damage."""
        sentences = []
        unread = sum(place.pictures for place in self.filled_in)
        if unread == 1:
            sentences.append(f"One frame could not be read and was filled in{_where(self.filled_in)}.")
        elif unread:
            share = f"{unread} frames ({_percent(unread, self.total)} %)"
            sentences.append(f"{share} could not be read and were filled in{_where(self.filled_in)}.")
        if self.missing_s:
            sentences.append(f"The last {float(self.missing_s):.1f} s are missing from the file.")
        return " ".join(sentences)

    def refusal(self, name: str) -> str:
        """Return the reason why the film `name` is refused."""
        return (
            f"{name} is damaged: {self.pictures} of {self.total} frames ({_percent(self.pictures, self.total)} %) "
            f"cannot be read{_where(self.places)}. Upload the original again."
        )


@dataclass(frozen=True, slots=True)
class DamageLimits:
    """How much of a film may be damaged: a share of its pictures in percent, and seconds without a good picture."""

    percent: int = 1
    run_s: int = 2

    @classmethod
    def of(cls, settings: Settings) -> DamageLimits:
        """Return the limits that the settings define."""
        return cls(settings.max_damaged_percent, settings.max_damaged_run_s)

    def exceeded_by(self, report: DamageReport) -> bool:
        """Return whether a film with this damage must not be published."""
        tolerated = max(self.percent * report.total / Fraction(100), ALWAYS_TOLERATED_S * report.rate)
        return report.pictures > tolerated or report.longest_s > self.run_s


def runs_of(frames: Iterable[int]) -> tuple[DamagedRun, ...]:
    """Return damaged frames as runs of neighbours, in order."""
    return _merged([DamagedRun(frame, frame + 1, 1) for frame in sorted(set(frames))], within=_NEIGHBOURS)


def report_of(runs: Iterable[DamagedRun], *, rate: Fraction, frames: int, missing: int = 0) -> DamageReport | None:
    """Return the damage of a film that has `frames` frames and lost `missing` more at its end; None if it has none."""
    cut = [DamagedRun(frames, frames + missing, missing)] if missing else []
    read = sorted(runs, key=lambda run: run.first_frame)
    found = _merged([*read, *cut], within=_NEIGHBOURS)
    if not found:
        return None
    return DamageReport(
        pictures=sum(run.pictures for run in found),
        total=frames + missing,
        longest_s=max(run.end_frame - run.first_frame for run in found) / rate,
        missing_s=missing / rate,
        places=_places(found, rate),
        filled_in=_places(read, rate),
        rate=rate,
    )


def damage_of(grid: FrameGrid, damage: Mapping[str, tuple[DamagedRun, ...]], missing: int) -> DamageReport | None:
    """Return the damage in the chunks of a film, None if they have none; `damage` has the runs of each chunk."""
    runs = [run for found in damage.values() for run in found]
    return report_of(runs, rate=grid.rate, frames=grid.frames, missing=missing)


def largest(places: Iterable[DamagedPlace], count: int) -> list[DamagedPlace]:
    """Return the `count` places with the most damaged pictures, in order of time."""
    chosen = heapq.nlargest(count, places, key=lambda place: place.pictures)
    return sorted(chosen, key=lambda place: place.begin_s)


def _places(runs: Sequence[DamagedRun], rate: Fraction) -> tuple[DamagedPlace, ...]:
    return tuple(
        DamagedPlace(round(float(run.first_frame / rate), 3), round(float(run.end_frame / rate), 3), run.pictures)
        for run in _merged(runs, within=int(_PLACE_S * rate))
    )


def _merged(runs: Sequence[DamagedRun], *, within: int) -> tuple[DamagedRun, ...]:
    """Merge neighbouring runs that are at most `within` frames apart; `runs` are in order."""
    if not runs:
        return ()
    apart = (number for number, (one, two) in enumerate(pairwise(runs), 1) if two.first_frame - one.end_frame >= within)
    starts = [0, *apart]
    groups = [runs[start:end] for start, end in pairwise([*starts, len(runs)])]
    return tuple(
        DamagedRun(group[0].first_frame, group[-1].end_frame, sum(run.pictures for run in group)) for group in groups
    )


def _percent(part: int, total: int) -> str:
    """Return a share in percent with two significant digits, such as "0.22" or "100"."""
    share = 100 * part / total
    return f"{share:.2g}" if share < 99.5 else "100"


def _where(places: Sequence[DamagedPlace]) -> str:
    """Return the largest places in a form that is the same in every language, such as " (0:10, 1:15–1:17)"."""
    named = ", ".join(_clock_span(place) for place in largest(places, _NAMED_PLACES))
    return f" ({named}, …)" if len(places) > _NAMED_PLACES else f" ({named})"


def _clock_span(place: DamagedPlace) -> str:
    begin, end = _clock(place.begin_s), _clock(place.end_s)
    return begin if begin == end else f"{begin}–{end}"


def _clock(seconds: float) -> str:
    """Return seconds as a player shows them: 75 becomes 1:15."""
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
