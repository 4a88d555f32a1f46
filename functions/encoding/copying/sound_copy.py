"""Decide whether an audio track is copied: AAC-LC, mono, stereo or 5.1, without gaps, from the first picture on.

A copied track is unchanged, so it has the loudness of the source. With LOUDNESS_LUFS, no track is copied.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.formats.iso_bmff import IsoBox
from functions.encoding.formats.mp4_index import find_box
from functions.encoding.model import AAC_FRAME_SAMPLES, AudioPlan
from functions.encoding.renditions import CopiedSound

if TYPE_CHECKING:
    from functions.encoding.formats.mp4_index import IndexedTrack

_FIXED = {0: 28, 1: 44}
"""Bytes before the boxes of the description of an audio track, by its version (ISO/IEC 14496-12, 12.2.3; QuickTime)."""

HIGHEST_KBPS, HIGHEST_SURROUND_KBPS = 320, 640
LARGEST_FRAME = 8192
"""The maximum number of bytes of an AAC frame; a channel has at most 768 (ISO/IEC 14496-3, 4.5.3.1)."""

LATEST_S = Fraction(1, 50)
"""The sound may begin at most this many seconds after the picture; the published sound is then early by that much."""

PRIMED = 1
"""Number of AAC frames that are kept before time 0, because a frame is decoded with the help of the one before."""

_LOW_COMPLEXITY = 2
_RATES = {3: 48_000, 4: 44_100}
"""The sample rates that are published, by their index (ISO/IEC 14496-3, 1.6.3.4)."""

_EXTENDED = 0x2B7
"""The sync word of an extension, with which HE-AAC is announced (1.6.2.1)."""


def copy_of_sound(audio: AudioPlan, track: IndexedTrack, *, start: Fraction) -> AudioPlan | None:
    """Return the plan of a copied track in place of the encoded one, or None if it has to be encoded.

    `start` is the time of the film's first picture in the source, in seconds.
    """
    specific = specific_config(track)
    if specific is None or not _is_plain(specific, audio) or not track.is_plainly_edited or not track.sizes:
        return None
    if track.timescale != audio.sample_rate or not _is_regular(track):
        return None
    before = (start - track.presented_at(0)) * audio.sample_rate
    if before < -LATEST_S * audio.sample_rate:
        return None
    skipped = max(0, int(before) // AAC_FRAME_SAMPLES - PRIMED)
    priming = max(0, round(before) - skipped * AAC_FRAME_SAMPLES)
    frames = len(track.sizes) - skipped
    if frames < 1 or max(track.sizes[skipped:]) > LARGEST_FRAME:
        return None
    kbps = -(-sum(track.sizes[skipped:]) * 8 * audio.sample_rate // (frames * AAC_FRAME_SAMPLES * 1000))
    if kbps > (HIGHEST_SURROUND_KBPS if audio.stereo else HIGHEST_KBPS):
        return None
    name = f"c{audio.name[1:]}"
    copied = CopiedSound(skipped, priming, audio.name, frames)
    return replace(audio, name=name, bitrate_kbps=kbps, copied=copied)


def described_channels(track: IndexedTrack) -> int:
    """Return the number of channels in the AudioSpecificConfig of a track; 0 if it is not AAC."""
    specific = specific_config(track) or b"\0\0"
    return int.from_bytes(specific[:2]) >> 3 & 0xF


def specific_config(track: IndexedTrack) -> bytes | None:
    """Return the AudioSpecificConfig in the description of a track, or None if it is not AAC."""
    if track.format != "mp4a" or track.descriptions != 1:
        return None
    at = _stream_descriptor(track)
    if at is None:
        return None
    at = at[4:]
    for tag, fixed in ((3, 3), (4, 13), (5, 0)):
        found, at = _descriptor(at, tag)
        if not found:
            return None
        if tag == 3 and at[2:3] != b"\0":
            return None
        if tag == 4 and at[:1] != b"\x40":
            return None
        length, at = found, at[fixed:]
        if tag == 5:
            return at[:length] if len(at) >= length else None
    return None


def _stream_descriptor(track: IndexedTrack) -> bytes | None:
    """Return the esds box of a track; QuickTime's description is longer, and has the box inside another box."""
    fixed = _FIXED.get(int.from_bytes(track.entry.body[8:10]))
    if fixed is None:
        return None
    if found := track.described_by("esds", after=fixed):
        return found
    wave = track.described_by("wave", after=fixed)
    return find_box(IsoBox(track.entry.path, "wave", wave), "esds") if wave else None


def _descriptor(content: bytes, tag: int) -> tuple[int, bytes]:
    """Return length and content of the descriptor at the start (ISO/IEC 14496-1, 8.3.3); 0 if it has another tag."""
    if content[:1] != bytes([tag]):
        return 0, b""
    length = 0
    for at in range(1, 5):
        digit = content[at] if at < len(content) else 0
        length = length << 7 | digit & 0x7F
        if not digit & 0x80:
            return length, content[at + 1 :]
    return 0, b""


def _is_plain(specific: bytes, audio: AudioPlan) -> bool:
    """Return whether a configuration is AAC-LC at the planned rate, with the planned channels, and nothing else."""
    if len(specific) < 2:
        return False
    first = int.from_bytes(specific[:2])
    kind, rate, channels = first >> 11, first >> 7 & 0xF, first >> 3 & 0xF
    if kind != _LOW_COMPLEXITY or _RATES.get(rate) != audio.sample_rate or channels != audio.channels:
        return False
    if first & 0x7:  # frames of 960 samples, or a scalable stream
        return False
    rest = int.from_bytes(specific[2:5].ljust(3, b"\0"))
    return rest >> 13 != _EXTENDED or not rest >> 7 & 1


def _is_regular(track: IndexedTrack) -> bool:
    """Return whether all samples but the last have the length of an AAC frame."""
    times = track.decoded_at
    return all(at == number * AAC_FRAME_SAMPLES for number, at in enumerate(times))
