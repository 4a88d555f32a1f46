"""The functions that find intros: a timer requests comparisons, a queue makes them, and the API shows the result."""

from __future__ import annotations

import logging

import pytest

from functions import bootstrap, bootstrap_intros
from functions.encoding import triggers
from functions.encoding.assembly import assemble_intros
from functions.platform.errors import SettingMissing
from functions.platform.messages import FindIntros, encode
from functions.platform.resources import Resources
from functions.platform.settings import Settings
from tests.support.api import call
from tests.support.later_work import nothing_else_is_due
from tests.support.owners import AS_OPERATOR, FakeAccess
from tests.support.queues import handle, tick
from tests.unit.encoding.intros.test_pipeline import Season


class Blobs:
    url = "https://storage.invalid/"


@pytest.fixture
def season(monkeypatch: pytest.MonkeyPatch) -> Season:
    """Return two episodes in memory, which the functions use."""
    made = Season()
    made.add(1)
    made.add(2)
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    nothing_else_is_due(monkeypatch)
    monkeypatch.setattr(bootstrap, "encodes", lambda: made.service)
    monkeypatch.setattr(bootstrap, "catalogue", lambda: made.world.catalogue)
    monkeypatch.setattr(bootstrap.resources, "blob_service", Blobs)
    monkeypatch.setattr(bootstrap_intros, "intros", lambda: made.intros.service)
    monkeypatch.setattr(bootstrap_intros, "intro_steps", lambda: made.intros.pipeline)
    return made


def test_the_timer_requests_comparisons_and_the_owner_sees_what_was_found(season: Season) -> None:
    tick(triggers.start_later_work)
    assert season.queues.messages == [FindIntros("000001000001"), FindIntros("000001000002")]
    for message in season.queues.messages:
        handle(triggers.compare_sound, encode(message))
    address = "/api/jobs/000001000001"
    status, job = call(triggers.get_job, address, headers=AS_OPERATOR, route={"id": "000001000001"})
    assert status == 200
    (part,) = job["skippable"]
    assert part["kind"] == "intro"
    assert [part["start_s"], part["end_s"]] == pytest.approx([10, 50], abs=1.2)


def test_a_dead_letter_is_logged(season: Season, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        handle(triggers.compare_sound_poison, encode(FindIntros("000001000001")))
    assert "000001000001 was delivered too often" in caplog.text
    assert season.sounds.read == []


def test_an_unknown_setting_is_named(monkeypatch: pytest.MonkeyPatch, season: Season) -> None:
    resources = Resources()
    monkeypatch.setattr(resources, "settings", lambda: Settings(storage="", mongo_url="", find_intros="sometimes"))
    collections = dict.fromkeys(("encode_jobs", "encode_limit", "encode_months"))
    monkeypatch.setattr(resources, "mongo_database", lambda: collections)
    with pytest.raises(SettingMissing, match=r"FIND_INTROS must be always or never, not 'sometimes'\."):
        assemble_intros(resources, season.world.catalogue)
