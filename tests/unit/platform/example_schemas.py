"""Request and response types of a slice that exists only in tests."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from functions.platform.field_types import Time, TitleId

__all__ = ["Greeting", "Listing", "Order", "Receipt", "TitleId"]


class Order(Struct, frozen=True):
    """An order."""

    amount: Annotated[int, Meta(ge=1, le=1000, description="How many.")]
    note: str = ""


class Receipt(Struct, frozen=True):
    """The confirmation of an order."""

    id: TitleId
    user_id: str
    amount: int
    at: Time


class Listing(Struct, frozen=True):
    """The query of a list."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 24
    reverse: bool = False
    since: Time | None = None


class Greeting(Struct, frozen=True):
    """A text."""

    text: str
