"""`./notflix bench contention`: 200 encoders of one film share two documents, its job and the month's spending."""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

from functions.encoding.audience_store import MongoAudience
from functions.encoding.claim_repository import MongoClaims
from functions.encoding.claims import Claims
from functions.encoding.model import JobStatus
from functions.encoding.outcomes import Step
from functions.encoding.repository import MongoEncodeJobs
from functions.encoding.spending.budget import EncodeBudget
from functions.encoding.spending.limit import EncodeLimit
from functions.encoding.spending.limit_store import MongoEncodeLimit
from functions.encoding.spending.store import MongoSpending
from functions.encoding.turns import Turn, Turns
from functions.platform import mongo
from functions.platform.bulkhead import PLACES, Bulkhead, SharedPlaces
from functions.platform.errors import StoreUnavailable
from functions.platform.messages import EncodeChunk
from infra.local.processes.supervisor import Supervisor
from infra.local.stores.credentials import load_or_make
from infra.local.stores.secantus import secantus
from tests.bench._measure import conclude, say
from tests.support.encoding_plans import make_job, make_plan
from tests.support.homes import free_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENCODERS = 200
PROCESSES = 4
CALLS_AT_ONCE = 4
"""The maximum number of concurrent calls of the store; other calls wait, and their waiting time is counted.

SecantusDB stops answering if there are eight.
"""
SEGMENTS = 7
SEGMENT_S = 1.6
"""How long an encoder with four cores takes for one segment of all rungs: a chunk of 28 s takes about 11 s."""
CODECS = {"v1080": "avc1.640028", "v360": "avc1.64001e"}
GOALS = {"p95_ms": 1000.0, "failures": 0.0, "chunks_lost": 0.0, "taken_twice": 0.0}
LIMIT_USD = 1_000_000


@dataclass
class Calls:
    """How long the calls of the store took, by name, and how many failed; `chunks` lists the encoded chunks."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    chunks: list[int] = field(default_factory=list)

    def timed[T](self, name: str, call: Callable[[], T]) -> T:
        """Call the store until it answers; each repetition stands for a message that the queue delivers again."""
        while True:
            began = time.perf_counter()
            try:
                answer = call()
            except StoreUnavailable:
                self.failures[name] += 1
                time.sleep(0.2)
                continue
            self.seconds.setdefault(name, []).append(time.perf_counter() - began)
            return answer


def now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


def work(url: str, encoders: int, seed: int, *, calls_at_once: int) -> Calls:
    """Run encoders until no chunk is left; they share a process, but otherwise only what real encoders share."""
    places = PLACES * encoders
    mongo._bulkhead = Bulkhead("The document store", places=places, shared=SharedPlaces(2 * places))
    # not closed: claims may still be renewed at the end
    client = MongoClient[dict[str, Any]](url, tz_aware=True, maxPoolSize=max(1, calls_at_once // PROCESSES))
    database = client["notflix"]
    jobs, claimed = MongoEncodeJobs(database["encode_jobs"], now), MongoClaims(database["encode_claims"])
    audience = MongoAudience(database["encode_jobs"])
    calls = Calls()

    def encode(number: int) -> None:
        rest = random.Random(seed * 1000 + number)
        claims = Claims(claimed, now)
        spending = MongoSpending(database["encode_months"], database["encode_jobs"])
        limit = EncodeLimit(MongoEncodeLimit(database["encode_limit"]), default_usd=LIMIT_USD)
        budget = EncodeBudget(spending, now, limit_usd=limit.usd)
        turns = Turns(jobs, audience, claims, now, budget)
        time.sleep(rest.random() * SEGMENTS * SEGMENT_S)  # encoders start at different times
        while turn := calls.timed("take a chunk", turns.take_chunk):
            encode_chunk(calls, rest, jobs, budget, turn)
            claims.release(turn.job.id, f"chunk {turn.chunk}")
            calls.chunks.append(turn.chunk)

    with ThreadPoolExecutor(encoders) as pool:
        list(pool.map(encode, range(encoders)))
    return calls


def encode_chunk(calls: Calls, rest: random.Random, jobs: MongoEncodeJobs, budget: EncodeBudget, turn: Turn) -> None:
    """Make the calls of a chunk at the times at which an encoder makes them."""
    job, chunk = turn.job, turn.chunk
    admission = calls.timed("admit", lambda: budget.admit(Step(job, EncodeChunk(), turn.taken, chunk=chunk)))
    assert admission
    for segments in range(1, SEGMENTS + 1):
        time.sleep(SEGMENT_S * rest.uniform(0.7, 1.3))
        calls.timed("store a segment", partial(jobs.advance_chunk, job, chunk, segments, codecs=CODECS))
    finish = partial(jobs.finish_chunk, job, chunk, codecs=CODECS, cpu_s=40.0, tail=None, size=10_000_000)
    calls.timed("finish a chunk", finish)
    calls.timed("settle", partial(budget.settle, job.id, admission))


@contextmanager
def store() -> Iterator[str]:
    """Run the document store alone; yield its address."""
    folder = Path(tempfile.mkdtemp(prefix="notflix-contention-"))
    home = free_home(folder)
    home.make()
    found = secantus(home, load_or_make(home.secrets_file), {})
    supervisor = Supervisor([found.service], home=home)
    supervisor.start()
    try:
        yield found.settings["MONGO_URL"]
    finally:
        supervisor.stop()
        shutil.rmtree(folder)


def quantile_ms(seconds: list[float], share: float) -> float:
    """Return a quantile in milliseconds."""
    return sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))] * 1000


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench contention", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one chunk for each encoder instead of two")
    parser.add_argument("--calls", type=int, default=CALLS_AT_ONCE, help="concurrent calls of the store")
    given = parser.parse_args()
    chunks = ENCODERS * (1 if given.quick else 2)
    with store() as url, MongoClient[dict[str, Any]](url, tz_aware=True) as client:
        plan = make_plan(frames=96 * SEGMENTS * chunks, runs=(SEGMENTS,) * chunks, audio=())
        jobs = MongoEncodeJobs(client["notflix"]["encode_jobs"], now)
        jobs.add_job(make_job(status=JobStatus.ENCODING, plan=plan, planned_at=now(), created_at=now()))
        say(f"{ENCODERS} encoders in {PROCESSES} processes encode {chunks} chunks of one film …")
        began = time.perf_counter()
        with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
            share = ENCODERS // PROCESSES
            shared = partial(work, calls_at_once=given.calls)
            parts = list(pool.map(shared, [url] * PROCESSES, [share] * PROCESSES, range(PROCESSES)))
        took_s = time.perf_counter() - began
        done = len(jobs.get_job("0123456789ab").chunks_done)
    seconds: dict[str, list[float]] = {}
    for part in parts:
        for name, found in part.seconds.items():
            seconds.setdefault(name, []).extend(found)
    every = [each for found in seconds.values() for each in found]
    encoded = Counter(chunk for part in parts for chunk in part.chunks)
    figures = {
        "encoders": float(ENCODERS),
        "calls_per_s": len(every) / took_s,
        "p50_ms": quantile_ms(every, 0.5),
        "p95_ms": quantile_ms(every, 0.95),
        **{f"p95_ms {name}": quantile_ms(found, 0.95) for name, found in seconds.items()},
        "failures": float(sum(sum(part.failures.values()) for part in parts)),
        "chunks_lost": float(chunks - done),
        "taken_twice": float(sum(count > 1 for count in encoded.values())),
    }
    return conclude("contention", figures, GOALS)


if __name__ == "__main__":
    raise SystemExit(main())
