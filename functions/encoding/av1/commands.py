"""Argument lists for ffmpeg that encode a chunk in AV1 with SVT-AV1; nothing is run here."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from functions.encoding.av1_encode import av1_renditions
from functions.encoding.ffmpeg_commands import ladder_arguments, segment_options

if TYPE_CHECKING:
    from functions.encoding.model import Chunk, EncodePlan
    from functions.encoding.renditions import Rendition

PRESET = 8
CRF = 32
"""Preset and constant rate factor of SVT-AV1; decision 54 has the measurements."""

PER_X264 = 1.5
"""Steps of this constant rate factor that change the quantizer as much as one step of x264's."""

PIXELS = MappingProxyType({8: "yuv420p", 10: "yuv420p10le"})
"""Formats of pixels by the number of bits per sample."""

PARALLELISM = 2
"""The level of parallelism (`lp`) of each SVT-AV1 instance: more instances in one process need too much memory."""


def av1_chunk_arguments(plan: EncodePlan, chunk: Chunk, address: str, *, in_hdr: bool = False) -> list[str]:
    """Return the arguments that encode one chunk in AV1 into its final segments for every rung.

    Like `ffmpeg_commands.chunk_arguments`, they write `<rendition>/init.mp4`, `s%05d.m4s` and `closed.m3u8`. With
    `in_hdr`, the pictures keep the colours, the transfer function and the mastering metadata of the source, in 10 bits.
    """
    return ladder_arguments(
        plan,
        chunk,
        address,
        av1_renditions(plan),
        lambda rendition: {**_encoder_options(plan, chunk, rendition), **segment_options(plan, chunk, rendition)},
        pixels=PIXELS[10 if in_hdr else 8],
        in_hdr=in_hdr,
    )


def _encoder_options(plan: EncodePlan, chunk: Chunk, rendition: Rendition) -> dict[str, Any]:
    # SVT-AV1 counts its interval of key frames from the last one, so on a grid with cuts it must not reach it.
    interval = chunk.end_frame - chunk.first_frame + 1 if plan.grid.cuts else plan.grid.gop
    return {
        "c:v": "libsvtav1",
        "preset": PRESET,
        "crf": CRF - round(PER_X264 * rendition.finer),
        "maxrate": f"{rendition.maxrate_kbps}k",
        "bufsize": f"{2 * rendition.maxrate_kbps}k",
        "g": interval,
        "svtav1-params": f"lp={PARALLELISM}",
    }
