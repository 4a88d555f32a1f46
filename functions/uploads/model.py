"""What an upload needs and starts: the ticket that permits it, and the work that its arrival starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.platform.messages import FetchMetadata, PlanEncode, PrepareEncode

if TYPE_CHECKING:
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.platform.messages import Message


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission to write one blob in `uploads` until `expires_at`; `replaces` is true if the blob already exists.

    `existing` is the name of another upload that the title is made from, or None. The new one is used only if the
    ticket was requested with `replace`. If the upload becomes the film of an announced title, `blob` has that title's
    stem. If that is not certain, `announced` are the titles whose film it may be. `upload_id` is set if the file may be
    committed in steps, so that it can be watched while it is uploaded; an upload that continues has the same.
    `version` is the ETag of the blob that it may replace, or None if there is none: the Studio commits nothing in place
    of another version.
    """

    upload_url: str
    blob: str
    title_id: str
    expires_at: datetime
    replaces: bool
    existing: str | None
    announced: tuple[Title, ...] = ()
    upload_id: str = ""
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """The work that an uploaded blob starts: describing a title and, if the blob is a film, planning a job.

    A job that `waits` is planned later, because the limit of the month is reached, or nothing of the film can be shown
    before its upload is whole. `is_whole` is false while the upload is still running; `is_described` is true if the
    title was described at an earlier commit of it.
    """

    title_id: str
    stem: str
    job_id: str | None
    version: str
    uploaded_at: datetime
    waits: bool = False
    is_whole: bool = True
    is_described: bool = False

    @property
    def messages(self) -> tuple[Message, ...]:
        """Return the messages that start the work."""
        describe = () if self.is_described else (FetchMetadata(self.title_id, self.stem),)
        if not self.job_id or self.waits:
            return describe
        return (*describe, PlanEncode(self.job_id) if self.is_whole else PrepareEncode(self.job_id))
