"""Viewing by day in Mongo, even if views are in Cosmos DB NoSQL: the collections `usage_days` and `usage_titles`.

A day is spread over several documents, so that viewers who watch at the same time do not wait for each other.
"""

from __future__ import annotations

import random
from dataclasses import asdict, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from pymongo.errors import DuplicateKeyError

from functions.platform.mongo import store_errors
from functions.usage.days import NO_VIEWING, DayViewing

if TYPE_CHECKING:
    from pymongo.collection import Collection
    from pymongo.database import Database

SHARDS = 8


class MongoViewingDays:
    """The collection `usage_days`: documents `<day>/<shard>` with counts that only grow.

    The collection `usage_titles` has the minutes of a title on devices that play AV1, keyed by the id of the title.
    """

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._database = database

    @property
    def _days(self) -> Collection[dict[str, Any]]:
        return self._database["usage_days"]

    @property
    def _titles(self) -> Collection[dict[str, Any]]:
        return self._database["usage_titles"]

    @store_errors
    def count(self, day: date, viewing: DayViewing) -> None:
        counts = {name: count for name, count in asdict(viewing).items() if count}
        _grow(self._days, f"{day.isoformat()}/{random.randrange(SHARDS)}", counts)

    @store_errors
    def viewing_since(self, day: date) -> dict[date, DayViewing]:
        found: dict[date, DayViewing] = {}
        for document in self._days.find({"_id": {"$gte": day.isoformat()}}):
            counted = date.fromisoformat(document["_id"].partition("/")[0])
            shard = DayViewing(**{field.name: document.get(field.name, 0) for field in fields(DayViewing)})
            found[counted] = found.get(counted, NO_VIEWING) + shard
        return found

    @store_errors
    def count_av1(self, title_id: str, minutes: int) -> None:
        _grow(self._titles, title_id, {"av1_minutes": minutes})

    @store_errors
    def av1_minutes(self, title_id: str) -> int:
        found = self._titles.find_one({"_id": title_id})
        return int(found["av1_minutes"]) if found else 0


def _grow(collection: Collection[dict[str, Any]], key: str, counts: dict[str, int]) -> None:
    """Add to the counts of a document, which is created if necessary."""
    try:
        collection.update_one({"_id": key}, {"$inc": counts}, upsert=True)
    except DuplicateKeyError:  # another process has made the document since the server looked for it
        collection.update_one({"_id": key}, {"$inc": counts})
