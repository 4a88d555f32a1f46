"""The monthly limit on encoding that an owner has set, in Mongo: one document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from pymongo.collection import Collection

MONTHLY = "monthly"
"""The id of the document."""


class MongoEncodeLimit:
    """The collection `encode_limit`; without a document, the limit in the settings is in effect."""

    def __init__(self, limits: Collection[dict[str, Any]]) -> None:
        self._limits = limits

    @store_errors
    def find_limit_usd(self) -> int | None:
        found = self._limits.find_one({"_id": MONTHLY})
        return int(found["usd"]) if found else None

    @store_errors
    def store_limit_usd(self, usd: int | None) -> None:
        if usd is None:
            self._limits.delete_one({"_id": MONTHLY})
        else:
            self._limits.replace_one({"_id": MONTHLY}, {"usd": usd}, upsert=True)
