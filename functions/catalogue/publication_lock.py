"""The lock of the catalogue's publisher in Mongo: one document, through which one publisher serves many requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from datetime import datetime

    from pymongo.collection import Collection

CATALOGUE = {"_id": "catalogue"}


class MongoPublicationLock:
    """The collection `publication`."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._locks = collection

    @store_errors
    def add_request(self) -> None:
        try:
            self._locks.update_one(CATALOGUE, {"$inc": {"requests": 1}}, upsert=True)
        except DuplicateKeyError:  # another request has just created the document
            self._locks.update_one(CATALOGUE, {"$inc": {"requests": 1}})

    @store_errors
    def take(self, owner: str, *, at: datetime, expired: datetime) -> int | None:
        free = [{"owner": None}, {"owner": owner}, {"renewed_at": {"$lt": expired}}]
        found = self._locks.find_one_and_update(
            {**CATALOGUE, "$or": free},
            {"$set": {"owner": owner, "renewed_at": at}},
            return_document=ReturnDocument.AFTER,
        )
        return int(found["requests"]) if found else None

    @store_errors
    def renew(self, owner: str, *, at: datetime) -> None:
        self._locks.update_one({**CATALOGUE, "owner": owner}, {"$set": {"renewed_at": at}})

    @store_errors
    def release(self, owner: str, *, requests: int | None = None) -> bool:
        chosen = {**CATALOGUE, "owner": owner} | ({} if requests is None else {"requests": requests})
        return self._locks.update_one(chosen, {"$set": {"owner": None}}).matched_count == 1
