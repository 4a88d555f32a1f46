"""Subtitle tracks as planned, what they are for, and how they follow from the names of subtitle files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from functions.encoding.languages import language_tag

if TYPE_CHECKING:
    from functions.platform.identifiers import Upload


class TrackRole(StrEnum):
    """What an audio or subtitle track is for, if it is not the ordinary sound or the ordinary subtitles."""

    COMMENTARY = "commentary"
    DESCRIPTION = "description"
    """Describes the picture for people who cannot see it."""
    FORCED = "forced"
    """Subtitles that are always shown, because they translate foreign speech or signs only."""
    HEARING_IMPAIRED = "hearing_impaired"
    """For people who are hard of hearing: subtitles that also describe sounds, or sound with clear dialogue."""
    AUTOMATIC = "automatic"
    """Subtitles that were made from the sound by a machine, and that nobody has checked."""


@dataclass(frozen=True, slots=True)
class TextPlan:
    """A subtitle track to convert to WebVTT: stream `stream` of the source, in `codec`, or the sidecar `blob`.

    `etag` is the version of the sidecar that was there when the film was planned; "" if it is unknown.
    """

    name: str
    language: str
    label: str
    stream: int | None
    blob: str | None
    roles: tuple[TrackRole, ...] = ()
    codec: str = ""
    etag: str = ""


LAST = (TrackRole.COMMENTARY, TrackRole.DESCRIPTION, TrackRole.FORCED)
"""Tracks with these roles come after the others, so that none of them is the main track."""

_FLAGS = {
    "forced": TrackRole.FORCED,
    "foreign": TrackRole.FORCED,
    "sdh": TrackRole.HEARING_IMPAIRED,
    "cc": TrackRole.HEARING_IMPAIRED,
    "hi": TrackRole.HEARING_IMPAIRED,
    "hoh": TrackRole.HEARING_IMPAIRED,
    "commentary": TrackRole.COMMENTARY,
}
"""Roles by the words in the names of sidecars; see `identifiers.SUBTITLE_FLAGS`."""


def plan_of_sidecar(upload: Upload) -> TextPlan:
    """Return the track of a subtitle file, without its name and label."""
    roles = tuple(role for role in TrackRole if role in {_FLAGS.get(flag) for flag in upload.flags})
    return TextPlan("", language_tag(upload.language), "", None, upload.blob, roles)
