"""A verification compares manifests with what the job says: they list what is complete, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from functions.encoding.ffmpeg import FFmpeg
from functions.encoding.ladder import renditions_for
from functions.encoding.losses import expected_files
from functions.encoding.model import JobStatus
from functions.encoding.on_demand_encode import OnDemandEncode, OnDemandStatus
from functions.encoding.publication.manifests import ManifestPublisher
from functions.encoding.track_state import TrackState
from functions.encoding.upkeep.verifier import TitleVerifier
from functions.platform.identifiers import container_for
from tests.support.catalogue import World
from tests.support.clock import NOON
from tests.support.encoding_plans import make_job, make_plan
from tests.support.encoding_storage import MemoryMedia

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.model import EncodeJob

NO_FFMPEG = FFmpeg("/nonexistent", "/nonexistent", 100)


class VerifiedTitle:
    """A complete film in memory, whose segments cannot be decoded; what can is not tested here."""

    def __init__(self, folder: Path) -> None:
        plan = replace(make_plan(), on_demand=renditions_for(960, 540)[:1])
        codecs = {"v360": "avc1.4d401e", "v234": "avc1.4d400d", "a0": "mp4a.40.2"}
        self.job = make_job(
            status=JobStatus.READY,
            plan=plan,
            chunks_done=frozenset(chunk.index for chunk in plan.chunks),
            tracks={"a0": TrackState(11, 11 * 192_512, complete=True)},
            codecs=codecs,
        )
        chunks = frozenset(chunk.index for chunk in plan.chunks)
        sizes = {str(chunk): 900 for chunk in chunks}
        made = OnDemandEncode(OnDemandStatus.COMPLETE, NOON, done=chunks, sizes=sizes, codecs={"v540": "avc1.4d401f"})
        self.with_renditions = replace(self.job, on_demand=replace(made, edition=1))
        self.media = MemoryMedia()
        for name in expected_files(self.with_renditions):
            self.media.blobs[container_for(self.job.title_id), f"{self.job.id}/{name}"] = b"no segment"
        catalogue = World().catalogue
        self.publisher = ManifestPublisher(self.media, catalogue, NO_FFMPEG, work_dir=str(folder), now=lambda: NOON)
        self.verifier = TitleVerifier(self.media, NO_FFMPEG, work_dir=str(folder), now=lambda: NOON)

    def faulty(self, job: EncodeJob) -> set[str]:
        """Return the manifests that do not list what a job says; nothing else is compared."""
        _, loss = self.verifier.inspect(job)
        return set(loss.manifests) - {"thumbnails.vtt"}


@pytest.fixture
def title(tmp_path: Path) -> VerifiedTitle:
    return VerifiedTitle(tmp_path)


def test_manifests_that_list_what_the_job_says_are_whole(title: VerifiedTitle) -> None:
    title.publisher.publish_again(title.with_renditions)
    assert title.faulty(title.with_renditions) == set()


def test_manifests_that_lack_a_rendition_are_faulty(title: VerifiedTitle) -> None:
    title.publisher.publish_again(title.job)
    assert title.faulty(title.with_renditions) == {"manifest.mpd", "master.m3u8", "v540.m3u8"}


def test_manifests_that_list_a_rendition_which_the_job_does_not_have_are_faulty(title: VerifiedTitle) -> None:
    assert title.with_renditions.on_demand
    title.publisher.publish_again(title.with_renditions)
    undone = replace(title.with_renditions.on_demand, status=OnDemandStatus.ENCODING, edition=2)
    job = replace(title.with_renditions, on_demand=undone)
    assert title.faulty(job) == {"manifest.mpd", "master.m3u8"}
    title.publisher.publish_again(job)
    assert title.faulty(job) == set()
