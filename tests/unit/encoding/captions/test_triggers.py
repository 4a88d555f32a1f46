"""The functions of automatic captions: a timer begins them, a queue makes their pieces, and the API shows them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap, bootstrap_av1, bootstrap_captions
from functions.encoding import triggers
from functions.encoding.assembly import assemble_captions
from functions.platform.errors import SettingMissing
from functions.platform.messages import MakeCaptions, encode
from functions.platform.resources import Resources
from functions.platform.settings import Settings
from tests.support.api import call
from tests.support.captions_world import CaptionsWorld
from tests.support.owners import AS_OPERATOR, FakeAccess
from tests.support.queues import handle, tick

if TYPE_CHECKING:
    from functions.catalogue.service import Catalogue


class Blobs:
    url = "https://storage.invalid/"


class Nothing:
    def start_due(self) -> int:
        return 0


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> CaptionsWorld:
    """Return a ready title in memory, which the functions use."""
    made = CaptionsWorld()
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap, "encodes", lambda: made.service)
    monkeypatch.setattr(bootstrap, "catalogue", lambda: made.world.catalogue)
    monkeypatch.setattr(bootstrap.resources, "blob_service", Blobs)
    monkeypatch.setattr(bootstrap_av1, "av1", Nothing)
    monkeypatch.setattr(bootstrap_captions, "captions", lambda: made.captions_service)
    monkeypatch.setattr(bootstrap_captions, "captions_steps", lambda: made.captions_pipeline)
    return made


def shown(world: CaptionsWorld) -> object:
    """Return the captions as the API shows them."""
    address = f"/api/jobs/{world.job_id}"
    status, job = call(triggers.get_job, address, headers=AS_OPERATOR, route={"id": world.job_id})
    assert status == 200
    return job["captions"]


def test_the_timer_begins_captions_and_each_message_makes_a_piece(world: CaptionsWorld) -> None:
    assert shown(world) is None
    tick(triggers.start_av1)
    assert world.queues.messages == [MakeCaptions()]
    begun = {"status": "encoding", "language": "en", "cues": 0, "url": None, "reason": None, "cpu_s": 0.0}
    assert shown(world) == begun
    handle(triggers.make_captions, encode(MakeCaptions()))
    url = f"https://storage.invalid/title-{world.title_id}/{world.job_id}/t0.vtt"
    assert shown(world) == {**begun, "status": "complete", "cues": 1, "url": url, "cpu_s": 3.0}


def test_a_dead_letter_is_logged(world: CaptionsWorld, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        handle(triggers.make_captions_poison, encode(MakeCaptions()))
    assert "(captions)" in caplog.text
    assert world.worker.made == []


def test_an_unknown_setting_is_named(monkeypatch: pytest.MonkeyPatch, world: CaptionsWorld) -> None:
    resources = Resources()
    monkeypatch.setattr(resources, "settings", lambda: Settings(storage="", mongo_url="", automatic_captions="yes"))
    monkeypatch.setattr(resources, "mongo_database", lambda: {"encode_jobs": None, "encode_claims": None})
    catalogue: Catalogue = world.world.catalogue
    with pytest.raises(SettingMissing, match=r"AUTOMATIC_CAPTIONS must be never, marked, assumed, not 'yes'\."):
        assemble_captions(resources, catalogue)
