"""The titles in Mongo: one document per title, saved only if its revision has not changed since it was read.

Uses only features that Cosmos DB for MongoDB (request units) supports: every sort is by one indexed field, no index
combines an array with another field, and there is no text index. `position` combines the time at which a title was
added with its id; it is unique, sorts newest first, and serves as the position in pages.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError

from functions.catalogue.documents import UNREAD_IN_LISTS, document_of, title_of
from functions.catalogue.model import LISTED, Status
from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymongo.collection import Collection
    from pymongo.database import Database

    from functions.catalogue.model import Title
    from functions.catalogue.search import Search

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A lower bound for ranges of an index; without one, some stores scan every null."""

_LISTED = sorted(LISTED)
_WATCHABLE = [Status.READY.value, Status.ENCODING.value]

INDEXES = (
    [("position", DESCENDING)],
    [("listed", ASCENDING), ("position", DESCENDING)],
    [("tokens", ASCENDING)],
    [("genre_keys", ASCENDING)],
    [("series_key", ASCENDING)],
    [("imdb_rating", DESCENDING)],
    [("published", ASCENDING)],
    [("page_format", ASCENDING)],
    [("metadata.retry_at", ASCENDING)],
)


class MongoTitles:
    """The collection `titles`; its indexes are created at first use, before the first document."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._database = database

    @functools.cached_property
    def _titles(self) -> Collection[dict[str, Any]]:
        titles = self._database["titles"]
        for keys in INDEXES:
            titles.create_index(keys)
        return titles

    @store_errors
    def add(self, title: Title) -> bool:
        try:
            self._titles.insert_one(document_of(title))
        except DuplicateKeyError:
            return False
        return True

    @store_errors
    def get(self, title_id: str) -> Title | None:
        document = self._titles.find_one({"_id": {"$eq": title_id}})
        return title_of(document) if document else None

    @store_errors
    def save(self, title: Title, *, over: int) -> bool:
        result = self._titles.replace_one({"_id": title.id, "revision": over}, document_of(title))
        return result.matched_count == 1

    @store_errors
    def find_page(self, search: Search, *, below: str | None, limit: int, drafts: bool = False) -> list[Title]:
        # an unfinished word becomes an anchored pattern. For this, Mongo reads a range of the index; SecantusDB scans
        # all titles, which takes 0.35 s for 10,000 titles
        wanted: dict[str, Any] = {"status": {"$in": _LISTED}} if drafts else {"listed": True}
        if search.whole:
            wanted["tokens"] = {"$all": list(search.whole)}
        if search.beginning:  # folded to letters and digits, so it contains no regex operator
            wanted.setdefault("tokens", {})["$regex"] = f"^{search.beginning}"
        if search.genre:
            wanted["genre_keys"] = search.genre
        if below:
            wanted["position"] = {"$lt": below}
        found = self._titles.find(wanted).sort("position", DESCENDING).limit(limit)
        return [title_of(document) for document in found]

    @store_errors
    def listed(self) -> list[Title]:
        shown = self._titles.find({"listed": True}, dict.fromkeys(UNREAD_IN_LISTS, 0), batch_size=2000)
        return [title_of(document) for document in shown.sort("position", DESCENDING)]

    @store_errors
    def some(self, title_ids: Sequence[str]) -> list[Title]:
        found = self._titles.find({"_id": {"$in": list(title_ids)}}, dict.fromkeys(UNREAD_IN_LISTS, 0))
        return [title_of(document) for document in found]

    @store_errors
    def episodes(self, series_key: str) -> list[Title]:
        found = self._titles.find({"series_key": series_key, "listed": True}, dict.fromkeys(UNREAD_IN_LISTS, 0))
        return [title_of(document) for document in found]

    @store_errors
    def in_order(self, *, after: str, limit: int) -> list[Title]:
        later = self._titles.find({"_id": {"$gt": after}}, dict.fromkeys(UNREAD_IN_LISTS, 0), batch_size=limit)
        return [title_of(document) for document in later.sort("_id", ASCENDING).limit(limit)]

    @store_errors
    def ids(self) -> list[str]:
        found = self._titles.find({"status": {"$ne": Status.WITHDRAWN.value}}, {"_id": 1}, batch_size=5000)
        return [document["_id"] for document in found]

    @store_errors
    def count(self) -> int:
        return self._titles.estimated_document_count()

    @store_errors
    def best(self, *, genre: str, limit: int) -> list[Title]:
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

    @store_errors
    def unpublished(self, *, limit: int) -> list[Title]:
        return [title_of(document) for document in self._titles.find({"published": False}).limit(limit)]

    @store_errors
    def outdated(self, *, page_format: int, limit: int) -> list[Title]:
        found = self._titles.find({"published": True, **_below(page_format)}).limit(limit)
        return [title_of(document) for document in found]

    @store_errors
    def count_waiting(self, *, page_format: int) -> int:
        waiting = self._titles.count_documents({"published": False})
        return waiting + self._titles.count_documents({"published": True, **_below(page_format)})

    @store_errors
    def mark_outdated(self) -> int:
        # the new revision makes concurrent changes and publications fail to save and start over
        changed = {"$set": {"page_format": 0}, "$inc": {"revision": 1}}
        return self._titles.update_many({"page_format": {"$gt": 0}}, changed).modified_count

    @store_errors
    def mark_published(self, title_id: str, revision: int, *, page_format: int) -> None:
        # the revision is not increased, so that concurrent changes can still be saved
        published = {"published": True, "page_format": page_format}
        self._titles.update_one({"_id": title_id, "revision": revision}, {"$set": published})

    @store_errors
    def due(self, now: datetime, *, limit: int) -> list[Title]:
        late = self._titles.find({"metadata.retry_at": {"$gt": _EARLIEST, "$lte": now}})
        return [title_of(document) for document in late.sort("metadata.retry_at", ASCENDING).limit(limit)]


def _below(page_format: int) -> dict[str, Any]:
    """Return a query condition that matches documents whose page format is older than `page_format`.

    Documents of the first release have no format field.
    """
    return {"$or": [{"page_format": None}, {"page_format": {"$gte": 0, "$lt": page_format}}]}
