"""The owner's view of one person: found by address, with access and subscription; only owners may see it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from functions import bootstrap, bootstrap_studio
from functions.billing.model import Entitlement
from functions.people import triggers
from functions.people.service import People
from tests.support.account_world import World
from tests.support.api import call
from tests.support.billing import ModelledBilling
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions
from tests.support.clock import NOON
from tests.support.owners import AS_ADMINISTRATOR, AS_VIEWER, FakeAccess
from tests.support.queues import MemoryQueues

if TYPE_CHECKING:
    from functions.platform.viewer import Viewer


class Granted:
    """Entitles every viewer by a grant."""

    def of(self, viewer: Viewer) -> Entitlement:
        del viewer
        return Entitlement(True, "grant", NOON)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Serve accounts and billing in memory."""
    made, billing = World(), ModelledBilling(MemorySubscriptions(), MemoryPayments())
    people = People(made.accounts, Granted(), billing.subscriptions)
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap_studio, "people", lambda: people)
    resources = SimpleNamespace(now=made.clock, interactive_queues=MemoryQueues)
    monkeypatch.setattr(bootstrap, "resources", resources)
    return made


def find(email: str, headers: dict[str, str] = AS_ADMINISTRATOR) -> tuple[int, Any]:
    return call(triggers.find_person, "people/search", body={"email": email}, headers=headers)


def test_a_person_is_found_by_address(world: World) -> None:
    viewer = world.confirmed_member()
    status, person = find(viewer.email)
    assert (status, person["user_id"], person["confirmed"]) == (200, viewer.user_id, True)
    assert person["entitlement"] == {"entitled": True, "reason": "grant", "until": "2026-11-24T12:00:00Z"}
    assert person["subscription"]["state"] == "none"
    assert find("nobody@example.org")[0] == 404
    assert find("x")[0] == 422


def test_a_viewer_finds_nobody_and_changes_nothing(world: World) -> None:
    viewer = world.confirmed_member()
    assert find(viewer.email, AS_VIEWER)[0] == 403
    for function in (triggers.end_sessions, triggers.erase_person):
        assert call(function, "people/x", route={"id": viewer.user_id}, headers=AS_VIEWER)[0] == 403
    assert find(viewer.email)[0] == 200


def test_a_person_is_logged_out_and_erased(world: World) -> None:
    viewer = world.confirmed_member()
    route = {"id": viewer.user_id}
    assert call(triggers.end_sessions, "people/x/sessions", route=route, headers=AS_ADMINISTRATOR)[0] == 204
    assert call(triggers.erase_person, "people/x", route=route, headers=AS_ADMINISTRATOR)[0] == 204
    assert find(viewer.email)[0] == 404
