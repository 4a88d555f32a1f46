"""The sweep deletes the copies of uploads that no encode reads any more, whatever stopped the encoder that had to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.encoding.model import copy_of
from functions.encoding.upkeep.retention import FAILED_KEPT, REPLACED_KEPT
from functions.platform.errors import StoreUnavailable
from functions.platform.identifiers import INTERMEDIATES, container_for
from functions.platform.messages import PublishTitle
from tests.support.av1_world import Av1World
from tests.support.catalogue import make_playback

if TYPE_CHECKING:
    from tests.support.encoding_world import EncodeWorld

HOUR = timedelta(hours=1)


def with_copy(world: EncodeWorld, job_id: str) -> None:
    """Store a copy of the upload of a job."""
    copy = copy_of(job_id)
    world.folders.files.setdefault(copy.container, set()).add(copy.blob)


def copies(world: EncodeWorld, *, after: timedelta = timedelta()) -> set[str]:
    """Let the sweep run each hour; return the copies that are left."""
    for _ in range(max(1, after // HOUR)):
        world.clock.forward(seconds=min(after, HOUR).total_seconds())
        world.service.sweep_due()
    return world.folders.files[INTERMEDIATES]


def test_copy_is_deleted_although_the_first_attempt_failed_after_the_film_was_complete(
    encode: EncodeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = encode.planned()
    with_copy(encode, job_id)
    encode.complete_parts(job_id)
    encode.world.catalogue.mark_playable(encode.title_id, make_playback(job_id), complete=True)

    def away(*_: object) -> None:
        raise StoreUnavailable("Storage does not answer.")

    monkeypatch.setattr(encode.crew, "discard_intermediate", away)
    with pytest.raises(StoreUnavailable):
        encode.run(PublishTitle(job_id))
    assert encode.run(PublishTitle(job_id)) is None
    assert copies(encode, after=REPLACED_KEPT + HOUR) == set()


def test_copy_of_a_film_that_is_being_encoded_is_kept(encode: EncodeWorld) -> None:
    failed = encode.planned()
    encode.lifecycle.fail(encode.jobs.get_job(failed), "It is cut off.")
    job_id = encode.upload("0x2")
    with_copy(encode, job_id)
    assert copies(encode, after=10 * FAILED_KEPT) == {f"{job_id}/source.mkv"}


def test_copy_of_a_failed_film_is_kept_for_a_retry(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    with_copy(encode, job_id)
    encode.lifecycle.fail(encode.jobs.get_job(job_id), "It is cut off.")
    assert copies(encode, after=FAILED_KEPT - HOUR)
    assert copies(encode, after=2 * HOUR) == set()


def test_copies_of_a_withdrawn_title_and_of_replaced_films_are_deleted(encode: EncodeWorld) -> None:
    for etag in ("0x1", "0x2"):
        with_copy(encode, encode.upload(etag))
    encode.world.catalogue.withdraw_title(encode.title_id)
    encode.service.end_withdrawn(encode.title_id)
    assert copies(encode) == set()


def test_copy_is_kept_while_the_title_is_encoded_in_av1() -> None:
    world = Av1World()
    world.begin()
    with_copy(world, world.job_id)
    assert copies(world, after=3 * REPLACED_KEPT)
    world.run_all()
    assert copies(world, after=REPLACED_KEPT + HOUR) == set()


def test_copy_that_an_earlier_version_stored_where_viewers_can_read_it_is_deleted(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    files = encode.folders.files.setdefault(container_for(encode.title_id), set())
    files |= {f"{job_id}/source.mkv", f"{job_id}/v360/init.mp4"}
    with_copy(encode, "another-job")
    encode.complete(job_id)
    assert copies(encode, after=REPLACED_KEPT + HOUR) == {"another-job/source.mkv"}, "it belongs to another title"
    assert files == {f"{job_id}/v360/init.mp4"}
