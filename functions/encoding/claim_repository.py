"""Claims in Mongo: one small document per step that an encoder works on, so that no document is written by many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymongo.errors import DuplicateKeyError

from functions.encoding.steps import Taken
from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from collections.abc import Collection as Several
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from pymongo.collection import Collection

    from functions.encoding.steps import StepKey


class MongoClaims:
    """The collection `encode_claims`."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._claims = collection

    @store_errors
    def take_claim(self, job_id: str, step: str, *, owner: str, at: datetime, expired: datetime) -> Taken:
        values = {"owner": owner, "renewed_at": at}
        try:
            self._claims.insert_one({"_id": _id_of((job_id, step)), "job_id": job_id, "step": step, **values})
        except DuplicateKeyError:
            chosen = {"_id": _id_of((job_id, step)), "renewed_at": {"$lt": expired}}
            return Taken.EXPIRED if self._claims.update_one(chosen, {"$set": values}).matched_count else Taken.BUSY
        return Taken.FREE

    @store_errors
    def renew_claims(self, owner: str, steps: Several[StepKey], *, at: datetime) -> int:
        chosen = {"_id": {"$in": [_id_of(step) for step in steps]}, "owner": owner}
        return self._claims.update_many(chosen, {"$set": {"renewed_at": at}}).matched_count

    @store_errors
    def release_claim(self, job_id: str, step: str, *, owner: str) -> None:
        self._claims.delete_one({"_id": _id_of((job_id, step)), "owner": owner})

    @store_errors
    def held_claims(self, *, since: datetime) -> AbstractSet[StepKey]:
        found = self._claims.find({"renewed_at": {"$gte": since}}, {"job_id": 1, "step": 1})
        return {(claim["job_id"], claim["step"]) for claim in found}

    @store_errors
    def drop_claims(self, *, before: datetime) -> list[StepKey]:
        dropped = []
        for claim in list(self._claims.find({"renewed_at": {"$lt": before}})):
            chosen = {"_id": claim["_id"], "owner": claim["owner"], "renewed_at": claim["renewed_at"]}
            if self._claims.delete_one(chosen).deleted_count:
                dropped.append((str(claim["job_id"]), str(claim["step"])))
        return dropped


def _id_of(step: StepKey) -> str:
    return " ".join(step)
