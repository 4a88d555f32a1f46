"""What is known of rebuilds, in Mongo: it is not kept in the graph, which may be what is missing."""

from __future__ import annotations

import functools
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pymongo.errors import PyMongoError

from functions.platform.errors import StoreUnavailable
from functions.recommendations.rebuild import Phase, Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pymongo.database import Database


def _store_errors[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Turn a store that is away into StoreUnavailable."""

    @functools.wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except PyMongoError as error:
            raise StoreUnavailable(f"The catalogue's store does not answer ({type(error).__name__}).") from error

    return guarded


class MongoRecords:
    """The collection `graph`: one document for the latest rebuild, one for what was lost since."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._records = database["graph"]

    @_store_errors
    def progress(self) -> Progress | None:
        """Return the latest rebuild, or None."""
        document = self._records.find_one({"_id": "rebuild"})
        if document is None:
            return None
        fields = {name: value for name, value in document.items() if name != "_id"}
        return Progress(**{**fields, "phase": Phase(fields["phase"])})

    @_store_errors
    def keep(self, progress: Progress) -> None:
        """Keep the progress."""
        document = {**asdict(progress), "phase": progress.phase.value}
        self._records.replace_one({"_id": "rebuild"}, document, upsert=True)

    @_store_errors
    def lost_at(self) -> datetime | None:
        """Return when a message was lost last that no rebuild has made up for."""
        document = self._records.find_one({"_id": "loss"})
        return document["at"] if document else None

    @_store_errors
    def note_loss(self, at: datetime) -> None:
        """Keep that a message was lost."""
        self._records.replace_one({"_id": "loss"}, {"at": at}, upsert=True)

    @_store_errors
    def clear_loss(self, before: datetime) -> None:
        """Forget a loss from before a time."""
        self._records.delete_one({"_id": "loss", "at": {"$lt": before}})
