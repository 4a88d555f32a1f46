"""The viewer: an account as all slices see it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person with an account; `user_id` is 32 hex digits and never changes, `email` is as they typed it."""

    user_id: str
    email: str = field(repr=False)
    admin: bool = False
    confirmed: bool = False
