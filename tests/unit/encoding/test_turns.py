"""Every film gets its first picture before any film gets its second chunk; then films are served in turn."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.encoding.claims import LEASE_S, Claims
from functions.encoding.model import JobStatus, StepFault
from functions.encoding.outcomes import missing_work
from functions.encoding.spending.budget import EncodeBudget
from functions.encoding.steps import Taken
from functions.encoding.turns import READ_AT_ONCE, Turns
from functions.platform.messages import EncodeChunk
from tests.support.clock import NOON, Clock
from tests.support.encoding_claims import MemoryClaims
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_job, make_plan
from tests.support.encoding_spending import MemorySpending

if TYPE_CHECKING:
    from functions.encoding.steps import JobWork


class Encoders:
    """Encoders that share the films of a store in memory, and record which chunk each took."""

    def __init__(self, films: dict[str, int]) -> None:
        self.clock = Clock()
        self.jobs = MemoryEncodeJobs(self.clock)
        self.claims = MemoryClaims()
        self.spending = MemorySpending(self.jobs)
        self.taken: list[tuple[str, int]] = []
        self._processes: dict[Turns, Claims] = {}
        for number, (job_id, chunks) in enumerate(films.items()):
            self.add(job_id, chunks, planned_s=number)

    def add(self, job_id: str, chunks: int, *, planned_s: float = 0) -> None:
        """Plan a film."""
        plan = make_plan(frames=96 * chunks, runs=(1,) * chunks, audio=())
        planned_at = NOON + timedelta(seconds=planned_s)
        self.jobs.add_job(make_job(job_id, status=JobStatus.ENCODING, plan=plan, planned_at=planned_at))

    def turns(self) -> Turns:
        """Return the turns as another process sees them."""
        claims = Claims(self.claims, self.clock, beat_s=None)
        budget = EncodeBudget(self.spending, self.clock, limit_usd=lambda: 0)
        turns = Turns(self.jobs, self.jobs, claims, self.clock, budget)
        self._processes[turns] = claims
        return turns

    def take(self, turns: Turns) -> tuple[str, int] | None:
        """Take a chunk as an encoder does, and leave it claimed."""
        self.clock.forward(seconds=0.1)
        turn = turns.take_chunk()
        if turn is None:
            return None
        self.taken.append((turn.job.id, turn.chunk))
        return self.taken[-1]

    def finish(self, turns: Turns, chunk: tuple[str, int]) -> None:
        """Record a claimed chunk as done."""
        job_id, index = chunk
        self.jobs.finish_chunk(self.jobs.get_job(job_id), index, codecs={}, cpu_s=1, tail=None)
        self._processes[turns].release(job_id, f"chunk {index}")


def test_first_chunk_of_every_film_comes_before_the_second_of_any() -> None:
    encoders = Encoders({"long": 200, "b": 3, "c": 3})
    one = encoders.turns()
    for _ in range(5):
        chunk = encoders.take(one)
        assert chunk
        encoders.finish(one, chunk)
    assert encoders.taken == [("long", 0), ("b", 0), ("c", 0), ("long", 1), ("b", 1)]
    encoders.add("late", 2, planned_s=100)
    assert encoders.take(one) == ("late", 0)


def test_new_film_does_not_wait_for_the_chunks_of_a_long_one() -> None:
    encoders = Encoders({"long": 200})
    one, two = encoders.turns(), encoders.turns()
    running = {one: encoders.take(one), two: encoders.take(two)}
    encoders.add("new", 3, planned_s=60)
    for turns in (one, two, one, two, one, two):
        chunk = running[turns]
        assert chunk
        encoders.finish(turns, chunk)
        running[turns] = encoders.take(turns)
    assert [film for film, _ in encoders.taken[2:]] == ["new", "long", "new", "long", "new", "long"]


@settings(max_examples=40, deadline=None)
@given(
    films=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    count=st.integers(1, 5),
    order=st.lists(st.integers(0, 4), min_size=80, max_size=80),
)
def test_no_film_is_more_than_one_turn_ahead_of_another_however_long_chunks_take(
    films: list[int], count: int, order: list[int]
) -> None:
    """Encoders finish in any order; no film is served twice before each film with due chunks was served once."""
    encoders = Encoders({f"film-{number}": chunks for number, chunks in enumerate(films)})
    processes = [encoders.turns() for _ in range(count)]
    running: dict[int, tuple[str, int] | None] = {}
    for number in order:
        process = number % count
        if chunk := running.get(process):
            encoders.finish(processes[process], chunk)
        running[process] = encoders.take(processes[process])
    lengths = {f"film-{number}": chunks for number, chunks in enumerate(films)}
    assert len(set(encoders.taken)) == len(encoders.taken), "no chunk is encoded twice"
    fronts = [index == 0 for _, index in encoders.taken]
    assert fronts == sorted(fronts, reverse=True)
    served = Counter(dict.fromkeys(lengths, 0))
    for film, index in encoders.taken:
        if index:
            served[film] += 1
            unfinished = [served[other] for other in lengths if served[other] < lengths[other] - 1]
            assert not unfinished or served[film] - min(unfinished) <= 1


def test_single_film_keeps_all_encoders_busy() -> None:
    encoders = Encoders({"long": 300})
    processes = [encoders.turns() for _ in range(200)]
    taken = [encoders.take(process) for process in processes]
    assert sorted(index for _, index in filter(None, taken)) == list(range(200))


def test_there_is_a_message_for_each_chunk_so_that_the_queue_shows_the_work_that_is_left() -> None:
    encoders = Encoders({"long": 300})
    messages = missing_work(encoders.jobs.get_job("long"))
    assert messages.count(EncodeChunk()) == 299


def test_claimed_and_deferred_chunks_are_passed_over() -> None:
    encoders = Encoders({"film": 4})
    one, two = encoders.turns(), encoders.turns()
    encoders.finish(one, encoders.take(one) or ("", 0))
    later = StepFault("It failed.", retry_at=encoders.clock() + timedelta(seconds=5))
    encoders.jobs.note_fault("film", "chunk 2", later)
    assert encoders.take(one) == ("film", 1)
    assert encoders.take(two) == ("film", 3)
    assert encoders.take(two) is None
    encoders.clock.forward(seconds=5)
    assert encoders.take(two) == ("film", 2)


def test_first_chunk_that_is_deferred_gives_way_to_the_other_chunks() -> None:
    encoders = Encoders({"film": 2})
    later = StepFault("It failed.", retry_at=encoders.clock() + timedelta(seconds=5))
    encoders.jobs.note_fault("film", "chunk 0", later)
    assert encoders.take(encoders.turns()) == ("film", 1)


def test_film_without_a_turn_comes_before_films_that_had_one() -> None:
    encoders = Encoders({"served": 4, "fresh": 4})
    one = encoders.turns()
    for film in ("served", "fresh"):
        encoders.jobs.finish_chunk(encoders.jobs.get_job(film), 0, codecs={}, cpu_s=1, tail=None)
    encoders.jobs.take_turn("served", at=encoders.clock())
    assert encoders.take(one) == ("fresh", 1)
    assert encoders.take(one) == ("served", 1)


def test_turn_is_found_behind_any_number_of_films_whose_chunks_are_all_claimed() -> None:
    films = {f"film-{number:02}": 1 for number in range(3 * READ_AT_ONCE)}
    encoders = Encoders({**films, "last": 1})
    for film in films:
        encoders.claims.take_claim(film, "chunk 0", owner="other", at=NOON, expired=NOON)
    assert encoders.take(encoders.turns()) == ("last", 0)


def test_turn_reads_a_bounded_number_of_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    encoders = Encoders({f"film-{number:03}": 3 for number in range(100)})
    read: list[int] = []
    next_works = encoders.jobs.next_works

    def counted(**bounds: Any) -> list[JobWork]:
        works = next_works(**bounds)
        read.append(len(works))
        return works

    monkeypatch.setattr(encoders.jobs, "next_works", counted)
    monkeypatch.setattr(encoders.jobs, "list_work", pytest.fail)
    encoders.take(encoders.turns())
    assert read == [READ_AT_ONCE]


@pytest.mark.parametrize("change", ["ended", "finished"])
def test_job_that_changed_meanwhile_is_passed_over_and_not_left_claimed(
    monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    encoders = Encoders({"changed": 1, "open": 2})
    works = encoders.jobs.next_works(fronts=True, skip=0, limit=9)
    if change == "ended":
        encoders.jobs.set_status("changed", JobStatus.FAILED)
    else:
        encoders.jobs.finish_chunk(encoders.jobs.get_job("changed"), 0, codecs={}, cpu_s=1, tail=None)
    monkeypatch.setattr(encoders.jobs, "next_works", lambda **_: works)
    assert encoders.take(encoders.turns()) == ("open", 0)
    assert encoders.claims.held_claims(since=NOON) == {("open", "chunk 0")}


def test_chunk_of_a_killed_encoder_is_taken_once_its_claim_has_expired() -> None:
    encoders = Encoders({"film": 2})
    killed, alive = encoders.turns(), encoders.turns()
    assert encoders.take(killed) == ("film", 0)
    assert encoders.take(alive) == ("film", 1)
    assert encoders.take(alive) is None
    encoders.clock.forward(seconds=LEASE_S)
    turn = alive.take_chunk()
    assert turn
    assert (turn.job.id, turn.chunk, turn.taken) == ("film", 0, Taken.EXPIRED)
