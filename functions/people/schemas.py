"""The JSON of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from functions.billing.schemas import PublicEntitlement, SubscriptionStatus

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

    from functions.people.service import Person


class PersonSearch(Struct, frozen=True):
    """An email address; it is sent in the body, because the URLs of requests are logged."""

    email: Annotated[str, Meta(min_length=1, max_length=1000)]


class PersonFound(Struct, frozen=True):
    """An account as the owner sees it, with its access and its subscription."""

    user_id: str
    email: str
    confirmed: bool
    admin: bool
    entitlement: PublicEntitlement
    subscription: SubscriptionStatus

    @classmethod
    def of(cls, person: Person, now: datetime) -> Self:
        """Return the answer for a person."""
        viewer = person.viewer
        return cls(
            user_id=viewer.user_id,
            email=viewer.email,
            confirmed=viewer.confirmed,
            admin=viewer.admin,
            entitlement=PublicEntitlement.of(person.entitlement),
            subscription=SubscriptionStatus.of(person.current, person.entitlement, now),
        )
