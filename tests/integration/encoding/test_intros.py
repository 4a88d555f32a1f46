"""The real ffmpeg encodes episodes, and their intro and credits are found in the published sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.catalogue.model import PartKind, SkippablePart, Status
from functions.encoding.ffmpeg import FFmpeg
from functions.encoding.intros.worker import BEGINNING, ENDING, FingerprintWorker
from functions.encoding.model import JobStatus
from functions.platform.messages import PublishTitle
from tests.support.cases import extended
from tests.support.encoder import Encoder
from tests.support.episodes import SECONDS, TUNE_S, Episode, make_episode
from tests.support.intro_world import IntroParts

if TYPE_CHECKING:
    from pathlib import Path

EPISODES = (
    Episode("Harbour S01E01.mp4", 11, intro_at=2.5, credits_at=76.0),
    Episode("Harbour S01E02.mkv", 23, intro_at=4.3, credits_at=75.2, sound=("-c:a", "libmp3lame", "-b:a", "96k")),
    Episode("Harbour S01E03.mp4", 35),
    Episode("Harbour S02E01.mp4", 47),
    Episode("Harbour S02E02.mp4", 59),
)
TOLERANCE_S = 1.0


class Library:
    """An encoder with several titles, and the comparison of their sound."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.encoder = Encoder(folder, **settings)
        ffmpeg = FFmpeg("ffmpeg", "ffprobe", 4096)
        worker = FingerprintWorker(self.encoder.media, ffmpeg, work_dir=str(folder), keys=self.encoder.keys)
        self.intros = IntroParts(self.encoder.world, worker)
        self.catalogue = self.encoder.world.world.catalogue

    def add(self, path: Path) -> str:
        """Encode an episode and return the id of its title."""
        title_id = path.stem.lower().replace(" ", "-") + "-1a2b3c"
        self.encoder.world.title_id = title_id
        self.catalogue.open_title(title_id, stem=path.stem, status=Status.ENCODING)
        progress = self.encoder.encode(path)
        assert progress.status is JobStatus.READY, progress.reason
        return title_id

    def parts_of(self, title_id: str) -> dict[PartKind, SkippablePart]:
        playback = self.catalogue.get(title_id).playback
        assert playback
        return {part.kind: part for part in playback.skippable}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("episodes")
    return [make_episode(episode, folder) for episode in EPISODES]


@pytest.mark.parametrize(
    "settings", [{}, extended({"encrypt_films": "always", "film_keys": "k" * 64})], ids=["clear", "encrypted"]
)
def test_intro_and_credits_are_found_where_episodes_share_them(
    sources: list[Path], tmp_path: Path, settings: dict[str, Any]
) -> None:
    library = Library(tmp_path, **settings)
    first, second = (library.add(path) for path in sources[:2])
    assert len(library.intros.run()) == 2
    for title_id, episode in ((first, EPISODES[0]), (second, EPISODES[1])):
        parts = library.parts_of(title_id)
        assert episode.intro_at
        assert episode.credits_at
        for kind, at_s in ((PartKind.INTRO, episode.intro_at), (PartKind.CREDITS, episode.credits_at)):
            assert parts[kind].start_s == pytest.approx(at_s, abs=TOLERANCE_S), kind
            assert parts[kind].end_s == pytest.approx(at_s + TUNE_S, abs=TOLERANCE_S), kind
            assert parts[kind].end_s <= SECONDS
    assert library.intros.run() == [], "nothing has changed"


def test_nothing_is_found_where_episodes_share_no_sound(sources: list[Path], tmp_path: Path) -> None:
    library = Library(tmp_path)
    titles = [library.add(path) for path in sources[3:]]
    assert len(library.intros.run()) == 2
    assert [library.parts_of(title_id) for title_id in titles] == [{}, {}]


@pytest.mark.extended
def test_a_later_episode_without_the_tune_gets_none_and_leaves_those_of_the_others(
    sources: list[Path], tmp_path: Path
) -> None:
    library = Library(tmp_path)
    titles = [library.add(path) for path in sources[:2]]
    library.intros.run()
    before = [library.parts_of(title_id) for title_id in titles]
    other = library.add(sources[2])
    stored = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.fingerprint")}
    assert len(stored) == 4
    assert len(library.intros.run()) == 3
    assert library.parts_of(other) == {}
    assert [library.parts_of(title_id) for title_id in titles] == before
    kept = {path: path.stat().st_mtime_ns for path in stored}
    assert kept == stored, "stored fingerprints are not made again"


def test_fingerprints_are_files_of_the_job_and_a_verification_finds_no_fault(
    sources: list[Path], tmp_path: Path
) -> None:
    library = Library(tmp_path)
    titles = [library.add(path) for path in sources[:2]]
    library.intros.run()
    for title_id in titles:
        playback = library.catalogue.get(title_id).playback
        assert playback
        folder = library.encoder.media.folder / f"title-{title_id}" / playback.job_id
        assert {path.name for path in folder.iterdir() if path.suffix == ".fingerprint"} == {BEGINNING, ENDING}
        world = library.encoder.world
        world.jobs.schedule_verification(playback.job_id, at=world.clock(), repair=True)
        world.run(PublishTitle(playback.job_id, verify=True), library.encoder.pipeline)
        verified = world.jobs.get_job(playback.job_id).verified
        assert verified
        assert verified.damaged == 0
        assert library.catalogue.get(title_id).playback == playback
