"""Renditions in AV1 are listed once all of them are complete, beside those in H.264, which do not change."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

from functions.encoding.av1_encode import Av1Encode, Av1Result, Av1Status, av1_renditions
from functions.encoding.losses import expected_files, lost_av1, lost_parts
from functions.encoding.model import EncodeJob, JobStatus
from functions.encoding.publication.dash import write_mpd
from functions.encoding.publication.hls import write_master, write_media
from functions.encoding.publication.presentation import Presentation, part_of, presentation_of, revision_of
from functions.encoding.track_state import TrackFault, TrackState
from tests.support.clock import NOON
from tests.support.encoding_plans import make_job, make_plan
from tests.unit.encoding.publication.test_copied_presentation import PLAN as COPYING

PLAN = make_plan()
SOUND = TrackState(11, 11 * 192_512, complete=True, size=1)
RESULT = Av1Result(1000, {"av360": 300_000, "av234": 100_000})
CODECS = {"av360": "av01.0.01M.08", "av234": "av01.0.00M.08"}
COMPLETE = Av1Encode(
    Av1Status.COMPLETE,
    NOON,
    "A test encodes it.",
    done=frozenset(range(4)),
    results={
        "0": RESULT,
        "1": RESULT,
        "2": replace(RESULT, peaks_bps={"av360": 400_000, "av234": 90_000}),
        "3": RESULT,
    },
    codecs=CODECS,
    edition=1,
)


def ready_job(av1: Av1Encode | None) -> EncodeJob:
    return replace(
        make_job(plan=PLAN, status=JobStatus.READY, codecs={"v360": "avc1.1", "v234": "avc1.2", "a0": "mp4a.40.2"}),
        chunks_done=frozenset(range(4)),
        tracks={"a0": SOUND},
        av1=av1,
    )


def listed(av1: Av1Encode | None) -> Presentation:
    job = ready_job(av1)
    found = presentation_of(job, PLAN, at=NOON)
    assert found
    return found


def sets_of(mpd: str) -> list[str]:
    period = ElementTree.fromstring(mpd)[0]
    return [ElementTree.tostring(each, encoding="unicode").strip() for each in period]


def test_the_sets_of_h264_and_sound_are_the_same_with_av1_and_without() -> None:
    without, beside = (sets_of(write_mpd(listed(av1))) for av1 in (None, COMPLETE))
    assert beside[: len(without)] == without
    (added,) = beside[len(without) :]
    assert re.findall(r'id="(\w+)" codecs="([\w.]+)" bandwidth="(\d+)"', added) == [
        ("av360", "av01.0.01M.08", "400000"),
        ("av234", "av01.0.00M.08", "100000"),
    ]


def test_the_master_playlist_lists_av1_after_h264_with_its_codec() -> None:
    without, beside = (write_master(listed(av1)).splitlines() for av1 in (None, COMPLETE))
    assert beside[: len(without)] == without
    assert [line for line in beside[len(without) :] if not line.startswith("#")] == ["av360.m3u8", "av234.m3u8"]
    assert 'CODECS="av01.0.01M.08,mp4a.40.2"' in beside[len(without)]
    av1, h264 = (write_media(listed(COMPLETE), name) for name in ("av360", "v360"))
    assert av1 == h264.replace("v360/", "av360/")


def test_nothing_is_listed_before_the_encode_is_complete_or_after_it_was_given_up() -> None:
    for status in (Av1Status.ENCODING, Av1Status.ABANDONED):
        assert write_mpd(listed(replace(COMPLETE, status=status))) == write_mpd(listed(None))
    growing = replace(ready_job(COMPLETE), chunks_done=frozenset({0, 1}))
    begun = presentation_of(growing, PLAN, at=NOON)
    assert begun
    assert not begun.av1
    part = part_of(ready_job(COMPLETE), 1, at=NOON)
    assert part
    assert not part.av1, "a player that follows a part must not be offered other renditions in the end"


def test_a_manifest_replaces_the_one_before_whether_av1_appears_or_disappears() -> None:
    editions = [None, COMPLETE, replace(COMPLETE, status=Av1Status.ENCODING, edition=2), replace(COMPLETE, edition=3)]
    revisions = [revision_of(listed(av1)) for av1 in editions]
    assert revisions == sorted(set(revisions))


def test_each_rung_is_encoded_once_even_if_its_h264_is_copied() -> None:
    assert [each.name for each in av1_renditions(COPYING)] == ["av360", "av234"]
    given_up = COPYING.without_failed_copies({"c360": TrackState(complete=True, fault=TrackFault.DAMAGED)})
    assert [each.name for each in av1_renditions(given_up)] == ["av360", "av234"]
    provisional = replace(COPYING, copied=replace(COPYING.copied, replaces=None)) if COPYING.copied else COPYING
    assert [each.name for each in av1_renditions(provisional)] == ["av234"]


def test_a_lost_file_concerns_only_the_chunk_in_av1_that_it_belongs_to() -> None:
    job = ready_job(COMPLETE)
    files = expected_files(job)
    assert "av360/s00010.m4s" in files
    assert "av234/init.mp4" in files
    segments = [name for name in files if name.startswith("av") and name.endswith(".m4s")]
    assert len(segments) == 2 * PLAN.grid.segments
    sizes = dict.fromkeys(files, 100)
    per_chunk = {str(chunk.index): 200 * chunk.segments for chunk in PLAN.chunks}
    results = {index: replace(RESULT, size=size) for index, size in per_chunk.items()}
    job = replace(job, av1=replace(COMPLETE, results=results))
    assert not lost_av1(job, sizes)
    gone = {name: size for name, size in sizes.items() if name != "av234/s00005.m4s"}
    assert lost_av1(job, gone).av1 == {2}
    assert lost_av1(job, gone).files == {"av234/s00005.m4s"}
    assert not lost_parts(replace(job, tracks={}), gone).chunks
    assert lost_av1(job, {**sizes, "av360/s00000.m4s": 99}).av1 == {0}
    assert lost_av1(job, {**sizes, "av360/init.mp4": 0}).av1 == {0}
    assert not lost_av1(replace(job, av1=None), {})
