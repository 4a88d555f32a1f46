"""The domain of profiles: the people who share an account, each with a history, a list and ratings of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

MOST_PROFILES = 5
"""The maximum number of profiles of an account, its own included."""


class ProfileColour(StrEnum):
    """The colours of profiles, whose contrast to the letter on them and to the page is more than 7:1."""

    CORAL = "coral"
    AMBER = "amber"
    LIME = "lime"
    MINT = "mint"
    SKY = "sky"
    LAVENDER = "lavender"
    ROSE = "rose"
    SAND = "sand"


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of an account; the account's own has the account's id.

    `name` may be empty for the account's own. Titles for people older than `age_limit` cannot be played. `pin_hash` is
    empty if the profile has no PIN.
    """

    profile_id: str
    user_id: str
    name: str = field(repr=False)
    colour: ProfileColour
    created_at: datetime
    age_limit: int | None = None
    pin_hash: str = field(default="", repr=False)

    @property
    def is_own(self) -> bool:
        """Return whether this is the account's own profile, which cannot be limited or deleted."""
        return self.profile_id == self.user_id

    @property
    def is_locked(self) -> bool:
        """Return whether the profile has a PIN."""
        return bool(self.pin_hash)


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What a person enters to add or edit a profile; `pin` is None to keep the PIN, and empty to remove it."""

    name: str = field(repr=False)
    colour: ProfileColour
    age_limit: int | None
    pin: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProfileProof:
    """What permits changes of profiles: the password of the account, or the PIN of its own profile."""

    password: str = field(default="", repr=False)
    pin: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ProfileOverview:
    """The profiles of an account, its own first, and the id of the one that the session uses."""

    profiles: tuple[Profile, ...]
    current: str
