"""The store of profiles in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from functions.accounts.profiles import MOST_PROFILES, Profile
from functions.platform.errors import Conflict, ProcedureRefused
from tests.support.accounts import FakeStore

if TYPE_CHECKING:
    from tests.support.account_logins import FakeLoginStore


class FakeProfileStore(FakeStore):
    """Profiles in memory."""

    def __init__(self, logins: FakeLoginStore) -> None:
        self._logins = logins
        self.profiles: dict[str, Profile] = {}

    def list_profiles(self, user_id: str) -> list[Profile]:
        self.check()
        own = [each for each in self.profiles.values() if each.user_id == user_id]
        return sorted(own, key=lambda each: (not each.is_own, each.created_at, each.profile_id))

    def add_profile(self, profile: Profile) -> bool:
        self.check()
        old = self.profiles.get(profile.profile_id)
        if old and old.user_id != profile.user_id:
            raise ProcedureRefused(30_006, "The profile belongs to another account.")
        if profile.user_id not in self._logins.logins:
            return False
        if not old:
            others = [each for each in self.list_profiles(profile.user_id) if not each.is_own]
            if len(others) >= MOST_PROFILES - 1:
                raise Conflict(
                    f"An account can have up to {MOST_PROFILES} profiles. Delete one before you add another."
                )
            self.profiles[profile.profile_id] = profile
        return True

    def change_profile(self, profile: Profile) -> bool:
        self.check()
        old = self.profiles.get(profile.profile_id, profile if profile.is_own else None)
        if profile.user_id not in self._logins.logins or old is None or old.user_id != profile.user_id:
            return False
        self.profiles[profile.profile_id] = replace(profile, created_at=old.created_at)
        return True

    def delete_profile(self, profile: Profile) -> None:
        self.check()
        old = self.profiles.get(profile.profile_id)
        if old and old.user_id == profile.user_id:
            del self.profiles[profile.profile_id]

    def is_in_use(self, profile_id: str) -> bool:
        self.check()
        profile = self.profiles.get(profile_id)
        return profile is not None and profile.user_id in self._logins.logins

    def forget_profiles(self, user_id: str) -> None:
        self.check()
        if user_id not in self._logins.logins:
            self.profiles = {key: each for key, each in self.profiles.items() if each.user_id != user_id}
