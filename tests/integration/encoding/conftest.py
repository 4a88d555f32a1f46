"""Empty stores of encode jobs, in memory and in Mongo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.encoding.repository import MongoEncodeJobs
from functions.encoding.upkeep.store import MongoJobUpkeep
from tests.support.clock import NOON
from tests.support.encoding_jobs import MemoryEncodeJobs

if TYPE_CHECKING:
    from pymongo.collection import Collection
    from pymongo.database import Database

    from functions.encoding.ports import EncodeJobs, JobUpkeep


@pytest.fixture
def collection(mongo_database: Database[dict[str, Any]]) -> Collection[dict[str, Any]]:
    """Return the collection of the encode jobs in the empty database."""
    return mongo_database["encode_jobs"]


@pytest.fixture(params=["memory", "mongo"])
def jobs(request: pytest.FixtureRequest) -> EncodeJobs:
    """Return an empty store, either the fake or the real one; each test runs with both."""
    if request.param == "memory":
        return MemoryEncodeJobs()
    return MongoEncodeJobs(request.getfixturevalue("collection"), lambda: NOON)


@pytest.fixture
def upkeep(jobs: EncodeJobs) -> JobUpkeep:
    """Return the queries for the upkeep of the jobs in the store."""
    if isinstance(jobs, MemoryEncodeJobs):
        return jobs
    assert isinstance(jobs, MongoEncodeJobs)
    return MongoJobUpkeep(jobs._collection, lambda: NOON)
