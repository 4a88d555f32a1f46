"""A job fails in one process while another writes its first manifest: the title shows that it has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.catalogue.model import Status
from functions.encoding.model import JobStatus
from functions.platform.messages import PlanEncode, PrepareEncode
from tests.support.copied_films import front_of, shape
from tests.support.encoder import Encoder
from tests.support.media import make_film

if TYPE_CHECKING:
    from pathlib import Path

REASON = "The film was cancelled."


class Cancelled(Encoder):
    """An encoder whose title is cancelled, as by another process, once the first manifest has been stored."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.media.store_text, self.store_text = self._store_text, self.media.store_text  # type: ignore[method-assign]

    def _store_text(self, container: str, name: str, text: str, *, revision: int) -> None:
        self.store_text(container, name, text, revision=revision)
        if name.endswith("manifest.mpd"):
            self.world.service.cancel(self.world.title_id, REASON)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return make_film(shape(mux=("-movflags", "+faststart")).film, tmp_path)


@pytest.mark.parametrize("way", ["encoded", "first seconds", "running upload"])
def test_job_that_fails_while_its_first_manifest_is_written(way: str, film: Path, tmp_path: Path) -> None:
    encoder = Cancelled(tmp_path / "storage")
    if way == "running upload":
        job_id = encoder.commit(film, front=film.stat().st_size * 8 // 10)
        encoder.continue_job(job_id, [PrepareEncode(job_id)])
    else:
        job_id = encoder.upload(film)
        if way == "first seconds":
            front_of(encoder).publish(job_id)
        else:
            encoder.continue_job(job_id, [PlanEncode(job_id)])
    job, title = encoder.world.jobs.get_job(job_id), encoder.world.title
    assert (job.status, job.reason) == (JobStatus.FAILED, REASON)
    assert (title.status, title.failure) == (Status.FAILED, REASON)
