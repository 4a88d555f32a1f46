"""The entries of the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that an owner did.

    `actor` is the id of the owner's account, or `operator` for a script with the operator's key. `action` is the name
    of the route. `subject` is the id of what was changed. It is None if the action is about the whole service, or about
    an account that has been deleted. `outcome` is `done`, the code of an error, or None if the action is in progress or
    was interrupted.
    """

    entry_id: str
    at: datetime
    actor: str
    action: str
    subject: str | None
    outcome: str | None
