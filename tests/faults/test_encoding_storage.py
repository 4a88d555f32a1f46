"""Storage is killed at random moments of encode jobs: no title is shown as ready unless it is, and every job ends.

A killed Azurite loses what it acknowledged in its last seconds: uploads, segments, manifests, whole containers and
messages. The moments follow from a seed, which is printed; `NOTFLIX_SEED` repeats one.
"""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.exceptions import AzureError

from infra.local.processes.state import read_state
from tests.support.cases import extended
from tests.support.media import Film, make_film
from tests.support.product import running_product
from tests.support.published import Published
from tests.support.uploads import Sent, Storefront
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.local.processes.service import ServiceStatus
    from tests.support.product import Product

ENDED_WITHIN_S = 300
"""After storage is back, every job must end and every ready title must become complete within this time."""

SHORT_STORM = 0
"""The storm with two kills; all others have four."""

FILM = Film(frames=24 * 20, width=160, height=90)
"""A film of five segments in more than one chunk."""


@dataclass(frozen=True, slots=True)
class Faults:
    """A running product with two encoders, whose storage can be killed."""

    product: Product
    storefront: Storefront

    def kill_storage(self) -> None:
        """Kill Azurite, and wait until the supervisor has restarted it."""
        before = self._storage()
        assert before.pid
        os.kill(before.pid, signal.SIGKILL)
        eventually(lambda: self._storage().restarts > before.restarts and self._storage().state == "ready")

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Return the newest job of each title, by the title's id."""
        newest: dict[str, dict[str, Any]] = {}
        cursor: str | None = ""
        while cursor is not None:
            page = self._ask("GET", f"/api/jobs?cursor={cursor}")
            for job in page["jobs"]:
                newest.setdefault(job["title_id"], job)
            cursor = page["cursor"]
        return newest

    def title_status(self, title_id: str) -> str:
        """Return the status of a title, as viewers see it."""
        return str(self._ask("GET", f"/api/titles/{title_id}")["status"])

    def _storage(self) -> ServiceStatus:
        state = read_state(self.product.home)
        assert state
        return next(service for service in state.services if service.name == "azurite")

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        endpoints = self.product.endpoints
        headers = {"x-operator-key": endpoints["api_key"]}
        answer = requests.request(method, f"{endpoints['api']}{path}", headers=headers, timeout=60)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def faults() -> Iterator[Faults]:
    """Start a separate copy of the product with two encoders."""
    with running_product("--encoders", "2") as product:
        storefront = Storefront(product.endpoints)
        yield Faults(product, storefront)
        storefront.close()


def upload(faults: Faults, film: Path, name: str) -> Sent:
    """Upload a film; retry while storage does not answer."""

    def sent() -> Sent | None:
        try:
            return faults.storefront.send(name, film)
        except AzureError:
            return None

    return eventually(sent)


@pytest.mark.parametrize("storm", [extended(SHORT_STORM), *map(extended, range(1, 25))])
def test_no_title_says_ready_that_is_not_and_every_job_ends(faults: Faults, tmp_path: Path, storm: int) -> None:
    """A storm is four films, and four kills, or two in the short one; all 25 storms together are a hundred jobs."""
    seed = int(os.environ.get("NOTFLIX_SEED") or storm)
    print(f"seed {seed}: NOTFLIX_SEED={seed} repeats the moments")
    chance = random.Random(seed)
    film = make_film(FILM, tmp_path)
    uploads = [upload(faults, film, f"storm {storm}{letter}.mp4") for letter in "abc"]
    kills = 2 if storm == SHORT_STORM else 4
    for _ in range(kills):
        time.sleep(chance.uniform(1, 12))  # the moment of the kill
        faults.kill_storage()
    is_back = time.monotonic()
    uploads.append(upload(faults, film, f"storm {storm} is over.mp4"))
    ready, failed = settled(faults, uploads, tmp_path)
    lost, lasted_s = len(uploads) - ready - failed, time.monotonic() - is_back
    print(
        f"{kills} kills: of {len(uploads)} films {ready} are ready, {failed} failed, {lost} uploads were lost; "
        f"{lasted_s:.0f} s after storage was back, all had ended"
    )


def settled(faults: Faults, uploads: list[Sent], folder: Path) -> tuple[int, int]:
    """Wait until every job has ended, and check what it says; return how many are ready, and how many failed.

    Only the product's own timer, which runs every minute, repairs uploads and jobs.
    """
    titles = {sent.title_id for sent in uploads}

    def ended() -> dict[str, dict[str, Any]] | None:
        found = {title_id: job for title_id, job in faults.jobs().items() if title_id in titles}
        is_over = all(
            job["status"] == "failed" or (job["status"] == "ready" and not job["verifying"]) for job in found.values()
        )
        has_job = all(sent.title_id in found or not faults.storefront.still_there(sent) for sent in uploads)
        return found if is_over and has_job else None

    jobs = eventually(ended, within_s=ENDED_WITHIN_S, every_s=2)
    ready = failed = 0
    for sent in uploads:
        job = jobs.get(sent.title_id)
        if job is None:
            assert not faults.storefront.still_there(sent), f"{sent.blob} is stored, but has no job"
        elif job["status"] == "failed":
            failed += 1
            assert job["reason"], job
            print(f"{sent.blob} failed: {job['reason']}")
            assert faults.title_status(sent.title_id) == "failed"
        else:
            ready += 1
            published = Published(faults.storefront.fetch(sent, folder))
            assert published.mpd.get("type") == "static"
            assert published.faults() == [], job
            assert faults.title_status(sent.title_id) == "ready"
    assert jobs[uploads[-1].title_id]["status"] == "ready", "a film that was uploaded after the last kill"
    return ready, failed
