"""What the owner sees of encoding by day: films and failures, spending by month, and what is in storage."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.encoding.model import OPEN, JobStatus
from functions.encoding.spending.costs import month_of
from functions.platform.days import day_of, days_until

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import date, datetime

    from functions.encoding.ports import JobRecords, SpendingStore
    from functions.encoding.spending.budget import EncodeBudget
    from functions.encoding.spending.costs import MonthSpending

MONTHS = 12


@dataclass(frozen=True, slots=True)
class JobRecord:
    """The few facts of a job that reports need.

    `film_size` is the number of bytes of a ready job's files, verified or estimated.
    """

    title_id: str
    status: JobStatus
    created_at: datetime
    upload_size: int
    film_size: int = 0


@dataclass(frozen=True, slots=True)
class JobDay:
    """What became of the jobs that were opened on a day."""

    day: date
    ready: int
    failed: int
    open: int


@dataclass(frozen=True, slots=True)
class StoredFilms:
    """The number of films that can be played, their size in bytes, and the size of the uploads."""

    films: int
    film_size: int
    upload_size: int


@dataclass(frozen=True, slots=True)
class EncodingFigures:
    """Jobs by day, oldest first; how many jobs are open now; storage; spending by month, and this month's spending."""

    days: tuple[JobDay, ...]
    open: int
    stored: StoredFilms
    months: Mapping[str, float]
    month: MonthSpending


class EncodeReports:
    """Reports for the owner. `title_ids` returns the ids of the titles that are not withdrawn."""

    def __init__(
        self,
        records: JobRecords,
        spending: SpendingStore,
        budget: EncodeBudget,
        title_ids: Callable[[], Collection[str]],
        now: Callable[[], datetime],
    ) -> None:
        self._records = records
        self._spending = spending
        self._budget = budget
        self._title_ids = title_ids
        self._now = now

    def encoding(self, count: int) -> EncodingFigures:
        """Return the figures of the last `count` days, today included. Raises StoreUnavailable."""
        now = self._now()
        records = self._records.list_records()
        by_day = Counter((day_of(one.created_at), one.status) for one in records)
        days = tuple(
            JobDay(
                day,
                ready=by_day[day, JobStatus.READY],
                failed=by_day[day, JobStatus.FAILED],
                open=sum(by_day[day, status] for status in OPEN),
            )
            for day in days_until(now, count)
        )
        return EncodingFigures(
            days,
            open=sum(one.status in OPEN for one in records),
            stored=stored_films(records, self._title_ids()),
            months=self._spending.spent_since(_months_before(now, MONTHS - 1)),
            month=self._budget.this_month(),
        )


def stored_films(records: Iterable[JobRecord], title_ids: Collection[str]) -> StoredFilms:
    """Return what is in storage: the newest upload of each title, and the newest film of each title in `title_ids`."""
    uploads: dict[str, JobRecord] = {}
    films: dict[str, JobRecord] = {}
    listed = set(title_ids)
    for one in sorted(records, key=lambda each: each.created_at):
        uploads[one.title_id] = one
        if one.status is JobStatus.READY and one.title_id in listed:
            films[one.title_id] = one
    return StoredFilms(
        len(films), sum(one.film_size for one in films.values()), sum(one.upload_size for one in uploads.values())
    )


def _months_before(now: datetime, count: int) -> str:
    """Return the month that was `count` months ago, such as 2026-11."""
    months = now.year * 12 + now.month - 1 - count
    return month_of(now.replace(year=months // 12, month=months % 12 + 1, day=1))
