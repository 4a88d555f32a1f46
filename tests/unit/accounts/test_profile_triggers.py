"""The routes of profiles: every answer is documented, and the profile of a session decides what it reads and plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import bootstrap
from functions.accounts import profile_triggers, triggers
from functions.accounts.access import AccountAccess
from functions.accounts.admin_auth import AdminAuth
from functions.platform.settings import Settings
from functions.usage import triggers as usage_triggers
from tests.support.account_world import World
from tests.support.accounts import OTHER_PASSWORD, PASSWORD
from tests.support.api import call
from tests.support.owners import OPERATOR_KEY
from tests.support.usage import Cinema

if TYPE_CHECKING:
    from functions.platform.viewer import Viewer

KID = {"name": "Mia", "colour": "mint", "age_limit": 9, "password": PASSWORD}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(bootstrap.resources, "settings", lambda: Settings(storage="", mongo_url=""))
    monkeypatch.setattr(bootstrap, "accounts", lambda: made.accounts)
    monkeypatch.setattr(bootstrap, "entitlements", lambda: pytest.fail("not asked"))
    access = AccountAccess(made.accounts.session, AdminAuth(OPERATOR_KEY, made.accounts.administrator))
    monkeypatch.setattr(bootstrap, "access", lambda: access)
    return made


class Device:
    """A device on which a viewer is logged in."""

    def __init__(self, world: World, viewer: Viewer) -> None:
        self.user_id = viewer.user_id
        given = {"email": viewer.email, "password": PASSWORD}
        _, session = call(triggers.log_in, "sessions", body=given)
        self._headers = {"Authorization": f"Bearer {session['token']}"}

    def ask(self, function: Any, address: str, body: object = None) -> tuple[int, Any]:
        """Call a route in this session."""
        route = {"id": address.partition("?")[0].rpartition("/")[2]}
        return call(function, address, body=body, route=route, headers=self._headers)

    def list_profiles(self) -> Any:
        return self.ask(profile_triggers.list_profiles, "profiles")[1]

    def add(self, **changes: object) -> tuple[int, Any]:
        return self.ask(profile_triggers.add_profile, "profiles", {**KID, **changes})

    def choose(self, profile_id: str, **pin: str) -> tuple[int, Any]:
        return self.ask(profile_triggers.choose_profile, "sessions/profile", {"profile_id": profile_id, **pin})


@pytest.fixture
def device(world: World) -> Device:
    return Device(world, world.confirmed_member())


def test_the_life_of_a_profile(device: Device) -> None:
    own = device.user_id
    alone = {"id": own, "name": "", "colour": "coral", "age_limit": None, "locked": False, "own": True}
    assert device.list_profiles() == {"profiles": [alone], "current": own, "most": 5}
    status, kid = device.add()
    assert status == 201
    assert kid == {"id": kid["id"], "name": "Mia", "colour": "mint", "age_limit": 9, "locked": False, "own": False}
    assert device.choose(kid["id"]) == (200, kid)
    assert device.list_profiles()["current"] == kid["id"]
    changed = {"name": "Mia M.", "colour": "sky", "pin": "1234", "password": PASSWORD}
    status, edited = device.ask(profile_triggers.edit_profile, f"profiles/{kid['id']}", changed)
    assert (status, edited["age_limit"], edited["locked"]) == (200, None, True)
    address = f"profiles/{kid['id']}"
    assert device.ask(profile_triggers.delete_profile, address, {"password": PASSWORD})[0] == 204
    assert device.list_profiles() == {"profiles": [alone], "current": own, "most": 5}
    assert device.choose(kid["id"])[0] == 404


def test_refusals_have_a_clear_code(device: Device) -> None:
    own, (_, kid) = device.user_id, device.add()
    locked = {"name": "Alex", "colour": "sky", "pin": "4711", "password": PASSWORD}
    assert device.ask(profile_triggers.edit_profile, f"profiles/{own}", locked)[0] == 200
    device.choose(kid["id"])
    for pin, code in (({}, "pin_required"), ({"pin": "0000"}, "wrong_pin")):
        status, said = device.choose(own, **pin)
        assert (status, said["error"]) == (403, code)
    status, said = device.add(password=OTHER_PASSWORD)
    assert (status, said["error"]) == (403, "wrong_password")
    status, said = device.add(password=None, own_pin="0000")
    assert (status, said["error"]) == (403, "wrong_pin")
    assert device.add(password=None, own_pin="4711")[0] == 201
    assert device.choose(own, pin="4711")[0] == 200


@pytest.mark.parametrize(
    "odd",
    [
        *(
            {"colour": "black"},
            {"age_limit": 7},
            {"age_limit": "9"},
            {"pin": "12345"},
            {"pin": "abcd"},
            {"pin": "١٢٣٤"},
        ),
        *({"name": "x" * 41}, {"name": " "}, {"name": None}, {"own_pin": "1"}, {"password": None}),
    ],
    ids=str,
)
def test_what_has_not_the_documented_form_is_refused(device: Device, odd: dict[str, object]) -> None:
    status, said = device.add(**odd)
    assert (status, said["error"]) == (422, "malformed")
    assert len(device.list_profiles()["profiles"]) == 1


def test_each_profile_has_its_own_list_and_only_the_own_profile_reads_others(
    world: World, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    cinema = Cinema()
    monkeypatch.setattr(bootstrap, "usage", lambda: cinema.usage)
    own, (_, kid) = device.user_id, device.add(age_limit=None)

    def listed(query: str = "") -> tuple[int, Any]:
        return device.ask(usage_triggers.get_list, f"list{query}")

    device.choose(kid["id"])
    assert device.ask(usage_triggers.add_to_list, "list/film")[0] == 204
    assert len(listed()[1]["titles"]) == 1
    assert listed(f"?profile={own}")[0] == 403
    device.choose(own)
    assert listed()[1]["titles"] == []
    for function, name, list_name, count in (
        (usage_triggers.get_list, "list", "titles", 1),
        (usage_triggers.list_usage, "usage", "entries", 0),
        (usage_triggers.list_ratings, "ratings", "ratings", 0),
    ):
        status, page = device.ask(function, f"{name}?profile={kid['id']}")
        assert (status, len(page[list_name])) == (200, count)
    stranger = Device(world, world.confirmed_member())
    assert stranger.ask(usage_triggers.get_list, f"list?profile={kid['id']}")[0] == 404


def test_a_header_or_a_field_does_not_choose_a_profile(device: Device) -> None:
    _, kid = device.add()
    for body in ({"profile_id": kid["id"], "user_id": "0" * 32},):
        assert device.ask(profile_triggers.choose_profile, "sessions/profile?profile_id=x", body)[0] == 200
    device._headers |= {"X-Profile": device.user_id, "X-Profile-Id": device.user_id}
    assert device.list_profiles()["current"] == kid["id"]
