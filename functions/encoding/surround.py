"""5.1 sound: which streams are published in 5.1 beside stereo, and how these tracks are called and encoded."""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from functions.encoding.text_plan import TrackRole

if TYPE_CHECKING:
    from functions.encoding.model import AudioPlan
    from functions.encoding.tracks import AudioStream

CHANNELS = 6
"""Channels of 5.1 sound. Sound with more channels is mixed to 5.1, because browsers play AAC up to that reliably."""

SURROUND_KBPS = 320
"""As many bits for each channel as in stereo; the channel for low frequencies needs hardly any."""

_LAYOUT = re.compile(r"[\s(\[,;/-]*\b[5-9]\.[12](?:\.\d)?\b[\s)\],;/-]*")
"""A layout of channels in the title of a stream, such as “ (5.1)”, with what separates it from other words."""


class SurroundChoice(StrEnum):
    """The values of `SURROUND_SOUND`."""

    ALWAYS = "always"
    NEVER = "never"


def has_surround(stream: AudioStream) -> bool:
    """Return whether a stream is published in 5.1 beside stereo; commentaries are not, because they are speech."""
    return stream.channels >= CHANNELS and TrackRole.COMMENTARY not in stream.roles


def without_layout(title: str) -> str:
    """Return the title of a stream without its layout of channels, for tracks that have several."""
    return _LAYOUT.sub(" ", title).strip()


def surround_label(label: str) -> str:
    """Return the label of the 5.1 track beside a stereo track, given the label of the latter."""
    return f"{label} (5.1)"


def surround_beside(stereo: AudioPlan, *, name: str, label: str) -> AudioPlan:
    """Return the plan of the 5.1 track of the stream from which a stereo track is made."""
    return replace(stereo, name=name, label=label, channels=CHANNELS, bitrate_kbps=SURROUND_KBPS, stereo=stereo.name)
