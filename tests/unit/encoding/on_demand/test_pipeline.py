"""Renditions are made when viewers want them, and removed when nobody does; meanwhile, the title stays as it is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.encoding.claims import LEASE_S
from functions.encoding.later_pipeline import REPLACED, STOPPED
from functions.encoding.lifecycle import VERIFY_AFTER
from functions.encoding.losses import Loss
from functions.encoding.model import JobStatus
from functions.encoding.on_demand_encode import (
    MOST_ATTEMPTS,
    REMOVED_KEPT,
    REUSED,
    TRIED_AGAIN,
    OnDemandStatus,
    on_demand_step,
)
from functions.encoding.spending.costs import replica_microusd
from functions.platform.errors import EncodeFault, SourceRefused, StoreUnavailable
from functions.platform.messages import EncodeRenditions, PublishTitle
from tests.support.on_demand_world import CPU_S, KEPT_DAYS, SIZE, OnDemandWorld

KEPT = timedelta(days=KEPT_DAYS)


@pytest.fixture
def world() -> OnDemandWorld:
    return OnDemandWorld()


def made(world: OnDemandWorld) -> None:
    """Open the title, and make its renditions."""
    world.open_title()
    assert world.run_all().status is OnDemandStatus.COMPLETE


def removed(world: OnDemandWorld) -> None:
    """Make the renditions, and let them be removed."""
    made(world)
    world.clock.forward(seconds=KEPT.total_seconds())
    assert world.upkeep.remove_unwanted() == 1


def test_the_first_viewer_has_the_renditions_made_and_listed_once_all_chunks_are_stored(world: OnDemandWorld) -> None:
    world.open_title()
    assert world.queues.messages == [EncodeRenditions(begins=world.job_id)], "a viewer waits for one message only"
    world.run_next()
    assert (world.worker.encoded, world.encode.status) == ([0], OnDemandStatus.ENCODING)
    before = world.listed
    assert before is None
    encode = world.run_all()
    assert world.worker.encoded == [0, 1, 2, 3]
    assert (encode.status, encode.size, encode.edition) == (OnDemandStatus.COMPLETE, 4 * SIZE, 1)
    assert world.listed == (OnDemandStatus.COMPLETE, 1)
    job = world.jobs.get_job(world.job_id)
    assert (job.status, job.verify_at, job.verify_repairs) == (JobStatus.READY, world.clock() + VERIFY_AFTER, True)


def test_however_many_viewers_open_it_one_encode_is_made(world: OnDemandWorld) -> None:
    for _ in range(3):
        world.open_title()
    assert len(world.queues.messages) == 1
    world.run_next()
    world.open_title()
    world.run_all()
    world.open_title()
    assert world.queues.messages == []
    assert world.worker.encoded == [0, 1, 2, 3]


def test_a_message_that_is_delivered_twice_changes_nothing(world: OnDemandWorld) -> None:
    world.open_title()
    first = world.queues.messages[0]
    world.run_all()
    assert isinstance(first, EncodeRenditions)
    world.on_demand_pipeline.run(first)
    assert world.worker.encoded == [0, 1, 2, 3]
    assert world.queues.messages == []


def test_nothing_is_made_of_a_film_that_is_still_being_encoded(world: OnDemandWorld) -> None:
    world.jobs.set_status(world.job_id, JobStatus.ENCODING)
    world.open_title()
    assert world.queues.messages == []
    assert world.jobs.get_job(world.job_id).on_demand is None


def test_lost_messages_are_sent_again_for_chunks_that_nobody_encodes(world: OnDemandWorld) -> None:
    world.open_title()
    world.queues.waiting = {EncodeRenditions.QUEUE}
    assert world.upkeep.request_steps() == 0
    world.queues.sent.clear()
    world.queues.waiting = set()
    world.encoder().take(world.job_id, on_demand_step(0))
    assert world.upkeep.request_steps() == 3
    world.run_next()
    assert world.worker.encoded == [1]


def test_the_chunk_of_a_killed_encoder_is_encoded_by_another(world: OnDemandWorld) -> None:
    world.open_title()
    world.worker.troubles = [SystemExit()]
    with pytest.raises(SystemExit):
        world.run_next()
    world.clock.forward(seconds=LEASE_S + 1)
    world.service.repair_jobs()
    assert world.jobs.get_job(world.job_id).faults == {}
    world.upkeep.request_steps()
    encode = world.run_all()
    assert (encode.status, encode.attempts) == (OnDemandStatus.COMPLETE, {})


def test_an_encoder_that_lost_its_claim_records_nothing(world: OnDemandWorld) -> None:
    world.open_title()
    other = world.encoder()

    def overtake() -> None:
        world.clock.forward(seconds=LEASE_S + 1)
        other.take(world.job_id, on_demand_step(0))

    world.worker.during = overtake
    world.run_next()
    assert world.encode.done == frozenset()


def test_a_chunk_that_keeps_failing_ends_the_encode_and_not_the_title(world: OnDemandWorld) -> None:
    world.open_title()
    for _ in range(MOST_ATTEMPTS - 1):
        world.worker.troubles = [EncodeFault("Chunk 0 could not be encoded.")]
        with pytest.raises(EncodeFault):
            world.on_demand_pipeline.run(EncodeRenditions())
    world.worker.troubles = [EncodeFault("Chunk 0 could not be encoded.")]
    world.on_demand_pipeline.run(EncodeRenditions())
    assert (world.encode.status, world.encode.reason) == (OnDemandStatus.ABANDONED, "Chunk 0 could not be encoded.")
    assert world.title.watchable
    world.queues.sent.clear()
    world.open_title()
    assert world.queues.messages == [], "it has failed a moment ago"
    world.clock.forward(seconds=TRIED_AGAIN.total_seconds())
    made(world)


def test_a_chunk_that_kills_its_encoder_each_time_ends_the_encode(world: OnDemandWorld) -> None:
    world.open_title()
    for _ in range(MOST_ATTEMPTS):
        world.worker.troubles = [SystemExit()]
        with pytest.raises(SystemExit):
            world.on_demand_pipeline.run(EncodeRenditions())
    world.on_demand_pipeline.run(EncodeRenditions())
    assert (world.encode.status, world.encode.reason) == (OnDemandStatus.ABANDONED, STOPPED)


def test_a_store_that_is_away_does_not_count_as_an_attempt(world: OnDemandWorld) -> None:
    world.open_title()
    for _ in range(2 * MOST_ATTEMPTS):
        world.worker.troubles = [StoreUnavailable("Storage does not answer.")]
        with pytest.raises(StoreUnavailable):
            world.on_demand_pipeline.run(EncodeRenditions())
    world.upkeep.request_steps()
    assert world.run_all().status is OnDemandStatus.COMPLETE


def test_a_source_that_is_gone_ends_the_encode_at_once(world: OnDemandWorld) -> None:
    world.open_title()
    world.worker.troubles = [SourceRefused("The upload is no longer in storage.")]
    world.run_next()
    assert (world.encode.status, world.encode.reason) == (
        OnDemandStatus.ABANDONED,
        "The upload is no longer in storage.",
    )


def test_what_storage_lost_before_the_end_is_encoded_again(world: OnDemandWorld) -> None:
    world.open_title()
    world.crew.lost = Loss(on_demand=frozenset({2}), files=frozenset({"v540/s00005.m4s"}))
    encode = world.run_all()
    assert world.worker.encoded == [0, 1, 2, 3, 2]
    assert (encode.status, encode.size) == (OnDemandStatus.COMPLETE, 4 * SIZE)


def test_a_verification_that_misses_a_file_takes_them_off_the_manifests_until_they_are_whole(
    world: OnDemandWorld,
) -> None:
    made(world)
    world.jobs.schedule_verification(world.job_id, at=world.clock(), repair=True)
    world.crew.lost = Loss(on_demand=frozenset({1}), files=frozenset({"v540/s00002.m4s"}))
    world.run(PublishTitle(world.job_id, verify=True))
    assert (world.encode.status, world.encode.edition) == (OnDemandStatus.ENCODING, 2)
    assert world.crew.listed_on_demand == world.encode
    job = world.jobs.get_job(world.job_id)
    assert job.status is JobStatus.READY
    assert job.verified
    assert not job.verified.damaged
    assert world.upkeep.request_steps() == 1
    assert world.run_all().edition == 3


def test_a_withdrawn_title_is_not_encoded_any_further(world: OnDemandWorld) -> None:
    world.open_title()
    world.world.catalogue.withdraw_title(world.title_id)
    world.run_next()
    assert (world.encode.status, world.encode.reason) == (OnDemandStatus.ABANDONED, REPLACED)


def test_a_chunk_that_was_encoded_while_a_newer_version_arrived_is_not_used(world: OnDemandWorld) -> None:
    world.open_title()

    def upload() -> None:
        world.upload(etag="0x2")

    world.worker.during = upload
    world.run_next()
    assert (world.encode.status, world.encode.reason) == (OnDemandStatus.ABANDONED, REPLACED)
    assert world.encode.done == frozenset(), "the chunk may show the newer upload"


def test_the_limit_of_the_month_holds(world: OnDemandWorld) -> None:
    poor = OnDemandWorld(limit_usd=1)
    poor.open_title()
    poor.spending.months[poor.clock().strftime("%Y-%m")] = 1e9
    poor.run_next()
    assert poor.worker.encoded == []
    before = world.jobs.replica_s.get(world.job_id, 0.0)

    def work() -> None:
        world.ticks += 100.0

    world.worker.during = work
    made(world)
    assert replica_microusd(world.jobs.replica_s[world.job_id] - before) >= replica_microusd(400)


def test_renditions_that_nobody_has_wanted_for_long_are_listed_no_more(world: OnDemandWorld) -> None:
    made(world)
    world.clock.forward(seconds=KEPT.total_seconds() - 1)
    assert world.upkeep.remove_unwanted() == 0
    world.open_title()
    world.clock.forward(seconds=KEPT.total_seconds() - 1)
    assert world.upkeep.remove_unwanted() == 0, "somebody watched it since"
    world.clock.forward(seconds=1)
    assert world.upkeep.remove_unwanted() == 1
    assert (world.encode.status, world.encode.edition, world.encode.ended_at) == (
        OnDemandStatus.REMOVED,
        2,
        world.clock(),
    )
    assert world.listed == (OnDemandStatus.LEAVING, 2)
    due = world.jobs.sweeps[world.job_id]
    assert due
    assert due <= world.clock() + REMOVED_KEPT
    assert world.upkeep.remove_unwanted() == 0


def test_a_removal_that_was_interrupted_ends_and_is_not_undone_by_a_viewer(world: OnDemandWorld) -> None:
    made(world)
    world.clock.forward(seconds=KEPT.total_seconds())
    world.crew.troubles = [StoreUnavailable("Storage does not answer.")]
    with pytest.raises(StoreUnavailable):
        world.upkeep.remove_unwanted()
    assert world.encode.status is OnDemandStatus.LEAVING
    world.open_title()
    assert world.queues.messages == []
    assert world.upkeep.remove_unwanted() == 1
    world.open_title()
    assert world.run_all().status is OnDemandStatus.COMPLETE


def test_a_viewer_who_comes_while_titles_are_read_keeps_the_renditions(world: OnDemandWorld) -> None:
    made(world)
    world.clock.forward(seconds=KEPT.total_seconds())
    found = world.on_demand.list_unwanted

    def list_then_open(**options: object) -> list[str]:
        ids = found(**options)  # type: ignore[arg-type]
        world.open_title()
        return ids

    world.on_demand.list_unwanted = list_then_open  # type: ignore[method-assign]
    assert world.upkeep.remove_unwanted() == 0
    assert world.encode.status is OnDemandStatus.COMPLETE


def test_the_first_viewer_afterwards_has_them_made_again(world: OnDemandWorld) -> None:
    removed(world)
    world.clock.forward(seconds=REUSED.total_seconds())
    world.open_title()
    encode = world.run_all()
    assert world.worker.encoded == 2 * [0, 1, 2, 3]
    assert (encode.status, encode.size, encode.cpu_s, encode.edition) == (
        OnDemandStatus.COMPLETE,
        4 * SIZE,
        8 * CPU_S,
        3,
    )


def test_files_that_are_still_there_for_sure_are_listed_again(world: OnDemandWorld) -> None:
    removed(world)
    world.clock.forward(seconds=REUSED.total_seconds() - 1)
    world.open_title()
    encode = world.run_all()
    assert world.worker.encoded == [0, 1, 2, 3]
    assert (encode.status, encode.edition) == (OnDemandStatus.COMPLETE, 3)


def test_with_0_days_nothing_is_removed() -> None:
    world = OnDemandWorld(kept_days=0)
    made(world)
    world.clock.forward(seconds=10 * KEPT.total_seconds())
    assert world.upkeep.remove_unwanted() == 0
    assert world.encode.status is OnDemandStatus.COMPLETE


def test_the_job_says_what_is_saved(world: OnDemandWorld) -> None:
    def shown() -> tuple[object, ...]:
        progress = world.service.progress(world.job_id)
        assert progress
        assert progress.on_demand
        found = progress.on_demand
        assert found.renditions == ("v540",)
        return found.status, found.percent, found.size, found.cpu_s, found.saved_size, found.saved_cpu_s

    status, percent, size, cpu_s, saved_size, saved_cpu_s = shown()
    assert (status, percent, size, cpu_s) == (None, 0.0, 0, 0.0)
    assert saved_size == int(1600 * 125 * 1000 / 24 * 0.84)
    assert saved_cpu_s == round(960 * 540 / 1e6 * 1000 * 0.0174, 1)
    made(world)
    assert shown() == (OnDemandStatus.COMPLETE, 100.0, 4 * SIZE, 4 * CPU_S, 0, 0.0)
    world.clock.forward(seconds=KEPT.total_seconds())
    world.upkeep.remove_unwanted()
    assert shown() == (OnDemandStatus.REMOVED, 0.0, 0, 4 * CPU_S, 4 * SIZE, 0.0)
