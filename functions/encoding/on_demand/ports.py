"""The interface that encodes on demand need: the store of these encodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from functions.encoding.on_demand_encode import OnDemandEncode
from functions.encoding.ports import LaterEncodes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class OnDemandEncodes(LaterEncodes[OnDemandEncode], Protocol):
    """The encodes of renditions on demand."""

    def note_wanted(self, job_id: str, *, at: datetime) -> OnDemandEncode | None:
        """Record when a film was opened, unless its renditions are leaving; return the encode, or None."""

    def begin_encode(self, job_id: str, *, at: datetime) -> OnDemandEncode | None:
        """Begin the encode of a ready job, or begin one again that has ended; return None if it is not due."""

    def finish_chunk(
        self, job_id: str, chunk: int, *, size: int, codecs: Mapping[str, str], cpu_s: float
    ) -> OnDemandEncode | None:
        """Record that a chunk of `size` bytes is stored, unless it is already."""

    def list_unwanted(self, *, since: datetime, limit: int) -> list[str]:
        """Return the ids of ready jobs whose complete renditions nobody has wanted since a time, longest first.

        Those whose removal has not ended are returned too.
        """

    def begin_removal(self, job_id: str, *, since: datetime) -> bool:
        """Make complete renditions leave; return False if somebody has wanted them since, or they do not leave."""

    def end_removal(self, job_id: str, *, at: datetime) -> None:
        """Record that no manifest lists the renditions that were leaving."""
