"""The viewer: the form of an account that all slices use."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person with an account; `user_id` has 32 hex digits and never changes; `email` is in the form they typed."""

    user_id: str
    email: str = field(repr=False)
    admin: bool = False
    confirmed: bool = False
