"""The JSON of the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from functions.platform.field_types import Cursor, Limit, NextCursor, Time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from functions.audit.model import AuditEntry
    from functions.platform.pagination import Page


class AuditQuery(Struct, frozen=True):
    """Which page of the audit log to return."""

    cursor: Cursor = ""
    limit: Limit = 24


class AuditedAction(Struct, frozen=True):
    """Something that an owner did."""

    at: Time
    actor: Annotated[str, Meta(description="The id of an account, or `operator` for a script.")]
    actor_email: Annotated[str | None, Meta(description="Null for a script, and for an account that was deleted.")]
    action: Annotated[str, Meta(description="The operation of this API.")]
    subject: Annotated[str | None, Meta(description="The id of what was changed; null if it was deleted or none.")]
    subject_name: Annotated[str | None, Meta(description="The name of the title or the address of the account.")]
    outcome: Annotated[
        str | None, Meta(description="`done`, or the code of an error; null if it is in progress or was interrupted.")
    ]

    @classmethod
    def of(cls, entry: AuditEntry, names: Mapping[str, str]) -> Self:
        """Return the JSON of an entry; `names` are addresses of accounts and names of titles by their ids."""
        return cls(
            at=entry.at,
            actor=entry.actor,
            actor_email=names.get(entry.actor),
            action=entry.action,
            subject=entry.subject,
            subject_name=names.get(entry.subject or ""),
            outcome=entry.outcome,
        )


class AuditPage(Struct, frozen=True):
    """A page of the audit log, newest first."""

    entries: list[AuditedAction]
    cursor: NextCursor

    @classmethod
    def of(cls, page: Page[AuditEntry], names: Mapping[str, str]) -> Self:
        """Return the JSON of a page."""
        return cls([AuditedAction.of(entry, names) for entry in page.entries], page.cursor)
