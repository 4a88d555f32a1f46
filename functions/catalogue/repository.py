"""The titles in Mongo: one document a title, saved only over the revision it was read at.

Written for what Cosmos DB for MongoDB (request units) can do: every sort is by one indexed field, no index spans an
array together with another field, and there is no text index. `position` is the moment a title was added and its id, so
it is unique, sorts newest first, and is the cursor of a page.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from functions.catalogue.documents import UNREAD_IN_LISTS, document_of, title_of
from functions.catalogue.model import Status
from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pymongo.collection import Collection
    from pymongo.database import Database

    from functions.catalogue.model import Title
    from functions.catalogue.search import Search

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A lower bound makes the range of an index closed: without one some stores walk through every null."""

_WATCHABLE = [Status.READY.value, Status.ENCODING.value]

INDEXES = (
    [("position", DESCENDING)],
    [("listed", ASCENDING), ("position", DESCENDING)],
    [("tokens", ASCENDING)],
    [("genre_keys", ASCENDING)],
    [("series_key", ASCENDING)],
    [("imdb_rating", DESCENDING)],
    [("published", ASCENDING)],
    [("metadata.retry_at", ASCENDING)],
)


class Titles(Protocol):
    """Where titles are kept."""

    def add(self, title: Title) -> bool:
        """Store a new title; return False, changing nothing, if its id is taken."""

    def get(self, title_id: str) -> Title | None:
        """Return a title, or None."""

    def save(self, title: Title, *, over: int) -> bool:
        """Store a title in place of its revision `over`; return False, changing nothing, if that is no longer there."""

    def page(self, search: Search, *, below: str | None, limit: int) -> list[Title]:
        """Return listed titles that match, newest first, from below a position on."""

    def listed(self) -> list[Title]:
        """Return every listed title, newest first, without the fields that no list shows."""

    def some(self, title_ids: Sequence[str]) -> list[Title]:
        """Return those of the titles that there are, in any order, without the fields that no list shows."""

    def episodes(self, series_key: str) -> list[Title]:
        """Return every listed episode of a series, in any order, without the fields that no list shows."""

    def in_order(self, *, after: str, limit: int) -> list[Title]:
        """Return titles by id from above one on, withdrawn ones too."""

    def count(self) -> int:
        """Return about how many titles there are."""

    def best(self, *, genre: str, limit: int) -> list[Title]:
        """Return listed titles that can be watched, the highest rated first, then the newest; of a genre, if named."""

    def unpublished(self, *, limit: int) -> list[Title]:
        """Return titles that the static catalogue does not show as they are."""

    def mark_published(self, title_id: str, revision: int) -> None:
        """Note that a revision is public; nothing happens if the title has a later one."""

    def due(self, now: datetime, *, limit: int) -> list[Title]:
        """Return titles whose description is to be looked for again by now, longest due first."""


def _store_errors[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Turn a store that is away, or throttles (16500 of Cosmos DB), into StoreUnavailable, which the queue retries."""

    @functools.wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except OperationFailure as error:
            if error.code != 16500:
                raise
            raise StoreUnavailable("The catalogue's store has too much to do; try again in a few seconds.") from error
        except PyMongoError as error:
            raise StoreUnavailable(f"The catalogue's store does not answer ({type(error).__name__}).") from error

    return guarded


class MongoTitles:
    """The collection `titles`; its indexes are made before the first document, at first use."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._database = database

    @functools.cached_property
    def _titles(self) -> Collection[dict[str, Any]]:
        titles = self._database["titles"]
        for keys in INDEXES:
            titles.create_index(keys)
        return titles

    @_store_errors
    def add(self, title: Title) -> bool:
        """Insert; a duplicate id is an answer, not an error."""
        try:
            self._titles.insert_one(document_of(title))
        except DuplicateKeyError:
            return False
        return True

    @_store_errors
    def get(self, title_id: str) -> Title | None:
        """Return a title, or None."""
        document = self._titles.find_one({"_id": {"$eq": title_id}})
        return title_of(document) if document else None

    @_store_errors
    def save(self, title: Title, *, over: int) -> bool:
        """Replace the document if it still has revision `over`."""
        result = self._titles.replace_one({"_id": title.id, "revision": over}, document_of(title))
        return result.matched_count == 1

    @_store_errors
    def page(self, search: Search, *, below: str | None, limit: int) -> list[Title]:
        """Return a page; an unfinished word is an anchored pattern, for which Mongo reads a range of the index.

        SecantusDB scans instead: 0.35 s for 10,000 titles.
        """
        wanted: dict[str, Any] = {"listed": True}
        if search.whole:
            wanted["tokens"] = {"$all": list(search.whole)}
        if search.beginning:  # folded to letters and digits, so nothing in it is an operator
            wanted.setdefault("tokens", {})["$regex"] = f"^{search.beginning}"
        if search.genre:
            wanted["genre_keys"] = search.genre
        if below:
            wanted["position"] = {"$lt": below}
        found = self._titles.find(wanted).sort("position", DESCENDING).limit(limit)
        return [title_of(document) for document in found]

    @_store_errors
    def listed(self) -> list[Title]:
        """Return every listed title, newest first, without the fields that no list shows."""
        shown = self._titles.find({"listed": True}, dict.fromkeys(UNREAD_IN_LISTS, 0), batch_size=2000)
        return [title_of(document) for document in shown.sort("position", DESCENDING)]

    @_store_errors
    def some(self, title_ids: Sequence[str]) -> list[Title]:
        """Return those of the titles that there are."""
        found = self._titles.find({"_id": {"$in": list(title_ids)}}, dict.fromkeys(UNREAD_IN_LISTS, 0))
        return [title_of(document) for document in found]

    @_store_errors
    def episodes(self, series_key: str) -> list[Title]:
        """Return every listed episode of a series."""
        found = self._titles.find({"series_key": series_key, "listed": True}, dict.fromkeys(UNREAD_IN_LISTS, 0))
        return [title_of(document) for document in found]

    @_store_errors
    def in_order(self, *, after: str, limit: int) -> list[Title]:
        """Return titles by id from above one on."""
        later = self._titles.find({"_id": {"$gt": after}}, dict.fromkeys(UNREAD_IN_LISTS, 0), batch_size=limit)
        return [title_of(document) for document in later.sort("_id", ASCENDING).limit(limit)]

    @_store_errors
    def count(self) -> int:
        """Return how many titles there are, as the collection itself counts them."""
        return self._titles.estimated_document_count()

    @_store_errors
    def best(self, *, genre: str, limit: int) -> list[Title]:
        """Return the highest rated, and where they are too few the newest of the others; each in one sort."""
        shown: dict[str, Any] = {"listed": True, "status": {"$in": _WATCHABLE}, "playback": {"$ne": None}}
        if genre:
            shown["genre_keys"] = genre
        unread = dict.fromkeys(UNREAD_IN_LISTS, 0)
        rated = self._titles.find({**shown, "imdb_rating": {"$gt": 0}}, unread)
        best = list(rated.sort("imdb_rating", DESCENDING).limit(limit))
        if len(best) < limit:
            others = self._titles.find({**shown, "imdb_rating": None}, unread)
            best += others.sort("position", DESCENDING).limit(limit - len(best))
        return [title_of(document) for document in best]

    @_store_errors
    def unpublished(self, *, limit: int) -> list[Title]:
        """Return titles that the static catalogue does not show as they are."""
        return [title_of(document) for document in self._titles.find({"published": False}).limit(limit)]

    @_store_errors
    def mark_published(self, title_id: str, revision: int) -> None:
        """Set the mark without a new revision, so that it never stands in the way of a change."""
        self._titles.update_one({"_id": title_id, "revision": revision}, {"$set": {"published": True}})

    @_store_errors
    def due(self, now: datetime, *, limit: int) -> list[Title]:
        """Return titles whose description is to be looked for again by now, longest due first."""
        late = self._titles.find({"metadata.retry_at": {"$gt": _EARLIEST, "$lte": now}})
        return [title_of(document) for document in late.sort("metadata.retry_at", ASCENDING).limit(limit)]
