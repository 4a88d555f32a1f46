"""Renditions on demand: which they are, when manifests list them, and when their files may be deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.encoding.av1_encode import Av1Encode, Av1Status
from functions.encoding.ladder import renditions_for
from functions.encoding.losses import Loss, expected_files, lost_on_demand, lost_parts
from functions.encoding.model import EncodeJob, JobStatus
from functions.encoding.on_demand_encode import (
    REMOVED_KEPT,
    OnDemandEncode,
    OnDemandStatus,
    estimates_of,
    on_demand_plan,
    split_renditions,
)
from functions.encoding.publication.dash import write_mpd
from functions.encoding.publication.hls import write_master
from functions.encoding.publication.presentation import Presentation, original_of, part_of, presentation_of, revision_of
from functions.encoding.track_state import TrackState
from functions.encoding.upkeep.expiries import COPY, Expiry, expiries_of
from tests.support.catalogue import make_playback, make_title
from tests.support.clock import NOON
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_job, make_plan

RUNGS = {rung.name: rung for rung in renditions_for(1920, 1080)}
PLAN = replace(
    make_plan(renditions=(RUNGS["v1080"], RUNGS["v360"])), on_demand=(RUNGS["v720"], RUNGS["v540"], RUNGS["v234"])
)
COMPLETE = OnDemandEncode(
    OnDemandStatus.COMPLETE,
    NOON,
    done=frozenset(range(4)),
    sizes={"0": 300, "1": 900, "2": 1200, "3": 900},
    size=3300,
    codecs=dict.fromkeys(("v720", "v540", "v234"), "avc1.9"),
    edition=1,
)


def ready_job(on_demand: OnDemandEncode | None = COMPLETE, av1: Av1Encode | None = None) -> EncodeJob:
    codecs = {"v1080": "avc1.1", "v360": "avc1.2", "a0": "mp4a.40.2"}
    return replace(
        make_job(plan=PLAN, status=JobStatus.READY, codecs=codecs),
        chunks_done=frozenset(range(4)),
        tracks={"a0": TrackState(11, 11 * 192_512, complete=True, size=1)},
        on_demand=on_demand,
        av1=av1,
    )


def listed(on_demand: OnDemandEncode | None, av1: Av1Encode | None = None) -> Presentation:
    found = presentation_of(ready_job(on_demand, av1), PLAN, at=NOON)
    assert found
    return found


@pytest.mark.parametrize(
    ("width", "height", "copies", "at_once", "later"),
    [
        (1920, 1080, 0, ["v1080", "v360"], ["v720", "v540", "v234"]),
        (1920, 1080, 1, ["v360"], ["v1080", "v720", "v540", "v234"]),
        (1080, 1920, 0, ["v1080", "v360"], ["v720", "v540", "v234"]),
        (640, 360, 0, ["v360"], ["v234"]),
        (416, 234, 0, ["v234"], []),
        (320, 180, 1, ["v180"], []),
    ],
)
def test_at_once_there_are_the_best_rendition_and_the_one_for_mobile_networks(
    width: int, height: int, copies: int, at_once: list[str], later: list[str]
) -> None:
    split = split_renditions(renditions_for(width, height), copies=copies)
    assert [[each.name for each in part] for part in split] == [at_once, later]


def test_the_renditions_have_the_segments_of_the_plan() -> None:
    plan = on_demand_plan(PLAN)
    assert [each.name for each in plan.renditions] == ["v720", "v540", "v234"]
    assert (plan.grid, plan.chunks, plan.source) == (PLAN.grid, PLAN.chunks, PLAN.source)


def test_they_are_listed_in_their_places_once_complete_and_the_others_do_not_change() -> None:
    few, all_sizes = listed(None), listed(COMPLETE)
    assert [track.name for track in few.video] == ["v1080", "v360"]
    assert [track.name for track in all_sizes.video] == ["v1080", "v720", "v540", "v360", "v234"]
    assert [track for track in all_sizes.video if track in few.video] == list(few.video)
    assert all_sizes.video_segments == few.video_segments
    assert write_mpd(all_sizes).count("<AdaptationSet") == write_mpd(few).count("<AdaptationSet")
    variants = [line for line in write_master(all_sizes).splitlines() if line.startswith("v")]
    assert variants == [f"{track.name}.m3u8" for track in all_sizes.video]


def test_nothing_is_listed_in_any_other_state() -> None:
    for status in set(OnDemandStatus) - {OnDemandStatus.COMPLETE}:
        assert write_mpd(listed(replace(COMPLETE, status=status))) == write_mpd(listed(None))


def test_a_manifest_that_players_reload_never_lists_them() -> None:
    part = part_of(ready_job(), 1, at=NOON)
    assert part
    assert [track.name for track in part.video] == ["v1080", "v360"]
    growing = replace(ready_job(), chunks_done=frozenset({0, 1}))
    begun = presentation_of(growing, PLAN, at=NOON)
    assert begun
    assert [track.name for track in begun.video] == ["v1080", "v360"]
    assert original_of(ready_job(), begun) is None


def test_a_manifest_that_lists_them_no_more_replaces_every_earlier_one_whatever_its_av1() -> None:
    leaving = replace(COMPLETE, status=OnDemandStatus.LEAVING, edition=2)
    av1 = Av1Encode(Av1Status.ENCODING, NOON, "A test encodes it.", edition=9)
    editions = [listed(None), listed(None, av1), listed(COMPLETE), listed(COMPLETE, av1), listed(leaving)]
    revisions = [revision_of(each) for each in editions]
    assert revisions == sorted(set(revisions))


def test_a_lost_file_concerns_only_its_chunk_on_demand() -> None:
    job = ready_job()
    files = expected_files(job)
    assert len([name for name in files if name.startswith("v720/s")]) == PLAN.grid.segments
    assert "v234/init.mp4" in files
    sizes = dict.fromkeys(files, 100)
    assert not lost_on_demand(job, sizes)
    assert not lost_parts(job, {name: 100 for name in files if "v720" not in name}).files & {"v720/s00001.m4s"}
    del sizes["v540/s00002.m4s"]
    lost = lost_on_demand(job, sizes)
    assert lost == Loss(on_demand=frozenset({1}), files=frozenset({"v540/s00002.m4s"}))
    other = {**dict.fromkeys(files, 100), "v234/s00000.m4s": 99}
    assert lost_on_demand(job, other).on_demand == {0}
    no_init = {name: 100 for name in files if name != "v720/init.mp4"}
    assert lost_on_demand(job, no_init).on_demand == {0}
    assert not lost_on_demand(ready_job(None), {})
    assert "v720/init.mp4" not in expected_files(ready_job(replace(COMPLETE, status=OnDemandStatus.REMOVED)))


@pytest.mark.parametrize("status", list(OnDemandStatus))
def test_files_are_deleted_a_day_after_manifests_ceased_to_list_them(status: OnDemandStatus) -> None:
    jobs = MemoryEncodeJobs()
    job = ready_job(replace(COMPLETE, status=status, ended_at=NOON))
    jobs.add_job(job)
    title = make_title(job.title_id, playback=make_playback(job.id, complete=True))
    found = [each for each in expiries_of(job.id, jobs.summaries_of_title(job.title_id), title) if each.endings != COPY]
    at = NOON + REMOVED_KEPT
    assert timedelta(hours=12) < REMOVED_KEPT
    expected = [
        expiry
        for name in ("v720", "v540", "v234")
        for expiry in (Expiry(at, within=name), Expiry(at, (f"/{name}.m3u8",)))
    ]
    assert found == (expected if status in (OnDemandStatus.REMOVED, OnDemandStatus.ABANDONED) else [])


def test_estimates_follow_from_size_and_length() -> None:
    best, *_, lowest = estimates_of(PLAN.on_demand, PLAN.grid)
    assert (best.name, best.size) == ("v720", int(2800 * 125 * 1000 / 24 * 0.84))
    assert (lowest.name, lowest.cpu_s) == ("v234", 1.7)
