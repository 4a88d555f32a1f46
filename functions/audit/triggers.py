"""The functions of the audit log: the queue that records, HTTP for owners, and a timer that deletes old entries."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions import bootstrap, bootstrap_studio
from functions.platform.errors import StoreUnavailable
from functions.platform.triggers import OWNER, SliceApp

if TYPE_CHECKING:
    from functions.audit.schemas import AuditPage, AuditQuery
    from functions.platform.messages import RecordAction

log = logging.getLogger(__name__)
app = SliceApp(bootstrap, "functions.audit.schemas")

RETRY_AFTER_S = 600
"""The pause before an action is recorded again, after five attempts have failed and one as a dead letter."""


@app.queue("record-action")
def record_action(message: RecordAction) -> None:
    """Store what an owner does, or how it ended."""
    bootstrap_studio.audit().record(message)


@app.dead_letters("record-action")
def record_action_poison(message: RecordAction) -> None:
    """Try once more to store what an owner did; if the store is still unavailable, enqueue the message again.

    The host keeps a dead letter for seven days only; a message that is sent by the app is kept until it is recorded.
    """
    try:
        bootstrap_studio.audit().record(message)
    except StoreUnavailable as error:
        log.error("What %s did is not recorded yet: %s (%s)", message.actor, message.action, error.detail)
        bootstrap.resources.queues().send(message, delay_s=RETRY_AFTER_S)


@app.get("audit", caller=OWNER)
def list_actions(query: AuditQuery) -> AuditPage:
    """Return what owners did, newest first."""
    from functions.audit.schemas import AuditPage

    page = bootstrap_studio.audit().page_of(cursor=query.cursor, limit=query.limit)
    subjects = {entry.subject for entry in page.entries if entry.subject}
    addresses = bootstrap.accounts().emails_of({*subjects, *(entry.actor for entry in page.entries)})
    titles = bootstrap.catalogue().known(subjects - set(addresses), drafts=True)
    return AuditPage.of(page, addresses | {title.id: title.details.name for title in titles.values()})


@app.timer("0 40 3 * * *")
def tidy_audit() -> None:
    """Delete the entries of the audit log that are older than a year, once a day."""
    bootstrap_studio.audit().tidy()
