"""Which chunk is encoded next: the first of every film, then those for which viewers wait, then one of each in turn.

Encoders do not take chunks from the queue in the order in which they were enqueued: a message of `encode-chunk` names
no chunk. The encoder that receives one takes the chunk whose turn it is, according to the job store. So a new film does
not wait for all chunks of earlier films. The queue still contains a message for each chunk that is left; Azure derives
the number of encoders from the number of messages.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from functions.encoding.audience import WAIT_LASTS
from functions.encoding.steps import Taken, chunk_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from functions.encoding.claims import Claims
    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import AudienceStore, EncodeJobs
    from functions.encoding.spending.budget import EncodeBudget
    from functions.encoding.steps import JobWork, StepKey

READ_AT_ONCE = 8
"""How many jobs are read at once; more are read only if every chunk of these is claimed or deferred."""


class Turn(NamedTuple):
    """A chunk that an encoder has claimed: its job as stored at that time, its index, and the result of the claim."""

    job: EncodeJob
    chunk: int
    taken: Taken


class Turns:
    """Gives each encoder that asks the chunk whose turn it is."""

    def __init__(
        self,
        jobs: EncodeJobs,
        audience: AudienceStore,
        claims: Claims,
        now: Callable[[], datetime],
        budget: EncodeBudget,
    ) -> None:
        self._jobs = jobs
        self._audience = audience
        self._claims = claims
        self._now = now
        self._budget = budget

    def take_chunk(self) -> Turn | None:
        """Claim the chunk whose turn it is; return None if no chunk is due.

        First come the first chunks of films, by age; then the chunks for which viewers wait, by the time of the
        request; then the film that was served least recently.
        """
        now = self._now()
        held = self._claims.held()
        return (
            self._take_first(((work, (0,)) for work in self._works(fronts=True)), held, now)
            or self._take_first(self._awaited(now), held, now)
            or self._take_first(((work, None) for work in self._works(fronts=False)), held, now)
        )

    def _awaited(self, now: datetime) -> list[tuple[JobWork, tuple[int, ...]]]:
        """Return the jobs with the chunks for which viewers wait, one at a time; those awaited longest come first."""
        works = self._budget.permitted(self._audience.awaited_works(since=now - WAIT_LASTS))
        awaited = [(at, work, chunk) for work in works for chunk, at in work.audience.awaited(now).items()]
        awaited.sort(key=lambda each: each[0])
        return [(work, (chunk,)) for _, work, chunk in awaited]

    def _take_first(
        self, works: Iterable[tuple[JobWork, tuple[int, ...] | None]], held: AbstractSet[StepKey], now: datetime
    ) -> Turn | None:
        """Claim the first due chunk of these jobs; each comes with the chunks to choose from, or None for all."""
        for work, among in works:
            due = [(chunk, step) for step in work.due_steps(held, now) if (chunk := chunk_of(step)) is not None]
            if turn := self._take_one(work, [each for each in due if among is None or each[0] in among], now):
                return turn
        return None

    def _works(self, *, fronts: bool) -> Iterator[JobWork]:
        for page in count():
            works = self._jobs.next_works(fronts=fronts, skip=page * READ_AT_ONCE, limit=READ_AT_ONCE)
            yield from self._budget.permitted(works)
            if len(works) < READ_AT_ONCE:
                return

    def _take_one(self, work: JobWork, due: list[tuple[int, str]], now: datetime) -> Turn | None:
        """Claim the first of a job's due chunks that no other encoder has claimed or finished in the meantime."""
        for chunk, step in due:
            taken = self._claims.take(work.id, step)
            if taken is Taken.BUSY:
                continue
            job = self._jobs.take_turn(work.id, at=now)
            if job and job.plan and chunk not in job.chunks_done:
                return Turn(job, chunk, taken)
            self._claims.release(work.id, step)
            if job is None:
                return None
        return None
