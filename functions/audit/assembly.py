"""Creates the services of the audit slice with their dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.audit.repository import MySqlAuditStore
from functions.audit.service import AuditLog

if TYPE_CHECKING:
    from functions.platform.resources import Resources


def assemble(resources: Resources) -> AuditLog:
    """Return the audit log; the connection is opened at its first use."""
    return AuditLog(MySqlAuditStore(resources.mysql(resources.settings().audit_db_url)))
