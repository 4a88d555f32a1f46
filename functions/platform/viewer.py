"""The viewer: the form of an account that all slices use, and the recipient of its emails."""

from __future__ import annotations

from dataclasses import dataclass, field

from functions.platform.errors import AgeLimited


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person with an account; `user_id` has 32 hex digits and never changes; `email` is in the form they typed.

    `profile_id` is the profile that the person has chosen; it is empty for the account's own. A profile with an
    `age_limit` must not play titles for older people.
    """

    user_id: str
    email: str = field(repr=False)
    admin: bool = False
    confirmed: bool = False
    profile_id: str = ""
    age_limit: int | None = None

    @property
    def watcher_id(self) -> str:
        """Return the id under which usage and recommendations of the profile are stored."""
        return self.profile_id or self.user_id

    def require_no_age_limit(self) -> None:
        """Raise AgeLimited in a profile with an age limit, before something is done that concerns the whole account."""
        if self.age_limit is not None:
            raise AgeLimited("Switch to a profile without an age limit to do this.")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where an email goes, and the code of its language; empty for the first language."""

    email: str = field(repr=False)
    language: str = ""
