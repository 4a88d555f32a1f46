"""Usage in Mongo: the collection `usage`, one document for what is kept of a viewer, a title and a kind.

Its `_id` is `<user_id>/<kind>/<title_id>`. A view is changed only over the revision it was read at.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from functions.platform.errors import StoreUnavailable
from functions.usage.documents import (
    CHANGING,
    document_of,
    document_of_mark,
    everything_of,
    mark_of,
    traces_of,
    view_of,
)
from functions.usage.model import Everything, Kept, Kind, Mark, Traces, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pymongo.collection import Collection
    from pymongo.database import Database

TOO_MANY_REQUESTS = 16500
"""The code with which Cosmos DB for MongoDB refuses what is beyond its request units."""


def _store_errors[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Turn a store that is away, or throttles, into StoreUnavailable; a heartbeat is made up for by the next."""

    @functools.wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except OperationFailure as error:
            if error.code != TOO_MANY_REQUESTS:
                raise
            raise StoreUnavailable("The store of usage has too much to do; try again in a few seconds.") from error
        except PyMongoError as error:
            raise StoreUnavailable(f"The store of usage does not answer ({type(error).__name__}).") from error

    return guarded


class MongoUsage:
    """The collection `usage`; its indexes are made before the first document, at first use."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._database = database

    @functools.cached_property
    def _usage(self) -> Collection[dict[str, Any]]:
        usage = self._database["usage"]
        usage.create_index([("user_id", ASCENDING), ("kind", ASCENDING), ("place", DESCENDING)])
        usage.create_index("expires_at", expireAfterSeconds=0)
        return usage

    @_store_errors
    def view(self, user_id: str, title_id: str) -> Kept | None:
        """Return a view, or None."""
        document = self._usage.find_one({"_id": _id(user_id, Kind.VIEW, title_id)})
        return Kept(view_of(document), str(document["revision"])) if document else None

    @_store_errors
    def add(self, view: View) -> bool:
        """Insert; a duplicate id is an answer, not an error."""
        document = {
            "_id": _id(view.user_id, Kind.VIEW, view.title_id),
            **document_of(view),
            "expires_at": _expiry(view),
            "revision": 1,
        }
        try:
            self._usage.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    @_store_errors
    def change(self, view: View, *, over: str) -> bool:
        """Set what a heartbeat changes if the document still has that revision."""
        document = document_of(view)
        changed = {name: document[name] for name in CHANGING} | {"expires_at": _expiry(view)}
        wanted = {"_id": _id(view.user_id, Kind.VIEW, view.title_id), "revision": int(over)}
        return self._usage.update_one(wanted, {"$set": changed, "$inc": {"revision": 1}}).matched_count == 1

    @_store_errors
    def views(self, user_id: str, *, unfinished: bool, below: str | None, limit: int) -> list[View]:
        """Return a page of history; a view that was never watched has no place, and so is in no page."""
        wanted: dict[str, Any] = {"user_id": user_id, "kind": Kind.VIEW.value, "place": {"$lt": below or "A"}}
        if unfinished:
            wanted["unfinished"] = True
        return [view_of(document) for document in self._usage.find(wanted).sort("place", DESCENDING).limit(limit)]

    @_store_errors
    def put(self, mark: Mark) -> None:
        """Replace the mark, or insert it."""
        wanted = {"_id": _id(mark.user_id, mark.kind, mark.title_id)}
        self._usage.replace_one(wanted, document_of_mark(mark), upsert=True)

    @_store_errors
    def marks(self, user_id: str, kind: Kind) -> list[Mark]:
        """Return all marks of a kind, the latest first; they are few, so they are sorted here."""
        found = [mark_of(document) for document in self._usage.find({"user_id": user_id, "kind": kind.value})]
        return sorted(found, key=lambda mark: (mark.at, mark.title_id), reverse=True)

    @_store_errors
    def traces(self, user_id: str, title_id: str) -> Traces:
        """Return what is kept of a viewer and a title."""
        return traces_of(self._usage.find({"_id": {"$in": [_id(user_id, kind, title_id) for kind in Kind]}}))

    def everyone(self, *, after: str) -> Iterator[Everything]:
        """Yield viewers in the order of the documents' ids, which begin with the viewer's."""
        try:
            beyond = f"{after}{chr(ord('/') + 1)}"  # above every id that begins with `<after>/`
            wanted = {"_id": {"$gt": beyond if after else ""}}
            yield from everything_of(self._usage.find(wanted, batch_size=2000).sort("_id", ASCENDING))
        except PyMongoError as error:
            raise StoreUnavailable(f"The store of usage does not answer ({type(error).__name__}).") from error

    @_store_errors
    def remove(self, user_id: str, kind: Kind, title_id: str) -> None:
        """Delete one document if it is there."""
        self._usage.delete_one({"_id": _id(user_id, kind, title_id)})

    @_store_errors
    def remove_all(self, user_id: str, *kinds: Kind) -> None:
        """Delete all documents of these kinds."""
        for kind in kinds:
            self._usage.delete_many({"user_id": user_id, "kind": kind.value})


def _id(user_id: str, kind: Kind, title_id: str) -> str:
    return f"{user_id}/{kind.value}/{title_id}"


def _expiry(view: View) -> datetime:
    """Return when the view vanishes, counted from its last change: whole days, so that few heartbeats move an index."""
    at = (view.watched_at or view.made_at).astimezone(UTC) + view.kept_for
    return datetime.combine(at.date() + timedelta(days=1), time(), UTC)
