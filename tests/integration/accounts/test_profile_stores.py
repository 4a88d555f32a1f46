"""The stores of profiles: the fake and the one on a real server satisfy the same contract."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.accounts.profile_repository import MySqlProfileStore
from functions.accounts.profiles import MOST_PROFILES, Profile, ProfileColour
from functions.accounts.repository import MySqlLoginStore
from functions.platform.errors import Conflict, Malformed, ProcedureRefused
from tests.support.account_logins import FakeLoginStore
from tests.support.accounts import make_login
from tests.support.clock import NOON

if TYPE_CHECKING:
    from functions.accounts.model import Login
    from functions.accounts.ports import LoginStore, ProfileStore

PIN_HASH = make_login().password_hash


@pytest.fixture
def profiles(logins: LoginStore) -> ProfileStore:
    """Return the store of profiles that belongs to the store of logins."""
    if isinstance(logins, FakeLoginStore):
        return logins.profiles
    assert isinstance(logins, MySqlLoginStore)
    return MySqlProfileStore(logins._database)


@pytest.fixture
def login(logins: LoginStore) -> Login:
    """Return an account."""
    made = make_login()
    logins.add_login(made)
    return made


def make_profile(user_id: str, **changes: Any) -> Profile:
    profile = Profile(uuid.uuid4().hex, user_id, "Jo’s 🦊", ProfileColour.MINT, NOON, age_limit=9)
    return replace(profile, **changes)


def own_profile(user_id: str, **changes: Any) -> Profile:
    return make_profile(user_id, profile_id=user_id, name="", age_limit=None, **changes)


def test_profiles_are_returned_as_they_were_stored_the_own_first_then_the_oldest(
    profiles: ProfileStore, login: Login
) -> None:
    older = make_profile(login.user_id, age_limit=None, pin_hash=PIN_HASH)
    newer = make_profile(login.user_id, created_at=NOON + timedelta(seconds=1))
    assert profiles.list_profiles(login.user_id) == []
    assert all(profiles.add_profile(each) for each in (newer, older, older))
    assert profiles.list_profiles(login.user_id) == [older, newer]
    own = own_profile(login.user_id, created_at=NOON + timedelta(days=1))
    assert profiles.change_profile(own)
    assert profiles.list_profiles(login.user_id) == [own, older, newer]


def test_a_change_reaches_an_existing_profile_of_the_account_only(
    logins: LoginStore, profiles: ProfileStore, login: Login
) -> None:
    profile, other = make_profile(login.user_id), make_login()
    logins.add_login(other)
    assert not profiles.change_profile(profile)
    profiles.add_profile(profile)
    changed = replace(profile, name="Mia", colour=ProfileColour.SKY, age_limit=None, pin_hash=PIN_HASH)
    assert profiles.change_profile(replace(changed, created_at=NOON + timedelta(days=1)))
    assert profiles.list_profiles(login.user_id) == [changed]
    assert not profiles.change_profile(replace(profile, user_id=other.user_id))
    profiles.delete_profile(replace(profile, user_id=other.user_id))
    with pytest.raises(ProcedureRefused):
        profiles.add_profile(replace(profile, user_id=other.user_id))
    assert profiles.list_profiles(login.user_id) == [changed] and profiles.list_profiles(other.user_id) == []


def test_concurrent_additions_do_not_exceed_the_limit_and_the_own_profile_does_not_count(
    logins: LoginStore, profiles: ProfileStore, login: Login
) -> None:
    profiles.change_profile(own_profile(login.user_id))

    def add(_: int) -> bool:
        try:
            return profiles.add_profile(make_profile(login.user_id))
        except Conflict:
            return False

    with ThreadPoolExecutor(1 if isinstance(logins, FakeLoginStore) else 6) as people:
        assert sum(people.map(add, range(7))) == MOST_PROFILES - 1
    assert len(profiles.list_profiles(login.user_id)) == MOST_PROFILES


def test_a_deleted_profile_is_in_use_no_more(profiles: ProfileStore, login: Login) -> None:
    profile = make_profile(login.user_id)
    assert not profiles.is_in_use(profile.profile_id)
    profiles.add_profile(profile)
    assert profiles.is_in_use(profile.profile_id)
    for _ in range(2):
        profiles.delete_profile(profile)
    assert not profiles.is_in_use(profile.profile_id) and profiles.list_profiles(login.user_id) == []


def test_the_profiles_of_a_deleted_account_remain_until_they_are_forgotten(
    logins: LoginStore, profiles: ProfileStore, login: Login
) -> None:
    profile, own = make_profile(login.user_id), own_profile(login.user_id)
    profiles.add_profile(profile)
    profiles.change_profile(own)
    profiles.forget_profiles(login.user_id)  # the account still exists
    assert profiles.list_profiles(login.user_id) == [own, profile]
    logins.delete_login(login.user_id)
    assert profiles.list_profiles(login.user_id) == [own, profile]
    assert not profiles.is_in_use(profile.profile_id) and not profiles.is_in_use(own.profile_id)
    assert not profiles.add_profile(make_profile(login.user_id)) and not profiles.change_profile(own)
    for _ in range(2):
        profiles.forget_profiles(login.user_id)
    assert profiles.list_profiles(login.user_id) == []


def test_the_own_profile_cannot_be_limited(logins: LoginStore, profiles: ProfileStore, login: Login) -> None:
    if isinstance(logins, FakeLoginStore):
        pytest.skip("the service refuses it; the table is the second guard")
    with pytest.raises(Malformed):
        profiles.change_profile(replace(own_profile(login.user_id), age_limit=6))
