"""The JSON of profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from functions.accounts.profiles import MOST_PROFILES, ProfileChange, ProfileColour, ProfileOverview, ProfileProof
from functions.accounts.schemas import Password
from functions.platform.field_types import ProfileId

if TYPE_CHECKING:
    from functions.accounts.profiles import Profile

ProfileName = Annotated[str, Meta(max_length=40, description="A name; only the main profile may have none.")]
AgeLimit = Annotated[
    Literal[6, 9, 12, 16] | None,
    Meta(description="The profile cannot play titles for older people, or of an unknown age; null for no limit."),
]
"""The certificates of a country differ at these ages (`catalogue/certificates.py`)."""
Pin = Annotated[str, Meta(pattern=r"^[0-9]{4}$(?!\n)", description="Four digits.")]
NewPin = Annotated[Pin | UnsetType | None, Meta(description="A new PIN, null to remove it, or absent to keep it.")]


class ProfileRemoval(Struct, frozen=True, kw_only=True):
    """What permits a change of profiles: the password, or the PIN of the main profile."""

    password: Password | None = None
    own_pin: Pin | None = None

    def proof(self) -> ProfileProof:
        """Return what the person presents."""
        return ProfileProof(self.password or "", self.own_pin or "")


class ProfileForm(ProfileRemoval, frozen=True, kw_only=True):
    """A profile to store, and what permits it."""

    name: ProfileName
    colour: ProfileColour
    age_limit: AgeLimit = None
    pin: NewPin = UNSET

    def change(self) -> ProfileChange:
        """Return what the person has entered."""
        pin = None if self.pin is UNSET else self.pin or ""
        return ProfileChange(self.name, self.colour, self.age_limit, pin)


class ProfileChoice(Struct, frozen=True):
    """The profile to use in this session, and its PIN if it has one."""

    profile_id: ProfileId
    pin: Pin | None = None


class ProfileEntry(Struct, frozen=True):
    """A profile of the account."""

    id: ProfileId
    name: Annotated[str, Meta(description="The name; it may be empty for the main profile.")]
    colour: ProfileColour
    age_limit: AgeLimit
    locked: Annotated[bool, Meta(description="Whether the profile has a PIN.")]
    own: Annotated[bool, Meta(description="Whether it is the main profile of the account.")]

    @classmethod
    def of(cls, profile: Profile) -> ProfileEntry:
        """Return the JSON of a profile."""
        return cls(
            id=profile.profile_id,
            name=profile.name,
            colour=profile.colour,
            age_limit=profile.age_limit,  # type: ignore[arg-type]
            locked=profile.is_locked,
            own=profile.is_own,
        )


class ProfileList(Struct, frozen=True):
    """The profiles of the account, its own first."""

    profiles: tuple[ProfileEntry, ...]
    current: Annotated[ProfileId, Meta(description="The profile that this session uses.")]
    most: Annotated[int, Meta(description="How many profiles an account can have.")]

    @classmethod
    def of(cls, overview: ProfileOverview) -> ProfileList:
        """Return the JSON of an account's profiles."""
        return cls(tuple(map(ProfileEntry.of, overview.profiles)), overview.current, MOST_PROFILES)
