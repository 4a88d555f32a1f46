"""The progress of rebuilds, kept in Mongo, because the graph itself may be lost."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from functions.platform.mongo import store_errors
from functions.recommendations.rebuild import Phase, RebuildProgress

if TYPE_CHECKING:
    from datetime import datetime

    from pymongo.database import Database


class MongoRebuildStore:
    """The collection `graph`: one document for the latest rebuild, one for the time at which a message was lost."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._records = database["graph"]

    @store_errors
    def progress(self) -> RebuildProgress | None:
        document = self._records.find_one({"_id": "rebuild"})
        if document is None:
            return None
        fields = {name: value for name, value in document.items() if name != "_id"}
        return RebuildProgress(**{**fields, "phase": Phase(fields["phase"])})

    @store_errors
    def save_progress(self, progress: RebuildProgress) -> None:
        document = {**asdict(progress), "phase": progress.phase.value}
        self._records.replace_one({"_id": "rebuild"}, document, upsert=True)

    @store_errors
    def lost_at(self) -> datetime | None:
        document = self._records.find_one({"_id": "loss"})
        return document["at"] if document else None

    @store_errors
    def record_loss(self, at: datetime) -> None:
        self._records.replace_one({"_id": "loss"}, {"at": at}, upsert=True)

    @store_errors
    def clear_loss(self, before: datetime) -> None:
        self._records.delete_one({"_id": "loss", "at": {"$lt": before}})
