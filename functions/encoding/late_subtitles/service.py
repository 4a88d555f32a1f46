"""Request that the subtitle files that arrived are published with their titles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.identifiers import film_stems, title_id_of
from functions.platform.messages import PublishTitle

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.catalogue.service import Catalogue
    from functions.encoding.late_subtitles.ports import LateSubtitleStore
    from functions.platform.queues import Queues


class SubtitleArrivals:
    """Notes that a subtitle file has arrived, or was replaced."""

    def __init__(
        self,
        late: LateSubtitleStore,
        catalogue: Catalogue,
        queues: Callable[[], Queues],
        now: Callable[[], datetime],
    ) -> None:
        self._late = late
        self._catalogue = catalogue
        self._queues = queues
        self._now = now

    def note_arrival(self, blob: str) -> int:
        """Request that an encoder adds a subtitle file to the titles it belongs to; return their number. Idempotent.

        A verification does this, so it is repeated until it has succeeded. Only titles that play a whole film are
        concerned: a film that is still encoded is verified once it is ready, and what arrived meanwhile is added then.
        """
        found = 0
        for stem in film_stems(blob):
            title = self._catalogue.find_title(title_id_of(stem))
            job_id = title.playback.job_id if title and title.playback else None
            if job_id and self._late.ask(job_id, at=self._now()):
                self._queues().send_all([PublishTitle(job_id, verify=True)])
                found += 1
        return found
