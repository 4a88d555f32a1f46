"""The store of profiles in MySQL; the database receives only hashes of PINs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.accounts.profiles import MOST_PROFILES, Profile, ProfileColour
from functions.platform.errors import Conflict, ProcedureRefused

if TYPE_CHECKING:
    from functions.platform.mysql import Argument, Database, Row

TOO_MANY_PROFILES = 30_005


class MySqlProfileStore:
    """The store of profiles in the database `logins_db`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_profiles(self, user_id: str) -> list[Profile]:
        return [_profile(row) for row in self._database.call("list_profiles", user_id, idempotent=True)]

    def add_profile(self, profile: Profile) -> bool:
        try:
            rows = self._database.call("add_profile", *_values(profile), MOST_PROFILES - 1, idempotent=True)
        except ProcedureRefused as refusal:
            if refusal.number != TOO_MANY_PROFILES:
                raise
            raise Conflict(
                f"An account can have up to {MOST_PROFILES} profiles. Delete one before you add another."
            ) from None
        return bool(rows[0]["stored"])

    def change_profile(self, profile: Profile) -> bool:
        return bool(self._database.call("change_profile", *_values(profile), idempotent=True)[0]["changed"])

    def delete_profile(self, profile: Profile) -> None:
        self._database.call("delete_profile", profile.profile_id, profile.user_id, idempotent=True)

    def is_in_use(self, profile_id: str) -> bool:
        return bool(self._database.call("find_profile_in_use", profile_id, idempotent=True)[0]["in_use"])

    def forget_profiles(self, user_id: str) -> None:
        self._database.call("forget_profiles", user_id, idempotent=True)


def _values(profile: Profile) -> tuple[Argument, ...]:
    return (
        profile.profile_id,
        profile.user_id,
        profile.name,
        profile.colour,
        profile.age_limit,
        profile.pin_hash,
        profile.created_at,
    )


def _profile(row: Row) -> Profile:
    return Profile(**{**row, "colour": ProfileColour(row["colour"])})
