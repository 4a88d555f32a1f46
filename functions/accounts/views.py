"""What accounts show of themselves over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functions.accounts.model import HistoryEntry, NewSession, Viewer
    from functions.billing.model import Entitlement


def public_viewer(viewer: Viewer) -> dict[str, Any]:
    """Return who someone is."""
    return {
        "user_id": viewer.user_id,
        "email": viewer.email,
        "admin": viewer.admin,
        "confirmed": viewer.confirmed,
    }


def public_session(opened: NewSession) -> dict[str, Any]:
    """Return a session with its token, which is shown this once."""
    session = opened.session
    return {"token": opened.token, "expires_at": session.ends_at.isoformat(), **public_viewer(session.viewer)}


def public_entry(entry: HistoryEntry) -> dict[str, Any]:
    """Return an entry of the history."""
    return {"at": entry.at.isoformat(), "ip": entry.ip, "browser": entry.browser, "outcome": entry.outcome.value}


def public_entitlement(entitlement: Entitlement) -> dict[str, Any]:
    """Return whether someone may watch, why, and until when."""
    until = entitlement.until
    return {
        "entitled": entitlement.entitled,
        "reason": entitlement.reason,
        "until": until.isoformat() if until else None,
    }
