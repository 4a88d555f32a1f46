"""Parts of a growing film: what their manifests list is stored, at the stated times, and never changes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from xml.etree import ElementTree

import pytest

from functions.encoding import ladder, listing
from functions.encoding.audience import part_manifest
from functions.encoding.audience_service import EncodeAudience
from functions.encoding.formats.segments import read_init, read_segment
from functions.encoding.model import JobStatus
from functions.encoding.outcomes import missing_work
from functions.platform.messages import EncodeAudio, EncodeChunk, EncodeFront, PlanEncode, PublishTitle
from tests.support.conformance import findings, needs_checker
from tests.support.encoder import Encoder
from tests.support.media import Film, Sound, make_film

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from functions.encoding.outcomes import StepMessage
    from functions.encoding.upkeep.verification import Verification
    from functions.platform.queues import Queues

MPD = "{urn:mpeg:dash:schema:mpd:2011}"
LASTS_LONGER = re.compile(r"from\d+\.mpd: Period 0 lasts [\d.]+ s by the MPD, its longest timeline [\d.]+ s")
"""What the checker says of a part. Its Period begins with the film, so that times in a part are those of the film; the
checker compares its length with that of the segments, although these begin later."""

FILM = Film("film.mkv", frames=24 * 60, width=160, height=90, sounds=(Sound(),), video=("-c:v", "mpeg4"))
"""A film of 15 segments, in a chunk of one segment and seven of two."""


@dataclass(frozen=True, slots=True)
class ListedSegments:
    """The segments of a track that a version of a manifest lists, from number `first` on: their starts in ticks."""

    first: int
    starts: tuple[int, ...]


def segments_in(text: str) -> dict[str, ListedSegments]:
    """Return the listed segments of each track."""
    found = {}
    for representation in ElementTree.fromstring(text).iter(f"{MPD}Representation"):
        template = representation.find(f"{MPD}SegmentTemplate")
        assert template is not None
        starts: list[int] = []
        for entry in template.iter(f"{MPD}S"):
            begin, duration = int(entry.attrib["t"]), int(entry.attrib["d"])
            starts += [begin + number * duration for number in range(int(entry.get("r", "0")) + 1)]
        found[representation.attrib["id"]] = ListedSegments(int(template.attrib["startNumber"]), tuple(starts))
    return found


def ends_in(mpd: ElementTree.Element) -> list[float]:
    """Return where each track of a manifest ends, in seconds."""
    ends = []
    for template in mpd.iter(f"{MPD}SegmentTemplate"):
        last = [*template.iter(f"{MPD}S")][-1].attrib
        end = int(last["t"]) + int(last["d"]) * (int(last.get("r", "0")) + 1)
        ends.append(end / int(template.attrib["timescale"]))
    return ends


@dataclass(frozen=True, slots=True)
class FilmInParts:
    """A published film that was listed in parts: its job, its folder, and all versions of its manifests, by name."""

    encoder: Encoder
    job_id: str
    folder: Path
    versions: dict[str, list[str]]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilmInParts]:
    """Encode a film while one viewer waits at 0:40 and another one at 0:20; yield it once it is ready."""
    folder = tmp_path_factory.mktemp("parts")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ladder, "CHUNK_SEGMENTS", 2)
        patched.setattr(listing, "LISTING_S", 0)
        encoder = Encoder(folder / "storage")
        jobs = encoder.world.jobs
        queues = cast("Queues", encoder.world.queues)
        audience = EncodeAudience(jobs, jobs, lambda: queues, encoder.world.clock)
        job_id = encoder.upload(make_film(FILM, folder))

        def ask(position_s: float, viewer: str) -> list[float]:
            title_id = encoder.world.title_id
            parts = audience.request_position(job_id, title_id=title_id, position_s=position_s, viewer=viewer)
            return [part.from_s for part in parts]

        def run(*messages: StepMessage) -> None:
            for message in messages:
                step = encoder.pipeline.choose_step(message)
                assert step
                encoder.pipeline.run_step(step)

        run(PlanEncode(job_id), EncodeFront(job_id), EncodeAudio(job_id, "a0"))
        assert ask(40, "ada") == [0]
        run(EncodeChunk())
        assert ask(40, "ada") == [0, 36], "it is listed as soon as its segments are stored"
        assert ask(20, "bob") == [0, 36]
        run(EncodeChunk())
        assert ask(20, "bob") == [0, 20, 36]
        progress = encoder.continue_job(job_id, [*missing_work(jobs.get_job(job_id))])
        assert progress.status is JobStatus.READY, progress.reason
        versions: dict[str, list[str]] = {}
        for path, text in encoder.media.versions:
            versions.setdefault(path.name, []).append(text)
        yield FilmInParts(encoder, job_id, encoder.published(progress), versions)


@pytest.mark.parametrize(("chunk", "first"), [(5, 9), (3, 5)])
def test_a_part_grows_from_the_chunk_of_a_viewer_to_the_end_of_the_film(
    film: FilmInParts, chunk: int, first: int
) -> None:
    versions = film.versions[part_manifest(chunk)]
    assert len(versions) > 3
    kinds = [ElementTree.fromstring(text).get("type") for text in versions]
    assert kinds == [*["dynamic"] * (len(kinds) - 1), "static"]
    before: dict[str, ListedSegments] = {}
    for text in versions:
        listed = segments_in(text)
        assert set(listed) == {"v90", "a0"}
        for name, segments in listed.items():
            known = before.get(name, ListedSegments(segments.first, ()))
            assert segments.first == known.first
            assert segments.starts[: len(known.starts)] == known.starts
        before = listed
    assert before["v90"].first == first
    assert len(before["v90"].starts) == 15 - first
    for name, segments in before.items():
        init = read_init(film.folder / name / "init.mp4")
        for number, start in enumerate(segments.starts, segments.first):
            assert read_segment(film.folder / name / f"s{number:05d}.m4s", init).start == start


@needs_checker
def test_manifests_of_parts_conform_from_the_first_to_the_last(film: FilmInParts, tmp_path: Path) -> None:
    checked = []
    for chunk in (3, 5):
        for number, text in enumerate(film.versions[part_manifest(chunk)]):
            path = tmp_path / f"{chunk}-{number:03d}.mpd"
            path.write_text(text, encoding="utf-8")
            checked.append(path.name)
    assert findings(*checked, folder=tmp_path) == ""
    told = findings("--segments", ".", folder=film.folder).splitlines()
    assert [line for line in told if not LASTS_LONGER.fullmatch(line) and not line.startswith(".: ")] == []
    for chunk in (3, 5):
        mpd = ElementTree.fromstring(film.versions[part_manifest(chunk)][-1])
        stated_s = float(mpd.attrib["mediaPresentationDuration"].removeprefix("PT").removesuffix("S"))
        assert abs(max(ends_in(mpd)) - stated_s) < 0.001


@pytest.mark.parametrize(
    "change",
    [
        None,
        lambda mpd: mpd.replace('type="static"', 'type="dynamic"'),
        lambda mpd: mpd.replace('startNumber="9"', 'startNumber="8"', 1),
        lambda mpd: mpd.replace('<S t="', '<S t="1', 1),
    ],
)
def test_manifest_of_a_part_that_is_lost_or_damaged_is_found_and_written_again(
    film: FilmInParts, change: Callable[[str], str] | None
) -> None:
    world, name = film.encoder.world, part_manifest(5)
    verify = PublishTitle(film.job_id, verify=True)

    def found() -> Verification:
        world.service.verify_job(film.job_id)
        world.run(verify, film.encoder.pipeline)
        result = world.jobs.get_job(film.job_id).verified
        assert result
        return result

    path = film.folder / name
    before = path.read_text(encoding="utf-8")
    assert (found().damaged, found().files) == (0, sum(1 for each in film.folder.rglob("*") if each.is_file()))
    if change is None:
        path.unlink()
    else:
        path.write_text(change(before), encoding="utf-8")
        assert path.read_text(encoding="utf-8") != before
    result = found()
    assert (result.damaged, result.examples) == (1, (name,))
    world.service.retry_job(film.job_id)
    assert film.encoder.continue_job(film.job_id, [verify]).status is JobStatus.READY
    assert path.read_text(encoding="utf-8") == before
    assert found().damaged == 0
