"""An encode that has ended is listed, or listed no more, whatever stops the encoder that records it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.encoding.av1_encode import Av1Status
from functions.encoding.later_pipeline import REPLACED
from functions.encoding.losses import Loss
from functions.encoding.on_demand_encode import REMOVED_KEPT, OnDemandStatus
from functions.encoding.steps import RETRY_S
from functions.platform.errors import SourceRefused, StoreUnavailable
from functions.platform.messages import PublishTitle
from tests.support.av1_world import Av1World
from tests.support.on_demand_world import OnDemandWorld

if TYPE_CHECKING:
    from collections.abc import Callable

AWAY = StoreUnavailable("Storage does not answer.")
GONE = SourceRefused("The upload is no longer in storage.")


@pytest.fixture
def world() -> OnDemandWorld:
    return OnDemandWorld()


def fails_once(monkeypatch: pytest.MonkeyPatch, owner: object, method: str, error: BaseException) -> None:
    """Let the next call of a method raise an error, and do nothing."""
    before: Callable[..., Any] = getattr(owner, method)

    def failing(*arguments: object, **named: object) -> object:
        monkeypatch.setattr(owner, method, before)
        raise error

    monkeypatch.setattr(owner, method, failing)


def lose_a_chunk(world: OnDemandWorld, monkeypatch: pytest.MonkeyPatch, *, times: int = 1) -> None:
    """Make the renditions; a verification finds that a file is lost, and is stopped before it writes manifests."""
    world.open_title()
    world.run_all()
    world.clock.forward(seconds=31)
    world.service.verify_due()
    world.queues.sent.clear()
    for _ in range(times):
        world.crew.lost = Loss(on_demand=frozenset({1}), files=frozenset({"v540/s00003.m4s"}))
        fails_once(monkeypatch, world.crew, "publish_again", AWAY)
        with pytest.raises(StoreUnavailable):
            world.run(PublishTitle(world.job_id, verify=True))


def test_manifests_cease_to_list_an_encode_that_is_given_up_after_its_loss_was_recorded_without_them(
    world: OnDemandWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_a_chunk(world, monkeypatch)
    assert world.listed == (OnDemandStatus.COMPLETE, 1), "not what the job says"
    world.upkeep.request_steps()
    world.worker.troubles = [GONE]
    world.run_next()
    assert world.encode.status is OnDemandStatus.ABANDONED
    assert world.listed == (OnDemandStatus.ABANDONED, world.encode.edition)
    due = world.jobs.sweeps[world.job_id]
    assert due
    assert due <= world.clock() + REMOVED_KEPT


def test_files_of_an_encode_that_was_given_up_are_kept_until_manifests_cease_to_list_it(
    world: OnDemandWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_a_chunk(world, monkeypatch)
    world.upkeep.request_steps()
    world.worker.troubles = [GONE]
    fails_once(monkeypatch, world.crew, "publish_again", SystemExit())
    with pytest.raises(SystemExit):
        world.run_next()
    assert (world.encode.status, world.encode.expires_at) == (OnDemandStatus.ABANDONED, None)
    assert world.listed == (OnDemandStatus.COMPLETE, 1)
    world.clock.forward(seconds=3600)
    world.open_title()
    assert world.upkeep.request_steps() == 1, "nobody begins it again before"
    world.run_all()
    assert world.listed == (OnDemandStatus.ABANDONED, world.encode.edition)
    assert world.encode.expires_at == world.clock() + REMOVED_KEPT
    assert world.upkeep.request_steps() == 0


def test_an_encode_whose_encoder_was_killed_at_its_end_is_listed_although_a_newer_upload_arrived(
    world: OnDemandWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.open_title()
    fails_once(monkeypatch, world.crew, "publish_again", SystemExit())
    with pytest.raises(SystemExit):
        world.run_all()
    world.queues.sent.clear()
    world.upload("0x2")
    world.upkeep.request_steps()
    encode = world.run_all()
    assert world.listed == (encode.status, encode.edition) == (OnDemandStatus.COMPLETE, 1)
    assert world.jobs.get_job(world.job_id).verify_repairs


@pytest.mark.parametrize("ended", ["complete_encode", "end_encode"])
def test_what_manifests_list_is_what_the_job_says_wherever_the_last_encoder_is_killed(
    world: OnDemandWorld, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    world.open_title()
    fails_once(monkeypatch, world.on_demand, ended, SystemExit())
    with pytest.raises(SystemExit):
        world.run_all()
    world.queues.sent.clear()
    assert (world.listed is not None) is (world.encode.status is OnDemandStatus.COMPLETE)
    world.upload("0x2")
    world.upkeep.request_steps()
    encode = world.run_all()
    assert world.listed == (encode.status, encode.edition)
    assert encode.status is (OnDemandStatus.ABANDONED if ended == "complete_encode" else OnDemandStatus.COMPLETE)
    assert encode.reason == (REPLACED if ended == "complete_encode" else None)


def test_nothing_is_written_for_an_encode_of_a_title_that_was_withdrawn(world: OnDemandWorld) -> None:
    """Its files are deleted by then."""
    world.open_title()
    world.world.catalogue.withdraw_title(world.title_id)
    world.run_next()
    assert world.encode.status is OnDemandStatus.ABANDONED
    assert world.listed is None


def test_two_encodes_that_end_at_the_same_time_are_both_listed(
    world: OnDemandWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifests are written from what is stored, so whoever ends last lists both."""
    world.open_title()
    complete = world.on_demand.complete_encode

    def meanwhile(job_id: str, *, chunks: int) -> object:
        world.av1.begin_encode(job_id, at=world.clock(), reason="Every title is encoded in AV1 too.")
        return complete(job_id, chunks=chunks)

    monkeypatch.setattr(world.on_demand, "complete_encode", meanwhile)
    world.run_all()
    assert world.crew.listed == world.jobs.get_job(world.job_id).av1


def test_manifests_list_av1_no_more_once_it_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Av1World()
    world.begin()
    world.run_all()
    world.jobs.schedule_verification(world.job_id, at=world.clock(), repair=True)
    world.crew.lost = Loss(av1=frozenset({1}), files=frozenset({"av360/s00002.m4s"}))
    fails_once(monkeypatch, world.crew, "publish_again", AWAY)
    with pytest.raises(StoreUnavailable):
        world.run(PublishTitle(world.job_id, verify=True))
    assert world.crew.listed
    assert world.crew.listed.status is Av1Status.COMPLETE
    world.av1_service.start_due()
    world.av1_worker.troubles = [GONE]
    world.run_all()
    assert world.encode
    assert (world.crew.listed.status, world.crew.listed.edition) == (Av1Status.ABANDONED, world.encode.edition)
    due = world.jobs.sweeps[world.job_id]
    assert due
    assert due <= world.clock() + REMOVED_KEPT


def test_manifests_that_an_interrupted_verification_left_are_corrected_by_the_next_one(
    world: OnDemandWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The title stays as it is meanwhile."""
    lose_a_chunk(world, monkeypatch)
    world.clock.forward(seconds=RETRY_S)
    listing = frozenset({"manifest.mpd", "master.m3u8"})
    world.crew.lost = Loss(manifests=listing, files=listing)
    world.run(PublishTitle(world.job_id, verify=True))
    assert world.listed == (OnDemandStatus.ENCODING, 2)
    job = world.jobs.get_job(world.job_id)
    assert job.is_open is False
    assert job.verified
    assert not job.verified.damaged
    assert world.title.watchable


def test_an_encode_whose_copy_of_the_upload_was_deleted_meanwhile_is_tried_again(world: OnDemandWorld) -> None:
    world.open_title()

    def deleted() -> None:
        world.crew.copied = False

    world.worker.during = deleted
    world.worker.troubles = [GONE]
    with pytest.raises(SourceRefused):
        world.run_next()
    assert world.encode.status is OnDemandStatus.ENCODING
    world.worker.during = lambda: None
    world.upkeep.request_steps()
    assert world.run_all().status is OnDemandStatus.COMPLETE
    assert world.job_id in world.crew.restored
