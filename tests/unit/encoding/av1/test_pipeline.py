"""A ready title is encoded in AV1 chunk by chunk; whatever goes wrong, the title stays as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.encoding.av1.rule import Av1Mode
from functions.encoding.av1.service import DECIDE_AGAIN_AFTER, EVERY_TITLE
from functions.encoding.av1_encode import MOST_ATTEMPTS, Av1Status, av1_renditions, av1_step
from functions.encoding.claims import LEASE_S
from functions.encoding.later_pipeline import REPLACED, STOPPED
from functions.encoding.lifecycle import VERIFY_AFTER
from functions.encoding.losses import Loss
from functions.encoding.model import JobStatus, SourceRef
from functions.encoding.spending.costs import replica_microusd
from functions.platform.errors import EncodeFault, SourceRefused, StoreUnavailable
from functions.platform.messages import EncodeAv1, PublishTitle
from tests.support.av1_world import SIZE, Av1World
from tests.support.encoding_plans import make_job


@pytest.fixture
def world() -> Av1World:
    return Av1World()


def test_a_ready_title_is_encoded_and_listed_once_all_chunks_are_stored(world: Av1World) -> None:
    begun = world.begin()
    assert (begun.status, begun.reason) == (Av1Status.ENCODING, EVERY_TITLE)
    assert world.waiting == 4
    encode = world.run_all()
    assert world.av1_worker.encoded == [0, 1, 2, 3]
    assert (encode.status, encode.size, encode.edition) == (Av1Status.COMPLETE, 4 * SIZE, 1)
    assert world.crew.listed
    assert (world.crew.listed.status, world.crew.listed.edition) == (Av1Status.COMPLETE, 1)
    job = world.jobs.get_job(world.job_id)
    assert (job.status, job.verify_at, job.verify_repairs) == (JobStatus.READY, world.clock() + VERIFY_AFTER, True)
    progress = world.service.progress(world.job_id)
    assert progress
    assert progress.av1
    assert (progress.av1.percent, progress.av1.size) == (100.0, 4 * SIZE)
    assert world.av1_service.start_due() == 0
    assert world.waiting == 0


def test_never_means_never_even_for_an_encode_that_was_begun(world: Av1World) -> None:
    never = Av1World(Av1Mode.NEVER)
    assert never.av1_service.start_due() == 0
    assert never.encode is None
    world.begin()
    world.av1_pipeline_with(Av1Mode.NEVER).run_next()
    assert world.av1_service_with(Av1Mode.NEVER).start_due() == 0
    assert world.av1_worker.encoded == []


def test_by_rule_a_title_is_encoded_once_it_has_been_watched_enough() -> None:
    world = Av1World(Av1Mode.RULE)
    world.watched_min[world.title_id] = 5
    assert world.av1_service.start_due() == 0
    world.watched_min[world.title_id] = 60 * 10_000
    assert world.av1_service.start_due() == 0, "it was considered a moment ago"
    world.clock.forward(seconds=DECIDE_AGAIN_AFTER.total_seconds())
    assert world.av1_service.start_due() == 4
    assert world.encode
    assert "10000 h" in world.encode.reason


def test_encrypted_title_is_encoded_too(world: Av1World) -> None:
    world.jobs.put_job(replace(world.jobs.get_job(world.job_id), key_id="0" * 32))
    world.begin()
    assert world.run_all().status is Av1Status.COMPLETE


def test_renditions_that_are_too_small_for_the_encoder_are_left_out(world: Av1World) -> None:
    job = world.jobs.get_job(world.job_id)
    assert job.plan
    small = replace(job.plan.renditions[-1], name="v36", width=64, height=36)
    best = job.plan.renditions[0]
    assert [each.name for each in av1_renditions(replace(job.plan, renditions=(best, small)))] == [f"a{best.name}"]
    world.jobs.put_job(replace(job, plan=replace(job.plan, renditions=(small,))))
    assert world.av1_service.start_due() == 0
    assert world.encode is None


def test_films_come_first(world: Av1World) -> None:
    world.begin()
    world.jobs.add_job(make_job("fedcba987654", upload=SourceRef("uploads", "other.mkv"), title_id="other-1a2b3c"))
    world.av1_pipeline.run_next()
    assert world.av1_worker.encoded == []
    world.queues.sent.clear()
    assert world.av1_service.start_due() == 0
    world.jobs.set_status("fedcba987654", JobStatus.FAILED)
    assert world.av1_service.start_due() == 4
    assert world.run_all().status is Av1Status.COMPLETE


def test_lost_messages_are_sent_again_for_chunks_that_nobody_encodes(world: Av1World) -> None:
    world.begin()
    world.queues.sent.clear()
    world.queues.waiting = {EncodeAv1.QUEUE}
    assert world.av1_service.start_due() == 0
    world.queues.waiting = set()
    other = world.encoder()
    other.take(world.job_id, av1_step(0))
    assert world.av1_service.start_due() == 3
    world.queues.sent.pop()
    world.av1_pipeline.run_next()
    assert world.av1_worker.encoded == [1]


def test_the_chunk_of_a_killed_encoder_is_encoded_by_another(world: Av1World) -> None:
    world.begin()
    world.av1_worker.troubles = [SystemExit()]
    with pytest.raises(SystemExit):
        world.av1_pipeline.run_next()
    world.clock.forward(seconds=LEASE_S + 1)
    world.service.repair_jobs()
    encode = world.run_all()
    assert encode.status is Av1Status.COMPLETE
    assert encode.attempts == {}


def test_an_encoder_that_lost_its_claim_records_nothing(world: Av1World) -> None:
    world.begin()
    other = world.encoder()

    def overtake() -> None:
        world.clock.forward(seconds=LEASE_S + 1)
        other.take(world.job_id, av1_step(0))

    world.av1_worker.during = overtake
    world.av1_pipeline.run_next()
    assert world.encode
    assert world.encode.done == frozenset()


def test_a_chunk_that_keeps_failing_ends_the_encode_and_not_the_title(world: Av1World) -> None:
    world.begin()
    for _ in range(MOST_ATTEMPTS - 1):
        world.av1_worker.troubles = [EncodeFault("Chunk 0 could not be encoded in AV1.")]
        with pytest.raises(EncodeFault):
            world.av1_pipeline.run_next()
    world.av1_worker.troubles = [EncodeFault("Chunk 0 could not be encoded in AV1.")]
    world.av1_pipeline.run_next()
    assert world.encode
    assert (world.encode.status, world.encode.reason) == (
        Av1Status.ABANDONED,
        "Chunk 0 could not be encoded in AV1.",
    )
    assert world.jobs.get_job(world.job_id).status is JobStatus.READY
    assert world.title.watchable
    assert world.run_all().status is Av1Status.ABANDONED


def test_a_chunk_that_kills_its_encoder_each_time_ends_the_encode(world: Av1World) -> None:
    world.begin()
    for _ in range(MOST_ATTEMPTS):
        world.av1_worker.troubles = [SystemExit()]
        with pytest.raises(SystemExit):
            world.av1_pipeline.run_next()
    world.av1_pipeline.run_next()
    assert world.encode
    assert (world.encode.status, world.encode.reason) == (Av1Status.ABANDONED, STOPPED)


def test_a_store_that_is_away_does_not_count_as_an_attempt(world: Av1World) -> None:
    world.begin()
    for _ in range(2 * MOST_ATTEMPTS):
        world.av1_worker.troubles = [StoreUnavailable("Storage does not answer.")]
        with pytest.raises(StoreUnavailable):
            world.av1_pipeline.run_next()
    assert world.run_all().status is Av1Status.COMPLETE


def test_a_source_that_is_gone_ends_the_encode_at_once(world: Av1World) -> None:
    world.begin()
    world.av1_worker.troubles = [SourceRefused("The upload is no longer in storage.")]
    world.av1_pipeline.run_next()
    assert world.encode
    assert (world.encode.status, world.encode.reason) == (Av1Status.ABANDONED, "The upload is no longer in storage.")


def test_a_remuxed_copy_is_made_again_and_deleted_in_the_end(world: Av1World) -> None:
    world.begin()
    world.crew.copied = False
    world.crew.discarded.clear()
    world.run_all()
    assert set(world.crew.restored) == {world.job_id}
    assert world.crew.discarded == [world.job_id]


def test_what_storage_lost_before_the_end_is_encoded_again(world: Av1World) -> None:
    world.begin()
    world.crew.lost = Loss(av1=frozenset({2}), files=frozenset({"av360/s00005.m4s"}))
    encode = world.run_all()
    assert world.av1_worker.encoded == [0, 1, 2, 3, 2]
    assert (encode.status, encode.size) == (Av1Status.COMPLETE, 4 * SIZE)


def test_an_encode_whose_last_encoder_was_killed_before_listing_it_is_listed(world: Av1World) -> None:
    world.begin()
    for _ in range(3):
        world.queues.sent.pop()
        world.av1_pipeline.run_next()
    world.crew.troubles = []
    listed = world.crew.publish_again
    world.crew.publish_again = lambda job: (_ for _ in ()).throw(SystemExit())  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        world.av1_pipeline.run_next()
    world.crew.publish_again = listed  # type: ignore[method-assign]
    world.queues.sent.clear()
    assert world.av1_service.start_due() == 1
    assert world.run_all().status is Av1Status.COMPLETE


def test_a_verification_that_misses_a_file_takes_av1_off_the_manifests_until_it_is_whole(world: Av1World) -> None:
    world.begin()
    world.run_all()
    world.jobs.schedule_verification(world.job_id, at=world.clock(), repair=True)
    world.crew.lost = Loss(av1=frozenset({1}), files=frozenset({"av360/s00002.m4s"}))
    world.run(PublishTitle(world.job_id, verify=True))
    assert world.encode
    assert (world.encode.status, world.encode.edition) == (Av1Status.ENCODING, 2)
    assert world.crew.listed == world.encode
    job = world.jobs.get_job(world.job_id)
    assert job.status is JobStatus.READY
    assert job.verified
    assert not job.verified.damaged
    assert world.av1_service.start_due() == 1
    assert world.run_all().edition == 3


def test_a_withdrawn_title_is_not_encoded_any_further(world: Av1World) -> None:
    world.begin()
    world.world.catalogue.withdraw_title(world.title_id)
    world.av1_pipeline.run_next()
    assert world.encode
    assert (world.encode.status, world.encode.reason) == (Av1Status.ABANDONED, REPLACED)
    assert world.av1_worker.encoded == []


def test_a_chunk_that_was_encoded_while_a_newer_version_arrived_is_not_used(world: Av1World) -> None:
    world.begin()

    def upload() -> None:
        world.upload(etag="0x2")

    world.av1_worker.during = upload
    world.av1_pipeline.run_next()
    assert world.encode
    assert (world.encode.status, world.encode.reason) == (Av1Status.ABANDONED, REPLACED)
    assert world.encode.done == frozenset(), "the chunk may show the newer upload"


def test_the_limit_of_the_month_holds_for_av1_too() -> None:
    world = Av1World(limit_usd=1)
    assert world.av1_service.start_due() == 4
    world.spending.months = dict.fromkeys(world.spending.months or [world.clock().strftime("%Y-%m")], 1e9)
    world.av1_pipeline.run_next()
    assert world.av1_worker.encoded == []
    poor = Av1World(limit_usd=1)
    poor.spending.months[poor.clock().strftime("%Y-%m")] = 1e9
    assert poor.av1_service.start_due() == 0
    assert poor.encode is None


def test_what_av1_costs_is_part_of_the_cost_of_the_job(world: Av1World) -> None:
    world.begin()
    before = world.jobs.replica_s.get(world.job_id, 0.0)

    def work() -> None:
        world.ticks += 100.0

    world.av1_worker.during = work
    world.run_all()
    assert replica_microusd(world.jobs.replica_s[world.job_id] - before) >= replica_microusd(400)
