"""The store of claims in memory; tests/integration/encoding/test_claims_store.py tests the same contract."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

from functions.encoding.steps import Taken

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from functions.encoding.steps import StepKey


class MemoryClaims:
    """Claims in memory; if `away` is set, methods raise it."""

    def __init__(self) -> None:
        self.away: Exception | None = None
        self._claims: dict[StepKey, tuple[str, datetime]] = {}
        self._lock = RLock()

    def take_claim(self, job_id: str, step: str, *, owner: str, at: datetime, expired: datetime) -> Taken:
        with self._answering():
            there = self._claims.get((job_id, step))
            if there and there[1] >= expired:
                return Taken.BUSY
            self._claims[job_id, step] = owner, at
            return Taken.EXPIRED if there else Taken.FREE

    def renew_claims(self, owner: str, steps: Collection[StepKey], *, at: datetime) -> int:
        with self._answering():
            renewed = [step for step in steps if step in self._claims and self._claims[step][0] == owner]
            self._claims.update(dict.fromkeys(renewed, (owner, at)))
            return len(renewed)

    def release_claim(self, job_id: str, step: str, *, owner: str) -> None:
        with self._answering():
            if self._claims.get((job_id, step), ("", None))[0] == owner:
                del self._claims[job_id, step]

    def held_claims(self, *, since: datetime) -> AbstractSet[StepKey]:
        with self._answering():
            return {step for step, (_, renewed_at) in self._claims.items() if renewed_at >= since}

    def drop_claims(self, *, before: datetime) -> list[StepKey]:
        with self._answering():
            dropped = [step for step, (_, renewed_at) in self._claims.items() if renewed_at < before]
            for step in dropped:
                del self._claims[step]
            return dropped

    def _answering(self) -> RLock:
        if self.away:
            raise self.away
        return self._lock
