"""The functions of encodes in AV1: a timer begins them, a queue makes their chunks, and the API shows them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap, bootstrap_av1, bootstrap_captions
from functions.encoding import triggers
from functions.encoding.assembly import assemble_av1
from functions.platform.errors import SettingMissing
from functions.platform.messages import EncodeAv1, encode
from functions.platform.resources import Resources
from functions.platform.settings import Settings
from tests.support.api import call
from tests.support.av1_world import SIZE, Av1World
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
def world(monkeypatch: pytest.MonkeyPatch) -> Av1World:
    """Return a ready title in memory, which the functions use."""
    made = Av1World()
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap, "encodes", lambda: made.service)
    monkeypatch.setattr(bootstrap, "catalogue", lambda: made.world.catalogue)
    monkeypatch.setattr(bootstrap.resources, "blob_service", Blobs)
    monkeypatch.setattr(bootstrap_captions, "captions", Nothing)
    monkeypatch.setattr(bootstrap_av1, "av1", lambda: made.av1_service)
    monkeypatch.setattr(bootstrap_av1, "av1_steps", lambda: made.av1_pipeline)
    return made


def shown(world: Av1World) -> object:
    """Return the encode in AV1 as the API shows it."""
    address = f"/api/jobs/{world.job_id}"
    status, job = call(triggers.get_job, address, headers=AS_OPERATOR, route={"id": world.job_id})
    assert status == 200
    return job["av1"]


def test_the_timer_begins_an_encode_and_each_message_makes_a_chunk(world: Av1World) -> None:
    assert shown(world) is None
    tick(triggers.start_av1)
    assert world.queues.messages == [EncodeAv1()] * 4
    for message in world.queues.messages[:2]:
        handle(triggers.encode_av1, encode(message))
    assert shown(world) == {
        "status": "encoding",
        "reason": "Every title is encoded in AV1 too.",
        "percent": 50.0,
        "size": 2 * SIZE,
        "cpu_s": 6.0,
    }


def test_a_dead_letter_is_logged(world: Av1World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        handle(triggers.encode_av1_poison, encode(EncodeAv1()))
    assert "(av1)" in caplog.text
    assert world.av1_worker.encoded == []


def test_an_unknown_setting_is_named(monkeypatch: pytest.MonkeyPatch, world: Av1World) -> None:
    resources = Resources()
    monkeypatch.setattr(resources, "settings", lambda: Settings(storage="", mongo_url="", encode_av1="sometimes"))
    monkeypatch.setattr(resources, "mongo_database", lambda: {"encode_jobs": None, "encode_claims": None})
    catalogue: Catalogue = world.world.catalogue
    with pytest.raises(SettingMissing, match=r"ENCODE_AV1 must be never, always, rule, not 'sometimes'\."):
        assemble_av1(resources, catalogue, lambda _: 0)
