"""The interface that people need from billing: who may play films."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from functions.billing.model import Entitlement
    from functions.platform.viewer import Viewer


class AccessReader(Protocol):
    """Determines whether viewers may play films."""

    def of(self, viewer: Viewer) -> Entitlement:
        """Return a viewer's entitlement. Raises StoreUnavailable."""
