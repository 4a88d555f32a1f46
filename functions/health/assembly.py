"""Creates the services of the health slice with their dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.health.probes import OPTIONAL, probes_of
from functions.health.service import HealthMonitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.platform.resources import Resources
    from functions.usage.service import UsageService


def assemble(resources: Resources, usage: Callable[[], UsageService]) -> HealthMonitor:
    """Return the monitor of all stores."""
    probes = probes_of(
        resources.settings(),
        blobs=resources.blob_service,
        queues=resources.queue_service,
        mongo=resources.mongo,
        usage=usage,
    )
    return HealthMonitor(probes, optional=OPTIONAL)
