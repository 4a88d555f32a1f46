"""An encoder that is killed or stopped in the middle of a chunk, with messages hidden for 600 s as by the real host."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from functions.encoding.claims import BEAT_S, LEASE_S
from functions.encoding.steps import LOST
from tests.support.homes import free_home
from tests.support.media import Film, make_film
from tests.support.product import ENCODE_ALL, Product
from tests.support.published import Published
from tests.support.uploads import Storefront
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.uploads import Sent

HIDDEN_S = 600
AGAIN_WITHIN_S = HIDDEN_S / 2
"""A chunk is encoded again within this time after its encoder was killed. Its claim expires after LEASE_S, and the
timer enqueues it within a minute; the rest is for a busy machine."""

READY_WITHIN_S = 1200
pytestmark = pytest.mark.timeout(1800)

CHUNKS = 2
FILM = Film("film.mkv", frames=24 * 4 * 4, width=1920, height=1080)
"""A film of two chunks; to encode the second takes longer than a stopping host waits for its functions."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A running product with one encoder, and a film."""

    product: Product
    storefront: Storefront
    film: Path

    def encoder(self) -> dict[str, Any]:
        """Return the state of the encoder's process."""
        told = json.loads(self.product.run("status", "--json").stdout)
        found: dict[str, Any] = next(each for each in told["services"] if each["name"] == "encoder")
        return found

    def segment(self) -> Path | None:
        """Return a segment of the chunk that is being encoded."""
        work = self.product.home.path / "work" / "encoder"
        return next(work.glob("notflix-work-chunk-*/v*/*.m4s*"), None)

    def interrupt(self, name: str, number: signal.Signals) -> tuple[Sent, Path]:
        """Upload the film; signal the encoder in the middle of the last chunk; return the upload and work folder."""
        sent = self.storefront.send(name, self.film)

        def is_half_done() -> bool:
            job = self.storefront.job(sent)
            return job is not None and job["chunks"]["done"] == 1

        eventually(is_half_done, within_s=READY_WITHIN_S, every_s=0.05)
        segment = eventually(self.segment, within_s=READY_WITHIN_S, every_s=0.05)
        assert segment is not None
        os.kill(self.encoder()["pid"], number)
        return sent, segment.parents[1]

    def faults_until(self, sent: Sent, is_so: Callable[[Mapping[str, Any]], bool], *, within_s: float) -> set[str]:
        """Wait until `is_so` accepts the state of a job; return the faults that the job showed meanwhile."""
        seen: set[str] = set()

        def look() -> bool:
            job = self.storefront.job(sent) or {}
            seen.update(filter(None, [job.get("fault")]))
            assert job.get("status") != "failed", job
            return is_so(job)

        eventually(look, within_s=within_s, every_s=0.2)
        return seen

    def faults_until_ready(self, sent: Sent) -> set[str]:
        """Wait until a job is ready; return the faults that it showed meanwhile."""
        return self.faults_until(sent, lambda job: job.get("status") == "ready", within_s=READY_WITHIN_S)

    def assert_complete(self, sent: Sent, folder: Path) -> None:
        """Assert that every rung has every frame once."""
        published = Published(self.storefront.fetch(sent, folder))
        assert published.faults() == []
        for rung in published.of("video"):
            assert published.numbers(rung.name) == list(range(FILM.frames))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Start the product with the lease of the real host."""
    folder = Path(tempfile.mkdtemp(prefix="notflix-interrupted-"))
    product = Product(free_home(folder), ENCODE_ALL)
    began = product.run("up", "--detach", "--empty", "--lease", str(HIDDEN_S))
    try:
        assert began.returncode == 0, began.stdout + began.stderr
        storefront = Storefront(product.endpoints)
        yield Machine(product, storefront, make_film(FILM, tmp_path_factory.mktemp("film")))
        storefront.close()
    finally:
        ended = product.run("down")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        shutil.rmtree(folder)


@pytest.mark.extended
def test_chunk_of_a_killed_encoder_is_encoded_again_long_before_its_message_returns(
    machine: Machine, tmp_path: Path
) -> None:
    sent, chunk = machine.interrupt("killed.mp4", signal.SIGKILL)
    killed_at = time.monotonic()

    def is_encoded_again(job: Mapping[str, Any]) -> bool:
        segment = machine.segment()  # present only while the chunk is being encoded
        return (segment is not None and segment.parents[1] != chunk) or job["chunks"]["done"] == CHUNKS

    seen = machine.faults_until(sent, is_encoded_again, within_s=AGAIN_WITHIN_S)
    assert time.monotonic() - killed_at > LEASE_S - BEAT_S, "its claim had to expire first"
    assert seen | machine.faults_until_ready(sent) == {LOST}
    machine.assert_complete(sent, tmp_path)


@pytest.mark.extended
def test_stopped_encoder_costs_a_film_no_attempt(machine: Machine, tmp_path: Path) -> None:
    before = machine.encoder()["restarts"]
    sent, _ = machine.interrupt("stopped.mp4", signal.SIGTERM)
    eventually(lambda: machine.encoder()["restarts"] == before + 1)
    assert machine.faults_until_ready(sent) == set()
    machine.assert_complete(sent, tmp_path)
