"""A store: its service, and the addresses by which the functions and people reach it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.local.processes.service import Service


@dataclass(frozen=True, slots=True)
class Store:
    """A store's service, the settings that the functions need to reach it, and addresses that only people use."""

    service: Service
    settings: Mapping[str, str]
    endpoints: Mapping[str, str] = field(default_factory=dict)
