"""How much of an upload has arrived that is committed in steps, and where in its blob the bytes of the file are.

Until the upload is whole, its blob consists of the first `front` bytes of the file, followed by the last bytes of the
file, if they were sent first. So the index at the end of an MP4 can be read long before the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - msgspec reads the annotations when it decodes a stored job
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.encoding.model import EncodeJob, EncodePlan, JobSummary

CANNOT_READ = "its beginning cannot be read"
"""Why an upload waits that could not be copied, although its tracks could be."""


class UploadChanged(Exception):
    """The upload was committed again while it was being read."""


@dataclass(frozen=True, slots=True)
class Reception:
    """The state of an upload at its last known commit, at the time `at`: the blob's ETag and its bytes, `stored`.

    `published` identifies the renditions of the segments that were published before the upload was whole.
    `waits_because` is the reason why no more of it can be published before, or None. `is_whole` is true once the upload
    is complete, `has_stopped` if it was given up, or another upload of its title was begun.
    """

    etag: str
    front: int
    stored: int
    at: datetime
    published: str | None = None
    waits_because: str | None = None
    is_whole: bool = False
    has_stopped: bool = False

    def place(self, offset: int, length: int, *, size: int) -> tuple[int, int]:
        """Return where in the blob the bytes at a position of the file of `size` bytes are, and how many are there."""
        end_from = size - (self.stored - self.front)
        if offset >= end_from:
            return offset - end_from + self.front, max(0, min(length, size - offset))
        return offset, max(0, min(length, self.front - offset))


def is_partial(job: EncodeJob | JobSummary) -> bool:
    """Return whether the upload of a job is not whole."""
    return job.reception is not None and not job.reception.is_whole


def identity_of(plan: EncodePlan) -> str:
    """Return a text that is the same for two plans if segments of their copied tracks can be mixed.

    Segments follow the key frames of the source, and all cuts that are published are final. So plans with the same
    frame rate and start have the same segments.
    """
    parts = [str(plan.grid.rate)]
    if plan.copied:
        own = plan.copied.rendition
        parts.append(f"{own.name} {own.width}x{own.height} {plan.copied.start}")
    parts += [f"{each.name} {each.copied.first} {each.copied.priming}" for each in plan.audio if each.copied]
    return ", ".join(parts)
