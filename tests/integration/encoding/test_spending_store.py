"""The contract of spending, for the store in memory and for Mongo: a month never exceeds its limit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from functions.encoding.model import Transition
from functions.encoding.repository import MongoEncodeJobs
from functions.encoding.spending.costs import EncodeCost, estimated_s, estimated_size
from functions.encoding.spending.limit_store import MongoEncodeLimit
from functions.encoding.spending.store import MongoSpending
from tests.support.clock import NOON
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_job, make_plan
from tests.support.encoding_spending import MemoryEncodeLimit, MemorySpending

if TYPE_CHECKING:
    from functions.encoding.ports import EncodeJobs, LimitStore, SpendingStore

MONTH = "2026-11"
JOB = "0123456789ab"

type Stores = tuple[SpendingStore, EncodeJobs]


@pytest.fixture(params=["memory", "mongo"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Return empty stores of spending and jobs, either the fakes or the real ones; each test runs with both."""
    if request.param == "memory":
        jobs = MemoryEncodeJobs()
        return MemorySpending(jobs), jobs
    database = request.getfixturevalue("mongo_database")
    spending = MongoSpending(database["encode_months"], database["encode_jobs"])
    return spending, MongoEncodeJobs(database["encode_jobs"], lambda: NOON)


@pytest.fixture(params=["memory", "mongo"])
def limits(request: pytest.FixtureRequest) -> LimitStore:
    """Return an empty store of the limit, either the fake or the real one."""
    if request.param == "memory":
        return MemoryEncodeLimit()
    return MongoEncodeLimit(request.getfixturevalue("mongo_database")["encode_limit"])


def test_what_is_added_to_a_month_is_its_spending(stores: Stores) -> None:
    spending, _ = stores
    assert spending.spent_s(MONTH) == 0
    spending.add(MONTH, 12.5)
    spending.add(MONTH, -2.5)
    spending.add("2026-12", 1)
    assert (spending.spent_s(MONTH), spending.spent_s("2026-12")) == (10, 1)


def test_the_spending_of_months_is_listed_from_one_on(stores: Stores) -> None:
    spending, _ = stores
    for month in ("2025-12", MONTH, "2027-01"):
        spending.add(month, 3)
    spending.note_announced("2026-12", 5)
    assert spending.spent_since("2026-01") == {MONTH: 3, "2027-01": 3}


def test_nothing_is_added_beyond_the_limit(stores: Stores) -> None:
    spending, _ = stores
    assert not spending.add_below(MONTH, 11, limit_s=10)
    assert spending.spent_s(MONTH) == 0
    assert spending.add_below(MONTH, 6, limit_s=10)
    assert not spending.add_below(MONTH, 5, limit_s=10)
    assert spending.add_below(MONTH, 4, limit_s=10)
    assert spending.spent_s(MONTH) == 10
    assert spending.add_below(MONTH, 1, limit_s=11)
    spending.add(MONTH, 5)
    assert not spending.add_below(MONTH, 0, limit_s=11), "the month is already above its limit"


def test_many_encoders_together_stay_below_the_limit(stores: Stores) -> None:
    spending, _ = stores

    def work(_: int) -> bool:
        return spending.add_below(MONTH, 7, limit_s=100)

    with ThreadPoolExecutor(4) as pool:
        admitted = sum(pool.map(work, range(40)))
    assert admitted == 14
    assert spending.spent_s(MONTH) == 98


def test_a_limit_is_announced_once(stores: Stores) -> None:
    spending, _ = stores
    assert not spending.is_announced(MONTH, 100)
    spending.note_announced(MONTH, 100)
    spending.note_announced(MONTH, 100)
    assert spending.is_announced(MONTH, 100)
    assert not spending.is_announced(MONTH, 200)
    assert not spending.is_announced("2026-12", 100)
    assert spending.add_below(MONTH, 1, limit_s=100), "a month that was only announced has a spending"


def test_the_limit_of_an_owner_is_kept_until_it_is_removed(limits: LimitStore) -> None:
    assert limits.find_limit_usd() is None
    for usd in (20, 0, 1_000_000):
        limits.store_limit_usd(usd)
        assert limits.find_limit_usd() == usd
    limits.store_limit_usd(None)
    limits.store_limit_usd(None)
    assert limits.find_limit_usd() is None


def test_a_job_has_its_estimate_and_its_cost(stores: Stores) -> None:
    spending, jobs = stores
    plan = make_plan()
    jobs.add_job(make_job(JOB))
    spending.add_to_job(JOB, 3)
    (work,) = jobs.list_work()
    assert work.cost == EncodeCost(0, 3)
    jobs.change_status(JOB, Transition.START_PLANNING, planning_at=NOON)
    jobs.change_status(JOB, Transition.FINISH_PLANNING, plan=plan, planned_at=NOON)
    spending.add_to_job(JOB, 4.5)
    (work,) = jobs.list_work()
    summary = jobs.find_summary(JOB)
    assert summary and summary.cost == work.cost == EncodeCost(estimated_s(plan), 7.5, estimated_size(plan))
    spending.add_to_job("ffffffffffff", 1)
    assert jobs.find_summary("ffffffffffff") is None
