"""Find the damaged pictures of a chunk by decoding it once more; done only for a chunk whose decoder complained.

ffmpeg tells how many pictures it could not decode, but not which. ffprobe prints what a decoder says about each frame.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from functions.encoding.damage import runs_of
from functions.platform.errors import EncodeFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from functions.encoding.damage import DamagedRun
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.model import Chunk, EncodePlan

SEARCH_LIMIT_S = 600
"""Time limit of the search in seconds. A single thread decodes, so that each complaint is printed with its picture."""

_MARGIN_S = 1
"""Seconds that are read before and after a chunk: packets are stored in decode order, and ffprobe does not print what a
decoder says before the decoder returns its first picture."""

_AV_LOG_ERROR = 16
_ITEMS = "packets_and_frames"
_HARMLESS = re.compile(r"co located POCs|mmco: unref|number of reference frames|Late SEI|illegal short term buffer")
"""Errors that decoders report about pictures that are nevertheless intact, for instance after a seek."""

_LOST_NEAR = 3
"""A gap between frames counts as lost pictures if a damaged frame is at most this many frames away."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A packet that ffprobe has read, or a picture that it has decoded; `frame` is its frame of the grid."""

    frame: int
    is_packet: bool
    is_key: bool
    is_complaint: bool

    @classmethod
    def of(cls, item: dict[str, Any], origin: Fraction, rate: Fraction) -> _Item:
        """Return an item as ffprobe describes it; `origin` is the time, in seconds, of frame 0."""
        is_packet = item["type"] == "packet"
        at = Fraction(item["pts_time" if is_packet else "best_effort_timestamp_time"])
        complaints = (entry.get("message", "") for entry in item.get("logs", ()))
        return cls(
            frame=round((at - origin) * rate),
            is_packet=is_packet,
            is_key=is_packet and "K" in item["flags"],
            is_complaint=any(not _HARMLESS.search(text) for text in complaints),
        )


def find_damage(
    ffmpeg: FFmpeg, address: str, plan: EncodePlan, chunk: Chunk, *, has_losses: bool = False
) -> tuple[DamagedRun, ...]:
    """Return the frames of a chunk that cannot be decoded correctly: damaged, undecodable and lost ones.

    With `has_losses`, the file lacks packets; any gap between frames then counts as lost pictures.
    """
    grid, picture = plan.grid, plan.picture
    origin = picture.origin + picture.shift
    begin = float(max(grid.seconds(chunk.first_frame) + origin - _MARGIN_S, Fraction(0)))
    last = chunk.end_frame == grid.frames
    end = "" if last else f"{float(grid.seconds(chunk.end_frame) + origin + _MARGIN_S):.6f}"
    result = ffmpeg.probe(
        address,
        *("-threads", "1", "-select_streams", str(picture.stream), "-read_intervals", f"{begin:.6f}%{end}"),
        *("-show_log", str(_AV_LOG_ERROR), "-of", "json"),
        *("-show_entries", "packet=pts_time,flags:frame=best_effort_timestamp_time:log=message"),
        limit_s=SEARCH_LIMIT_S,
    )
    ffmpeg.raise_if_unreachable(result)
    try:
        found = json.loads(result.output)
    except json.JSONDecodeError:  # ffprobe was stopped
        raise EncodeFault("The damaged part of the film could not be examined.") from None
    items = [_Item.of(item, origin, grid.rate) for item in found.get(_ITEMS, ()) if _is_timed(item)]
    stored = {item.frame for item in items if item.is_packet}
    keys = sorted({item.frame for item in items if item.is_key})
    undecoded = stored - {item.frame for item in items if not item.is_packet}
    damaged = undecoded | set(_reported(items, undecoded))
    for frame in undecoded.intersection(keys):  # all pictures until the next key frame depend on this one
        damaged.update(range(frame, next((key for key in keys if key > frame), max(stored) + 1)))
    if not damaged and not has_losses and chunk.first_frame == 0 and stored:
        damaged = {min(stored)}  # a complaint is not printed if it is about the film's first pictures
    if not picture.variable_rate:
        damaged |= set(_lost(stored, damaged, anywhere=has_losses))
    end_frame = max(chunk.end_frame, *stored, 0) + 1 if last else chunk.end_frame
    return runs_of(frame for frame in damaged if chunk.first_frame <= frame < end_frame)


def _is_timed(item: dict[str, Any]) -> bool:
    """Return whether an item has a time and is shown: a packet with the flag D is excluded by an edit list."""
    key = "pts_time" if item["type"] == "packet" else "best_effort_timestamp_time"
    return key in item and "D" not in item.get("flags", "")


def _reported(items: Sequence[_Item], undecoded: set[int]) -> Iterable[int]:
    """Return the frames about which the decoder complained.

    A decoder returns pictures later than it decodes them. So a complaint about a packet is printed with the next
    picture that is returned after it. If one of the packets since the last picture gave no picture, the complaint is
    about that packet.
    """
    since: list[int] = []
    for item in items:
        if item.is_packet:
            since.append(item.frame)
            continue
        if item.is_complaint and not undecoded.intersection(since):
            yield since[-1] if since else item.frame
        since.clear()


def _lost(stored: set[int], damaged: set[int], *, anywhere: bool) -> Iterable[int]:
    """Return the frames near damaged ones for which there is no packet; a gap elsewhere belongs to the film."""
    for one, two in pairwise(sorted(stored)):
        near = range(one - _LOST_NEAR, two + _LOST_NEAR + 1)
        if two - one > 1 and (anywhere or any(frame in damaged for frame in near)):
            yield from range(one + 1, two)
