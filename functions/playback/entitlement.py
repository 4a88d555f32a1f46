"""Who may watch what: the one place where that is asked, of billing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from functions.platform.errors import EntitlementRequired

if TYPE_CHECKING:
    from functions.accounts.model import Viewer
    from functions.billing.model import Entitlement
    from functions.catalogue.model import Title


class Entitlements(Protocol):
    """What playback asks of billing."""

    def of(self, viewer: Viewer) -> Entitlement:
        """Return what the viewer may."""


def admit(viewer: Viewer, title: Title, entitlements: Entitlements) -> None:
    """Raise EntitlementRequired unless the viewer may watch the title now."""
    if not entitlements.of(viewer).entitled:
        raise EntitlementRequired(f"Subscribe to watch {title.details.name!r}; the plans are on the plans page.")
