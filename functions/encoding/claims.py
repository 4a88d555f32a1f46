"""Claims: which encoder works on which step. A claim is renewed while its encoder lives, and expires soon afterwards.

The host hides the message of a killed encoder for ten minutes. The encoder's claim on the step expires after LEASE_S,
so the step can be claimed or enqueued again much sooner.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from functions.encoding.steps import Taken
from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from functions.encoding.ports import ClaimStore
    from functions.encoding.steps import StepKey

log = logging.getLogger(__name__)

LEASE_S = 25
"""A claim expires this many seconds after its last renewal. The timer runs every minute, so a killed encoder delays a
film by at most 85 seconds."""

BEAT_S = 6
"""Seconds between two renewals; a single write renews all claims of a process."""


FRESH_S = 12
"""For this many seconds after its renewal, a claim cannot have expired, even if clocks differ by some seconds."""


class ClaimLost(Exception):
    """The claim on a step expired, and another encoder has taken over the step; the result must not be recorded."""


class Claims:
    """The claims of this encoder process, which a thread renews every `beat_s` seconds, and those of other processes.

    With `beat_s=None`, nothing renews them, as if the process had been stopped.
    """

    def __init__(self, store: ClaimStore, now: Callable[[], datetime], *, beat_s: float | None = BEAT_S) -> None:
        self._store = store
        self._now = now
        self._beat_s = beat_s
        self._owner = uuid.uuid4().hex
        self._mine: dict[StepKey, datetime] = {}
        self._lock = Lock()
        self._ended: Event | None = None

    def take(self, job_id: str, step: str) -> Taken:
        """Claim a step, unless another process works on it."""
        now = self._now()
        taken = self._store.take_claim(
            job_id, step, owner=self._owner, at=now, expired=now - timedelta(seconds=LEASE_S)
        )
        if taken is not Taken.BUSY:
            with self._lock:
                self._mine[job_id, step] = now
                if self._ended is None and self._beat_s is not None:
                    self._ended = Event()
                    arguments = self._ended, self._beat_s
                    Thread(target=self._renew, args=arguments, name="claims", daemon=True).start()
        return taken

    def confirm(self, job_id: str, step: str) -> None:
        """Raise ClaimLost if another encoder has taken over a step that this process had claimed.

        Encoders call this before they record a result. The claim is renewed if it may have expired, so it is valid for
        at least LEASE_S - FRESH_S afterwards. A step that this process has not claimed is not checked.
        """
        key, now = (job_id, step), self._now()
        with self._lock:
            renewed_at = self._mine.get(key)
        if renewed_at is None or now - renewed_at <= timedelta(seconds=FRESH_S):
            return
        if not self._store.renew_claims(self._owner, [key], at=now):
            raise ClaimLost(f"Another encoder has taken over {step} of job {job_id}.")
        self._note_renewed([key], now)

    def release(self, job_id: str, step: str) -> None:
        """Release a claim; if the store is unavailable, the claim expires by itself."""
        with self._lock:
            self._mine.pop((job_id, step), None)
            if not self._mine and self._ended:
                self._ended.set()
                self._ended = None
        try:
            self._store.release_claim(job_id, step, owner=self._owner)
        except StoreUnavailable as error:
            log.warning("the claim of %s of job %s was not released: %s", step, job_id, error.detail)

    def release_all(self) -> None:
        """Release all claims of this process when it stops."""
        for job_id, step in list(self._mine):
            self.release(job_id, step)

    def held(self) -> AbstractSet[StepKey]:
        """Return the steps that encoders work on."""
        return self._store.held_claims(since=self._now() - timedelta(seconds=LEASE_S))

    def drop_expired(self) -> list[StepKey]:
        """Delete the claims of encoders that were killed; return their steps."""
        return self._store.drop_claims(before=self._now() - timedelta(seconds=LEASE_S))

    def _renew(self, ended: Event, beat_s: float) -> None:
        while not ended.wait(beat_s):
            with self._lock:
                mine = list(self._mine)
            now = self._now()
            try:
                if self._store.renew_claims(self._owner, mine, at=now) == len(mine):
                    self._note_renewed(mine, now)
            except StoreUnavailable as error:
                log.warning("claims were not renewed: %s", error.detail)
            except Exception:  # without this thread, other encoders would take over steps that are in progress
                log.exception("claims were not renewed")

    def _note_renewed(self, steps: Iterable[StepKey], at: datetime) -> None:
        with self._lock:
            self._mine.update({step: at for step in steps if step in self._mine})
