"""The functions of renditions on demand: a queue makes chunks, a timer keeps order, and the API shows what is saved."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from functions import bootstrap, bootstrap_renditions
from functions.encoding import triggers
from functions.encoding.assembly import assemble_demand, assemble_rendition_steps, assemble_renditions
from functions.platform.messages import EncodeRenditions, encode
from functions.platform.resources import Resources
from functions.platform.settings import Settings
from tests.support.api import call
from tests.support.on_demand_world import CPU_S, KEPT_DAYS, SIZE, OnDemandWorld
from tests.support.owners import AS_OPERATOR, FakeAccess
from tests.support.queues import handle, tick

STORAGE = (
    "DefaultEndpointsProtocol=http;AccountName=films;AccountKey=a2V5;"
    "BlobEndpoint=http://127.0.0.1:1/films;QueueEndpoint=http://127.0.0.1:1/films;"
)


class Blobs:
    url = "https://storage.invalid/"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> OnDemandWorld:
    """Return a ready title in memory, which the functions use."""
    made = OnDemandWorld()
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap, "encodes", lambda: made.service)
    monkeypatch.setattr(bootstrap, "catalogue", lambda: made.world.catalogue)
    monkeypatch.setattr(bootstrap.resources, "blob_service", Blobs)
    monkeypatch.setattr(bootstrap_renditions, "renditions", lambda: made.upkeep)
    monkeypatch.setattr(bootstrap_renditions, "rendition_steps", lambda: made.on_demand_pipeline)
    return made


def shown(world: OnDemandWorld) -> dict[str, Any]:
    """Return the renditions on demand as the API shows them."""
    address = f"/api/jobs/{world.job_id}"
    status, job = call(triggers.get_job, address, headers=AS_OPERATOR, route={"id": world.job_id})
    assert status == 200
    found: dict[str, Any] = job["on_demand"]
    return found


def test_messages_make_what_viewers_want_and_the_timer_removes_what_nobody_wants(world: OnDemandWorld) -> None:
    before = shown(world)
    assert (before["status"], before["renditions"], before["size"]) == (None, ["v540"], 0)
    assert before["saved_size"] > 0
    assert before["saved_cpu_s"] > 0
    world.open_title()
    handle(triggers.encode_renditions, encode(EncodeRenditions(begins=world.job_id)))
    world.queues.sent.clear()
    tick(triggers.sweep_titles)
    assert world.queues.messages == [EncodeRenditions()] * 3
    assert shown(world) == {
        "renditions": ["v540"],
        "status": "encoding",
        "reason": None,
        "percent": 25.0,
        "size": SIZE,
        "cpu_s": CPU_S,
        "saved_size": 0,
        "saved_cpu_s": 0.0,
    }
    for message in world.queues.messages:
        handle(triggers.encode_renditions, encode(message))
    assert shown(world)["status"] == "complete"
    world.clock.forward(seconds=KEPT_DAYS * 86_400)
    tick(triggers.sweep_titles)
    after = shown(world)
    assert (after["status"], after["size"], after["saved_size"]) == ("removed", 0, 4 * SIZE)


def test_a_dead_letter_is_logged(world: OnDemandWorld, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        handle(triggers.encode_renditions_poison, encode(EncodeRenditions()))
    assert "on demand" in caplog.text
    assert world.worker.encoded == []


def test_the_services_are_assembled_without_a_connection(monkeypatch: pytest.MonkeyPatch, world: OnDemandWorld) -> None:
    resources = Resources()
    settings = Settings(storage=STORAGE, mongo_url="mongodb://127.0.0.1:1/", renditions_kept_days=7)
    monkeypatch.setattr(resources, "settings", lambda: settings)
    catalogue = world.world.catalogue
    try:
        assert assemble_rendition_steps(resources, catalogue)
        assert assemble_renditions(resources, catalogue)
        assert assemble_demand(resources, lambda user_id: True)
    finally:
        resources.close()
