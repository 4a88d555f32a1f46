"""The real ffmpeg makes renditions on demand: each frame once and in its place, and the others stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.encoding import ladder
from functions.encoding.model import JobStatus
from functions.encoding.on_demand_encode import REMOVED_KEPT, OnDemandStatus
from functions.encoding.upkeep.sweep import TitleSweep
from functions.platform.messages import PublishTitle
from tests.support.cases import always
from tests.support.conformance import findings, needs_checker
from tests.support.encoder import Encoder
from tests.support.media import H264, Film, make_film
from tests.support.on_demand_world import KEPT_DAYS
from tests.support.published import Published

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.model import EncodeJob
    from functions.encoding.progress import JobProgress

FRAMES = 24 * 9 + 7
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "28", "-pix_fmt", "yuv420p")
HIGH = (*H264, "-profile:v", "high444", "-pix_fmt", "yuv444p")
FILMS = {
    "copied": Film(width=960, height=540, frames=FRAMES, video=(*X264, "-force_key_frames", "3,7.1,8")),
    "encoded": Film(width=960, height=540, frames=FRAMES, video=HIGH),
}
BEST = {"copied": "c540", "encoded": "v540"}
KEPT = timedelta(days=KEPT_DAYS)
NO_CONTENT = (".mpd", ".m3u8", "-joined.mp4")


@dataclass(frozen=True)
class StoredFolders:
    """The folders of titles in the storage of an encoder."""

    root: Path

    def list_folders(self, container: str, *, within: str = "") -> list[str]:
        folder = self.root / container / within
        return [path.name for path in folder.iterdir() if path.is_dir()] if folder.exists() else []

    def delete_files(self, container: str, folder: str, *, endings: tuple[str, ...] = ("",)) -> int:
        found = [path for path in (self.root / container / folder).rglob("*") if path.is_file()]
        deleted = [path for path in found if str(path).endswith(endings)]
        for path in deleted:
            path.unlink()
        return len(deleted)


@dataclass(frozen=True)
class Title:
    """A title with renditions on demand: its encoder, its progress when it became ready, and its files."""

    encoder: Encoder
    progress: JobProgress
    best: str

    @property
    def folder(self) -> Path:
        """Return the folder with the published files."""
        return self.encoder.published(self.progress)

    @property
    def job(self) -> EncodeJob:
        """Return the job as it is now."""
        return self.encoder.job(self.progress)

    @property
    def listed(self) -> list[str]:
        """Return the names of the renditions in the manifest."""
        return [track.name for track in Published(self.folder).of("video")]

    def open(self) -> None:
        """Open the title as a viewer does, and make what is missing."""
        self.encoder.demand.want(self.job.id, by="ada")
        self.encoder.make_renditions()

    def sweep(self) -> int:
        """Sweep titles; return how many files were deleted."""
        world = self.encoder.world
        folders = StoredFolders(self.encoder.media.folder)
        return TitleSweep(world.jobs, world.jobs, lambda: folders, world.world.catalogue, world.clock).sweep_due()

    def files(self) -> dict[str, bytes]:
        """Return all files except manifests, and except what this test has joined."""
        found = (path for path in self.folder.rglob("*") if path.is_file() and not path.name.endswith(NO_CONTENT))
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def verify(self) -> EncodeJob:
        """Verify the job, and repair it if necessary."""
        world = self.encoder.world
        world.jobs.schedule_verification(self.job.id, at=world.clock(), repair=True)
        world.run(PublishTitle(self.job.id, verify=True), self.encoder.pipeline)
        return self.job


def make_title(folder: Path, film: Film, best: str, film_keys: str = "") -> Title:
    encrypt = "always" if film_keys else "never"
    encoder = Encoder(folder / "storage", encode_renditions="on-demand", encrypt_films=encrypt, film_keys=film_keys)
    progress = encoder.encode(make_film(film, folder))
    assert progress.status is JobStatus.READY, progress.reason
    encoder.world.queues.sent.clear()
    return Title(encoder, progress, best)


@pytest.fixture(params=always(("copied",), FILMS))
def title(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Title:
    """Encode a film in chunks of two segments, so that there are places where chunks meet."""
    monkeypatch.setattr(ladder, "CHUNK_SEGMENTS", 2)
    return make_title(tmp_path, FILMS[request.param], BEST[request.param])


def test_renditions_come_with_the_first_viewer_leave_without_viewers_and_come_again(title: Title) -> None:
    before, few = title.files(), [title.best, "v360"]
    manifest = (title.folder / "manifest.mpd").read_text()
    assert title.listed == few
    title.open()
    assert title.listed == [title.best, "v360", "v234"]
    published = Published(title.folder)
    assert published.faults() == []
    best, mobile, made = published.of("video")
    assert made.spans == mobile.spans == best.spans
    assert published.numbers("v234") == published.numbers("v360") == list(range(FRAMES))
    after = title.files()
    assert {name: after[name] for name in before} == before
    encode = title.job.on_demand
    assert encode
    segments = [content for name, content in after.items() if name.startswith("v234/s")]
    assert encode.size == sum(map(len, segments))
    assert (title.folder / "master.m3u8").read_text().count("#EXT-X-STREAM-INF") == 3
    whole = title.verify()
    assert whole.verified
    assert whole.verified.damaged == 0

    clock = title.encoder.world.clock
    clock.forward(seconds=KEPT.total_seconds())
    assert title.encoder.rendition_upkeep.remove_unwanted() == 1
    assert title.listed == few
    assert (title.folder / "manifest.mpd").read_text() == manifest
    title.sweep()
    assert title.files() == after, "somebody may have begun a moment ago"
    clock.forward(seconds=REMOVED_KEPT.total_seconds())
    assert title.sweep() == len(segments) + 2, "the init segment and the playlist too"
    assert title.files() == before
    whole = title.verify()
    assert whole.verified
    assert whole.verified.damaged == 0
    assert whole.status is JobStatus.READY

    title.open()
    assert title.listed == [title.best, "v360", "v234"]
    published = Published(title.folder)
    assert published.faults() == []
    assert published.numbers("v234") == list(range(FRAMES))


@needs_checker
def test_manifests_conform_before_and_after(title: Title) -> None:
    assert findings("manifest.mpd", folder=title.folder) == ""
    title.open()
    assert findings("manifest.mpd", folder=title.folder) == ""
    assert findings("--segments", ".", folder=title.folder) == ""


def test_what_storage_has_lost_is_not_listed_until_it_is_made_again(title: Title) -> None:
    title.open()
    title.encoder.media.delete_blob(title.folder.parent.name, f"{title.job.id}/v234/s00000.m4s")
    damaged = title.verify()
    assert damaged.status is JobStatus.READY
    assert damaged.on_demand
    assert damaged.on_demand.status is OnDemandStatus.ENCODING
    assert title.listed == [title.best, "v360"]
    assert title.encoder.rendition_upkeep.request_steps() == 1
    title.encoder.make_renditions()
    assert title.listed == [title.best, "v360", "v234"]
    assert Published(title.folder).faults() == []


def test_av1_and_renditions_on_demand_are_listed_together(title: Title) -> None:
    title.encoder.encode_av1(title.progress)
    title.open()
    assert title.listed == [title.best, "v360", "v234", "av540", "av360"]
    assert Published(title.folder).faults() == []
    title.encoder.world.clock.forward(seconds=KEPT.total_seconds())
    title.encoder.rendition_upkeep.remove_unwanted()
    assert title.listed == [title.best, "v360", "av540", "av360"]


def test_renditions_of_an_encrypted_film_are_encrypted_with_its_key(tmp_path: Path) -> None:
    film = Film(width=960, height=540, frames=24 * 5, video=X264)
    title = make_title(tmp_path, film, "c540", film_keys="s" * 32)
    title.open()
    assert title.listed == ["c540", "v360", "v234"]
    assert title.job.key_id
    whole = title.verify()
    assert whole.verified
    assert whole.verified.damaged == 0, "segments with another key, or none, cannot be decoded"
