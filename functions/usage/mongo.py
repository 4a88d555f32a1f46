"""Usage in Mongo: the collection `usage`, one document per viewer, title and kind.

The `_id` is `<user_id>/<kind>/<title_id>`. A view is changed only if its revision has not changed since it was read.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError

from functions.platform.mongo import store_errors
from functions.usage.documents import (
    CHANGING,
    document_of,
    document_of_mark,
    mark_of,
    title_state_of,
    view_of,
    viewers_of,
)
from functions.usage.model import Mark, StoredView, UsageKind, View, ViewerTitleState, ViewerUsage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymongo.collection import Collection
    from pymongo.database import Database


class MongoUsage:
    """The collection `usage`; its indexes are created at first use, before the first document."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._database = database

    @functools.cached_property
    def _usage(self) -> Collection[dict[str, Any]]:
        usage = self._database["usage"]
        usage.create_index([("user_id", ASCENDING), ("kind", ASCENDING), ("place", DESCENDING)])
        usage.create_index("expires_at", expireAfterSeconds=0)
        return usage

    @store_errors
    def view(self, user_id: str, title_id: str) -> StoredView | None:
        document = self._usage.find_one({"_id": _id(user_id, UsageKind.VIEW, title_id)})
        return StoredView(view_of(document), str(document["revision"])) if document else None

    @store_errors
    def add(self, view: View) -> bool:
        document = {
            "_id": _id(view.user_id, UsageKind.VIEW, view.title_id),
            **document_of(view),
            "expires_at": _expiry(view),
            "revision": 1,
        }
        try:
            self._usage.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    @store_errors
    def change(self, view: View, *, over: str) -> bool:
        document = document_of(view)
        changed = {name: document[name] for name in CHANGING} | {"expires_at": _expiry(view)}
        wanted = {"_id": _id(view.user_id, UsageKind.VIEW, view.title_id), "revision": int(over)}
        return self._usage.update_one(wanted, {"$set": changed, "$inc": {"revision": 1}}).matched_count == 1

    @store_errors
    def views(self, user_id: str, *, unfinished: bool, below: str | None, limit: int) -> list[View]:
        # a view that was never watched has no position, so no page contains it
        wanted: dict[str, Any] = {"user_id": user_id, "kind": UsageKind.VIEW.value, "place": {"$lt": below or "A"}}
        if unfinished:
            wanted["unfinished"] = True
        return [view_of(document) for document in self._usage.find(wanted).sort("place", DESCENDING).limit(limit)]

    @store_errors
    def put(self, mark: Mark) -> None:
        wanted = {"_id": _id(mark.user_id, mark.kind, mark.title_id)}
        self._usage.replace_one(wanted, document_of_mark(mark), upsert=True)

    @store_errors
    def marks(self, user_id: str, kind: UsageKind) -> list[Mark]:
        found = [mark_of(document) for document in self._usage.find({"user_id": user_id, "kind": kind.value})]
        return sorted(found, key=lambda mark: (mark.at, mark.title_id), reverse=True)

    @store_errors
    def title_state(self, user_id: str, title_id: str) -> ViewerTitleState:
        return title_state_of(self._usage.find({"_id": {"$in": [_id(user_id, kind, title_id) for kind in UsageKind]}}))

    def everyone(self, *, after: str) -> Iterator[ViewerUsage]:
        wanted = {"_id": {"$gt": _above(after) if after else ""}}
        documents = store_errors(lambda: self._usage.find(wanted, batch_size=2000).sort("_id", ASCENDING))()
        yield from viewers_of(iter(store_errors(lambda: next(documents, None)), None))

    @store_errors
    def viewer(self, user_id: str) -> ViewerUsage | None:
        return next(viewers_of(self._usage.find({"_id": {"$gt": f"{user_id}/", "$lt": _above(user_id)}})), None)

    @store_errors
    def remove(self, user_id: str, kind: UsageKind, title_id: str) -> None:
        self._usage.delete_one({"_id": _id(user_id, kind, title_id)})

    @store_errors
    def remove_all(self, user_id: str, *kinds: UsageKind) -> None:
        for kind in kinds:
            self._usage.delete_many({"user_id": user_id, "kind": kind.value})


def _id(user_id: str, kind: UsageKind, title_id: str) -> str:
    return f"{user_id}/{kind.value}/{title_id}"


def _above(user_id: str) -> str:
    """Return a string above every id of a viewer's documents, and below those of the next viewer."""
    return f"{user_id}{chr(ord('/') + 1)}"


def _expiry(view: View) -> datetime:
    """Return when to delete the view, rounded to whole days, so that few heartbeats change the index."""
    at = (view.watched_at or view.made_at).astimezone(UTC) + view.kept_for
    return datetime.combine(at.date() + timedelta(days=1), time(), UTC)
