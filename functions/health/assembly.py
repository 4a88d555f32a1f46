"""How the parts of health fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.health.probes import OPTIONAL, probes_of
from functions.health.service import HealthMonitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.platform.resources import Resources
    from functions.usage.model import UsageStore


def assemble(resources: Resources, usage: Callable[[], UsageStore]) -> HealthMonitor:
    """Return the monitor of all stores."""
    probes = probes_of(
        resources.settings(),
        blobs=resources.blob_service,
        queues=resources.queue_service,
        mongo=resources.mongo,
        usage=usage,
    )
    return HealthMonitor(probes, optional=OPTIONAL)
