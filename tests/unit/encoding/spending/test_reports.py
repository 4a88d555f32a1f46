"""The owner's report on encoding: films and failures by day, storage, and spending by month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from functions.encoding.model import JobStatus
from functions.encoding.schemas import EncodingReport
from functions.encoding.spending.budget import EncodeBudget
from functions.encoding.spending.costs import replica_s_for
from functions.encoding.spending.reports import EncodeReports, JobDay, JobRecord, StoredFilms, stored_films
from tests.support.clock import NOON
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_spending import MemorySpending

DAY = timedelta(days=1)
READY, FAILED, QUEUED, ENCODING = JobStatus.READY, JobStatus.FAILED, JobStatus.QUEUED, JobStatus.ENCODING


def record(title_id: str, status: JobStatus, *, ago: int = 0, upload_size: int = 10, film_size: int = 0) -> JobRecord:
    """Return a job that was opened some days ago."""
    return JobRecord(title_id, status, NOON - ago * DAY, upload_size, film_size)


class Reported:
    """Reports from given jobs and titles."""

    def __init__(self, *records: JobRecord, titles: tuple[str, ...] = (), limit_usd: int = 0) -> None:
        self.records = list(records)
        self.spending = MemorySpending(MemoryEncodeJobs())
        budget = EncodeBudget(self.spending, lambda: NOON, limit_usd=lambda: limit_usd)
        self.reports = EncodeReports(self, self.spending, budget, lambda: list(titles), lambda: NOON)

    def list_records(self) -> list[JobRecord]:
        """Return the jobs, as the store does."""
        return self.records


def test_each_day_says_what_became_of_its_films() -> None:
    reported = Reported(
        record("a", READY), record("b", FAILED), record("c", QUEUED, ago=2), record("d", ENCODING, ago=2),
        record("e", READY, ago=3),
    )  # fmt: skip
    figures = reported.reports.encoding(3)
    today = NOON.date()
    assert figures.days == (JobDay(today - 2 * DAY, 0, 0, 2), JobDay(today - DAY, 0, 0, 0), JobDay(today, 1, 1, 0))
    assert figures.open == 2


def test_storage_counts_the_newest_film_and_upload_of_a_title_once() -> None:
    records = [
        record("replaced", READY, ago=2, upload_size=10, film_size=100),
        record("replaced", READY, ago=1, upload_size=20, film_size=200),
        record("replaced", FAILED, upload_size=30),  # the film before it is still played
        record("withdrawn", READY, upload_size=40, film_size=400),  # its upload stays
        record("new", QUEUED, upload_size=50),
    ]
    assert stored_films(records, ["replaced", "new"]) == StoredFilms(films=1, film_size=200, upload_size=30 + 40 + 50)


def test_spending_has_the_months_of_a_year_and_the_limit_of_this_one() -> None:
    reported = Reported(limit_usd=20)
    for month, usd in (("2025-11", 1), ("2025-12", 2), ("2026-10", 4), ("2026-11", 8)):
        reported.spending.add(month, replica_s_for(usd))
    answer = EncodingReport.of(reported.reports.encoding(30))
    assert [(one.month, round(one.encode_microusd / 1e6)) for one in answer.months] == [
        ("2025-12", 2),
        ("2026-10", 4),
        ("2026-11", 8),
    ]
    assert answer.month.limit_microusd == pytest.approx(20_000_000, abs=2)


def test_a_new_copy_has_an_empty_report() -> None:
    answer = EncodingReport.of(Reported().reports.encoding(7))
    assert [one.day for one in answer.days][-1] == NOON.date().isoformat()
    assert not any(one.ready or one.failed or one.open for one in answer.days)
    assert (answer.storage.films, answer.storage.microusd_per_month, answer.open) == (0, 0, 0)
    assert [one.month for one in answer.months] == ["2026-11"]


@pytest.mark.parametrize(("now", "first"), [(datetime(2027, 1, 31, tzinfo=UTC), "2026-02"), (NOON, "2025-12")])
def test_the_year_of_spending_ends_with_this_month(now: datetime, first: str) -> None:
    spending = MemorySpending(MemoryEncodeJobs())
    spending.add(first, 1)
    budget = EncodeBudget(spending, lambda: now, limit_usd=lambda: 0)
    reports = EncodeReports(Reported(), spending, budget, list, lambda: now)
    assert list(reports.encoding(1).months) == [first]
