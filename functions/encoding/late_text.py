"""Late subtitles: files that arrived, or were replaced, after their film was planned, and became tracks all the same.

They are not part of the plan, which never changes. Their names follow from the version of the file, so whoever converts
a version stores the same file under the same name, and what players keep in their caches is never wrong.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations when it decodes a stored job
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003
from typing import TYPE_CHECKING

from functions.encoding.text_plan import LAST, TextPlan
from functions.encoding.track_state import TrackFault  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.encoding.model import EncodeJob, EncodePlan


@dataclass(frozen=True, slots=True)
class LateText:
    """A subtitle file: the track of its last readable version, which has `size` bytes; 0 if no version was readable.

    `etag` is the version that was read last, and `fault` says why it is not published.
    """

    track: TextPlan
    etag: str
    size: int = 0
    fault: TrackFault | None = None

    @property
    def blob(self) -> str:
        """Return the name of the file in `uploads`."""
        assert self.track.blob
        return self.track.blob


@dataclass(frozen=True, slots=True)
class LateSubtitles:
    """The late subtitles of a job, one entry for each file.

    `edition` grows with each change. `left_out` is the number of files for which a title has too many subtitle tracks.
    `removed` has the time from which each track was not listed any more whose file may still be stored.
    """

    texts: tuple[LateText, ...] = ()
    edition: int = 0
    left_out: int = 0
    removed: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def tracks(self) -> tuple[TextPlan, ...]:
        """Return the published tracks."""
        return tuple(text.track for text in self.texts if text.size)


NO_LATE = LateSubtitles()

LATE = "s"
"""The first letter of the names of late tracks; no other file in the folder of a job begins with it."""

_FILE = re.compile(rf"({LATE}[0-9a-f]{{8}})\.vtt")


def late_name(blob: str, etag: str) -> str:
    """Return the name of the track of one version of a subtitle file."""
    return f"{LATE}{hashlib.sha256(f'{blob}\n{etag.strip('"')}'.encode()).hexdigest()[:8]}"


def late_names(files: Iterable[str]) -> set[str]:
    """Return the names of the late tracks whose files are among the files in the folder of a job."""
    return {found[1] for file in files if (found := _FILE.fullmatch(file))}


def listed_texts(job: EncodeJob, plan: EncodePlan) -> tuple[TextPlan, ...]:
    """Return the subtitle tracks of a complete film, in order, without automatic captions; late ones replace planned.

    The order is the one that planning would give them.
    """
    planned = [text for text in plan.text if not job.tracks[text.name].left_out]
    late = job.late.tracks
    if not late:
        return tuple(planned)
    replaced = {track.blob for track in late}
    planned = [text for text in planned if text.blob not in replaced]
    files = sorted((text for text in (*planned, *late) if text.blob), key=lambda text: text.blob or "")
    streams = (text for text in planned if not text.blob)
    return tuple(sorted((*files, *streams), key=lambda text: any(role in LAST for role in text.roles)))
