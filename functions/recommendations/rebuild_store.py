"""Rebuilds and the journal of changes during them, kept in Mongo, because the graph itself may be lost."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pymongo.errors import DuplicateKeyError

from functions.platform.mongo import store_errors
from functions.recommendations.rebuild import Phase, RebuildProgress

if TYPE_CHECKING:
    from datetime import datetime

    from pymongo.database import Database


class MongoRebuildStore:
    """The collection `graph`: one document for the latest rebuild, one for the time at which a message was lost.

    In addition, a document `<rebuild_id>/<user_id>` counts the changes of a viewer during a rebuild.
    """

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
    def save_progress(self, progress: RebuildProgress, *, over: RebuildProgress | None) -> bool:
        document = {**asdict(progress), "phase": progress.phase.value}
        if over is None:
            try:
                self._records.insert_one({"_id": "rebuild", **document})
            except DuplicateKeyError:
                return False
            return True
        chosen = {"_id": "rebuild", "id": over.id, "phase": over.phase.value, "cursor": over.cursor}
        return self._records.replace_one(chosen, document).matched_count == 1

    @store_errors
    def record_change(self, rebuild_id: str, user_id: str) -> None:
        chosen, counted = {"_id": f"{rebuild_id}/{user_id}"}, {"$inc": {"changes": 1}}
        try:
            self._records.update_one(chosen, counted, upsert=True)
        except DuplicateKeyError:  # another process has made the document since the server looked for it
            self._records.update_one(chosen, counted)

    @store_errors
    def changes(self, rebuild_id: str, *, after: str, until: str | None) -> dict[str, int]:
        found = self._records.find({"_id": _ids(rebuild_id, after, until)})
        return {document["_id"].partition("/")[2]: document["changes"] for document in found}

    @store_errors
    def clear_changes(self, rebuild_id: str) -> None:
        self._records.delete_many({"_id": _ids(rebuild_id)})

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


def _ids(rebuild_id: str, after: str = "", until: str | None = None) -> dict[str, str]:
    """Return the condition for the ids of changes during a rebuild, of viewers after `after` and up to `until`."""
    end = {"$lt": f"{rebuild_id}{chr(ord('/') + 1)}"} if until is None else {"$lte": f"{rebuild_id}/{until}"}
    return {"$gt": f"{rebuild_id}/{after}", **end}
