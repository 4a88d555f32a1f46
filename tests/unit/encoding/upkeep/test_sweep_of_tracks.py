"""The sweep deletes tracks of a title that no manifest lists, once nobody can have begun to play them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from functions.encoding.ladder import renditions_for
from functions.encoding.model import JobStatus
from functions.encoding.renditions import CopiedPicture, CopiedSound, Rendition
from functions.encoding.track_state import TrackFault, TrackState
from functions.encoding.upkeep.retention import REPLACED_KEPT
from functions.platform.errors import SourceRefused
from functions.platform.identifiers import container_for
from functions.platform.messages import PublishTitle
from tests.support.av1_world import Av1World
from tests.support.catalogue import make_playback
from tests.support.encoding_plans import make_plan

if TYPE_CHECKING:
    from datetime import datetime

    from functions.encoding.model import EncodePlan
    from tests.support.encoding_world import EncodeWorld

HOUR = timedelta(hours=1)
LEFT_OUT = TrackState(complete=True, fault=TrackFault.DAMAGED)
KEPT = {"manifest.mpd", "master.m3u8", "v360/init.mp4", "v360.m3u8", "v234/init.mp4", "a0/init.mp4", "a0.m3u8"}
KEPT |= {"thumbnails/c00000.jpg", "thumbnails.vtt"}


def store(world: EncodeWorld, job_id: str, *tracks: str) -> None:
    """Store the files of a job, and those of further tracks."""
    files = world.folders.files.setdefault(container_for(world.title_id), set())
    further = {name for track in tracks for name in (f"{track}/init.mp4", f"{track}/s00000.m4s", f"{track}.m3u8")}
    files |= {f"{job_id}/{name}" for name in KEPT | further}


def left(world: EncodeWorld, job_id: str, *, after: timedelta) -> set[str]:
    """Let the sweep run each hour; return what is left of the files of further tracks."""
    for _ in range(after // HOUR):
        world.clock.forward(seconds=HOUR.total_seconds())
        world.service.sweep_due()
    names = {name.removeprefix(f"{job_id}/") for name in world.folders.files[container_for(world.title_id)]}
    assert names >= KEPT
    return names - KEPT


def folders(names: set[str]) -> set[str]:
    return {name.partition("/")[0] for name in names if "/" in name}


def replanned(world: EncodeWorld, job_id: str, **changes: object) -> EncodePlan:
    job = world.jobs.get_job(job_id)
    assert job.plan
    plan = replace(job.plan, **changes)  # type: ignore[arg-type]
    world.jobs.put_job(replace(job, plan=plan))
    return plan


def complete(world: EncodeWorld, job_id: str) -> None:
    world.complete_parts(job_id)
    world.world.catalogue.mark_playable(world.title_id, make_playback(job_id), complete=True)
    assert world.outcome_of(PublishTitle(job_id)).ended


def test_files_of_an_encode_in_av1_that_was_given_up_go_a_day_later() -> None:
    world = Av1World()
    world.begin()
    for _ in range(3):
        world.queues.sent.pop(0)
        world.av1_pipeline.run_next()
    store(world, world.job_id, "av360", "av234")
    assert folders(left(world, world.job_id, after=3 * REPLACED_KEPT)) == {"av360", "av234"}, "it is being made"
    world.av1_worker.troubles = [SourceRefused("The upload is no longer in storage.")]
    world.av1_pipeline.run_next()
    assert folders(left(world, world.job_id, after=REPLACED_KEPT - HOUR)) == {"av360", "av234"}
    assert left(world, world.job_id, after=2 * HOUR) == set()


def test_title_that_is_swept_while_an_encode_ends_is_swept_again() -> None:
    """The sweep that is running does not know yet when its files expire."""
    world = Av1World()
    world.begin()
    store(world, world.job_id, "av360")
    world.jobs.schedule_sweep(world.job_id, at=world.clock())
    end = world.av1.end_encode

    def during(job_id: str, *, edition: int, at: datetime) -> None:
        world.service.sweep_due()
        end(job_id, edition=edition, at=at)

    world.av1.end_encode = during  # type: ignore[method-assign]
    world.av1_worker.troubles = [SourceRefused("The upload is no longer in storage.")]
    world.av1_pipeline.run_next()
    assert left(world, world.job_id, after=REPLACED_KEPT + 2 * HOUR) == set()


def test_an_encode_in_av1_that_is_complete_is_kept() -> None:
    world = Av1World()
    world.begin()
    world.run_all()
    store(world, world.job_id, "av360", "av234")
    assert folders(left(world, world.job_id, after=10 * REPLACED_KEPT)) == {"av360", "av234"}


@pytest.mark.parametrize("stored", ["segments", "playlist"])
@pytest.mark.parametrize("damaged", ["picture", "sound"])
def test_copies_in_which_damage_was_found_go_a_day_after_the_film_was_complete(
    encode: EncodeWorld, damaged: str, stored: str
) -> None:
    """Of a copy that fails at its beginning, only a playlist may have been stored."""
    job_id = encode.planned()
    job = encode.jobs.get_job(job_id)
    assert job.plan
    best, mobile = job.plan.renditions
    own = CopiedPicture(Rendition("c360", 640, 360, 2000), best, Fraction(0), regular=True)
    sound = replace(job.plan.audio[0], name="c0", copied=CopiedSound(0, 0, "a0"))
    is_picture = damaged == "picture"
    replanned(encode, job_id, **({"copied": own, "renditions": (mobile,)} if is_picture else {"audio": (sound,)}))
    track = "c360" if is_picture else "c0"
    encode.jobs.advance_track(encode.jobs.get_job(job_id), track, LEFT_OUT, codec=None)
    store(encode, job_id, *([track] if stored == "segments" else []))
    files = encode.folders.files[container_for(encode.title_id)]
    files |= {f"{job_id}/{track}.m3u8"} | ({f"{job_id}/original.mpd"} if is_picture else set())
    complete(encode, job_id)
    assert f"{track}.m3u8" in left(encode, job_id, after=REPLACED_KEPT - HOUR)
    assert left(encode, job_id, after=2 * HOUR) == set()


def test_what_an_upload_published_before_it_was_whole_goes_unless_it_fits_the_plan(encode: EncodeWorld) -> None:
    job_id = encode.commit("0x1", blob="film.mkv", size=1000, front=400, stored=400)
    encode.commit("0x2", blob="film.mkv", size=1000, front=None, stored=1000)
    job = encode.jobs.set_status(job_id, JobStatus.PLANNING)
    planned = encode.lifecycle.finish_planning(job, make_plan())
    assert planned
    store(encode, job_id, "c360", "c0")
    complete(encode, job_id)
    assert folders(left(encode, job_id, after=REPLACED_KEPT - HOUR)) == {"c360", "c0"}
    assert left(encode, job_id, after=2 * HOUR) == set()


def test_renditions_on_demand_that_were_never_made_or_are_being_made_are_left_alone(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    replanned(encode, job_id, on_demand=renditions_for(960, 540)[:1])
    complete(encode, job_id)
    store(encode, job_id, "v540")
    assert folders(left(encode, job_id, after=3 * REPLACED_KEPT)) == {"v540"}
