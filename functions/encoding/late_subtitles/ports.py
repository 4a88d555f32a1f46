"""The interface that late subtitles need: their store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from functions.encoding.late_text import LateSubtitles
    from functions.encoding.model import EncodeJob


class LateSubtitleStore(Protocol):
    """The late subtitles of jobs; each method raises StoreUnavailable."""

    def ask(self, job_id: str, *, at: datetime) -> bool:
        """Count that a subtitle file of a ready job arrived, and make its verification with repair due at a time.

        A verification that has begun before does not end this. Return False if the job is not ready.
        """

    def store_late(self, job: EncodeJob, late: LateSubtitles) -> EncodeJob | None:
        """Replace the late subtitles of a job, and its notes; return the job, with the plan of `job`.

        Return None if its late subtitles are not those of `job` any more, or if it is not ready.
        """
