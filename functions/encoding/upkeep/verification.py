"""The result of verifying the published files of a job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - msgspec reads the annotations when it decodes a stored job


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of verifying a published job.

    `files` is the number of all its files and `size` their size in bytes. `damaged` is the number of files that are
    missing or cannot be played, and `examples` are the names of some of them, relative to the job's folder.
    """

    at: datetime
    files: int
    size: int
    damaged: int = 0
    examples: tuple[str, ...] = ()
