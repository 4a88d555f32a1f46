"""Argument lists for ffmpeg, built by ffmpeg-python; nothing is run here.

A comment explains each option that prevents a known defect.
"""

from __future__ import annotations

from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import ffmpeg

from functions.encoding.ffmpeg import input_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from functions.encoding.frame_grid import FrameGrid
    from functions.encoding.model import Chunk, EncodePlan
    from functions.encoding.picture_plan import PicturePlan
    from functions.encoding.renditions import Rendition

PLAYLIST = "closed.m3u8"
INIT = "init.mp4"
SEGMENT = "s%05d.m4s"

ENCODER_THREADS = 2
"""Threads per x264 instance. The encoded bytes depend on this number. Five rungs keep four cores busy."""

THUMBNAIL_WIDTH = 160
STILL_FRAMES = 24

SUBTITLE_FILES = MappingProxyType({"ass": "ass", "ssa": "ass", "webvtt": "webvtt", "subrip": "srt"})
"""ffmpeg's formats of the subtitle streams that are copied, by their codec."""

_PICTURE = {"f": "image2", "update": 1, "frames:v": 1, "map_metadata": -1}

_MARGIN_S = {False: Fraction(1, 4), True: Fraction(15)}
"""Seconds that are read before a chunk, by whether the frame rate varies; no frame lasts longer than this."""

_TAIL_FRAMES = 2
"""How many frames early a film may end because of its rounded times; its last frame is repeated to fill them."""

_TELECINE_MARGIN_S = Fraction(3, 2)
"""Seconds that are read before a chunk of telecined film, whose frames are compared with those before them."""

_SDR = (
    ("zscale", {"t": "linear", "npl": "100"}),
    ("format", {"pix_fmts": "gbrpf32le"}),
    ("zscale", {"p": "bt709"}),
    ("tonemap", {"tonemap": "hable", "desat": "0"}),
    ("zscale", {"t": "bt709", "m": "bt709", "r": "tv"}),
)


_LIKELY_TIME = "if(not(eq(DTS,NOPTS))*(eq(PTS,NOPTS)+gt(abs(PTS-DTS)*TB,10)),DTS+(PREV_OUTPTS-PREV_OUTDTS),PTS)"
"""The time of a picture, in the language of the filter `setts`: as long after its decode time as for the one before, if
it has no time or an impossible one. No picture is shown more than 10 s after it is decoded: the buffer of a decoder has
at most 16 frames, and data waits for at most 10 s (ISO/IEC 13818-1)."""

DEFAULT_CRF = 23.0
"""The constant rate factor of x264 for a plan without a target of quality; see `default_crf`."""


def default_crf(rendition: Rendition) -> float:
    """Return the constant rate factor of a rendition for a plan without a target of quality."""
    return DEFAULT_CRF - rendition.finer


def chunk_arguments(
    plan: EncodePlan, chunk: Chunk, address: str, crfs: Mapping[str, float] = MappingProxyType({})
) -> list[str]:
    """Return the arguments that encode one chunk into its final segments for every rung.

    Writes `<rendition>/init.mp4`, `<rendition>/s%05d.m4s`, and `<rendition>/closed.m3u8`, which lists segments as
    they close. The source is decoded once; each rung is scaled from the one above. `crfs` has the constant rate factors
    of renditions that do not use the default.
    """
    return ladder_arguments(
        plan,
        chunk,
        address,
        plan.renditions,
        lambda rendition: {
            **encoder_options(plan, rendition, crfs.get(rendition.name, default_crf(rendition))),
            **segment_options(plan, chunk, rendition),
        },
    )


def ladder_arguments(
    plan: EncodePlan,
    chunk: Chunk,
    address: str,
    renditions: Sequence[Rendition],
    options_of: Callable[[Rendition], Mapping[str, Any]],
    *,
    pixels: str = "yuv420p",
    in_hdr: bool = False,
) -> list[str]:
    """Return the arguments that decode one chunk once, and encode each rendition with the options of `options_of`.

    Each rendition is scaled from the one before; they are sorted best first. `pixels` is their format of pixels. With
    `in_hdr`, pictures in HDR stay as they are.
    """
    frames = grid_frames(plan, chunk, address, in_hdr=in_hdr)
    outputs = []
    for rendition in renditions:
        encoded = frames = scaled(frames, rendition, pixels=pixels)
        if rendition is not renditions[-1]:
            both = frames.filter_multi_output("split", 2)
            encoded, frames = both[0], both[1]
        outputs.append(ffmpeg.output(encoded, f"{rendition.name}/{PLAYLIST}", **options_of(rendition)))
    return joined_arguments(*outputs)


def grid_frames(plan: EncodePlan, chunk: Chunk, address: str, *, in_hdr: bool = False) -> Any:
    """Return the stream of a chunk's frames, which lie on the frame grid and are not scaled yet.

    They are in SDR, unless `in_hdr` is true.
    """
    grid, picture = plan.grid, plan.picture
    margin = _margin(plan)
    start = max(Fraction(0), grid.seconds(chunk.first_frame) - margin) if chunk.first_frame else Fraction(0)
    source = ffmpeg.input(
        address,
        # The trim filter below sets the end: a limit here would be counted from the key frame that the seek finds.
        ss=seconds_text(start),
        copyts=None,  # keep the film's timestamps, which determine each chunk's position on the grid
        start_at_zero=None,
        noaccurate_seek=None,  # keep a frame that begins before the seek point and is still displayed at that point
        # If the size of the picture changes, only the scale filter adapts. A new graph would count frames from 0 again.
        reinit_filter=0,
        **input_options(address),
    )
    frames = progressive(source[str(picture.stream)], picture)
    if picture.shift:
        frames = frames.filter("setpts", f"PTS-{seconds_text(picture.shift)}/TB")
    if picture.telecine:
        frames = _film(frames, grid, chunk)
    frames = frames.filter("fps", fps=ratio_text(grid.rate), start_time=_grid_start(grid, chunk, margin), round="near")
    last = chunk.end_frame == grid.frames
    if grid.cuts and last:
        # The copied pictures end exactly at the end of the grid, and the encoded pictures must end there too.
        frames = frames.filter("tpad", stop=_TAIL_FRAMES, stop_mode="clone")
    # Otherwise the last chunk takes all remaining frames; their number is compared with the plan afterwards.
    ends = {"end_pts": chunk.end_frame} if grid.cuts or not last else {}
    frames = frames.filter("trim", start_pts=chunk.first_frame, **ends)
    return frames if in_hdr else in_standard_range(frames, picture)


def _margin(plan: EncodePlan) -> Fraction:
    """Return how many seconds before a chunk ffmpeg seeks to.

    It then decodes from the key frame before that time, which may be ten seconds earlier. Chunks of a film whose
    pictures are copied begin at key frames. Half a frame after one of them, it is the last one that has been shown.
    """
    if plan.copied and plan.copied.seekable:
        return -plan.picture.shift - Fraction(1, 2) / plan.grid.rate
    return _TELECINE_MARGIN_S if plan.picture.telecine else _MARGIN_S[plan.picture.variable_rate]


def progressive(frames: Any, picture: PicturePlan) -> Any:
    """Return the frames of a source without the interlacing that its plan names."""
    if picture.deinterlace or picture.tone_map or picture.telecine:
        frames = frames.filter("scale", "iw", "ih")  # these filters need all pictures to have the same size
    if picture.field_order:
        frames = frames.filter("setfield", picture.field_order)
    if picture.deinterlace:
        frames = frames.filter("bwdif", mode="send_frame", deint="interlaced")
    return frames


def in_standard_range(frames: Any, picture: PicturePlan) -> Any:
    """Return the frames in standard dynamic range."""
    if picture.tone_map:
        for name, options in _SDR:
            frames = frames.filter(name, **options)
    return frames


def scaled(frames: Any, rendition: Rendition, *, pixels: str = "yuv420p") -> Any:
    """Return the frames in the size of a rendition, in a format of pixels."""
    frames = frames.filter("scale", rendition.width, rendition.height, flags="bicubic")
    return frames.filter("setsar", 1).filter("format", pixels)


def _film(frames: Any, grid: FrameGrid, chunk: Chunk) -> Any:
    """Undo telecine: join the fields of each film frame again, and drop every fifth frame, which is left over.

    The groups of five are counted from frame 0 of the film, so that all chunks drop the same frames.
    """
    first = max(0, chunk.first_frame - round(grid.rate)) // 4
    start = seconds_text(first * 4 / grid.rate)
    frames = frames.filter("fps", fps=ratio_text(grid.rate * 5 / 4), start_time=start, round="near")
    frames = frames.filter("fieldmatch").filter("bwdif", mode="send_frame", deint="interlaced")
    return frames.filter("decimate", cycle=5)


def _grid_start(grid: FrameGrid, chunk: Chunk, margin: Fraction) -> int:
    """Return the last whole second before the chunk's margin that coincides with a frame.

    The fps filter starts counting at this time and fills in frames that it does not receive. Starting at 0 would give
    the same frames, but in a long film the filter would first generate hundreds of thousands of useless frames.
    """
    step = grid.rate.denominator
    return max(0, int(grid.seconds(chunk.first_frame) - max(margin, Fraction(0))) // step * step)


def encoder_options(plan: EncodePlan, rendition: Rendition, crf: float) -> dict[str, Any]:
    """Return the options with which x264 encodes a rendition."""
    # Without `stitchable`, the init segment would depend on the CRF, but all chunks must have the same init segment.
    same_init = {"x264-params": "stitchable=1"} if plan.target_vmaf else {}
    return {
        "c:v": "libx264",
        "preset": plan.preset,
        "threads": ENCODER_THREADS,
        "crf": f"{crf:g}",
        "maxrate": f"{rendition.maxrate_kbps}k",
        "bufsize": f"{2 * rendition.maxrate_kbps}k",
        "g": plan.grid.longest,
        "keyint_min": plan.grid.longest,
        "sc_threshold": 0,
        **same_init,
    }


def segment_options(plan: EncodePlan, chunk: Chunk, rendition: Rendition) -> dict[str, Any]:
    """Return the options with which the segments of a chunk of a rendition are written, whatever encodes them."""
    grid = plan.grid
    return {
        **hls_options(rendition.name, cmaf="+cmaf+frag_discont", timescale=grid.timescale),
        **_boundaries(grid, chunk),
        "start_number": chunk.first_segment,
    }


def _boundaries(grid: FrameGrid, chunk: Chunk) -> dict[str, Any]:
    """Return the options that determine where segments begin; half a frame is subtracted to allow for rounding."""
    if not grid.cuts:
        # A segment is cut at the first key frame after this time.
        return {"hls_time": seconds_text((grid.gop - Fraction(1, 2)) / grid.rate)}
    last = chunk.first_segment + chunk.segments
    inner = [
        (grid.first_frame(segment) - Fraction(1, 2)) / grid.rate for segment in range(chunk.first_segment + 1, last)
    ]
    forced = {"force_key_frames": ",".join(map(seconds_text, inner))} if inner else {}
    return {**forced, "keyint_min": 1, "hls_time": "0.001"}  # every key frame begins a segment


def hls_options(folder: str, *, cmaf: str, timescale: int | None = None) -> dict[str, Any]:
    """Return the options with which the segments of any track are written into `folder`."""
    return {
        "map_metadata": -1,
        "map_chapters": -1,
        "avoid_negative_ts": "disabled",  # otherwise reordered frames would shift chunk 0, and only chunk 0
        "f": "hls",
        "hls_playlist_type": "event",  # the list grows as segments close
        "hls_flags": "temp_file",  # a segment gets its final name only when it is complete
        "hls_segment_type": "fmp4",
        "hls_segment_options": f"movflags={cmaf}" + (f":video_track_timescale={timescale}" if timescale else ""),
        "hls_fmp4_init_filename": INIT,
        "hls_segment_filename": f"{folder}/{SEGMENT}",
    }


def scan_arguments(address: str, *, stream: int, at_s: float, lasts_s: float) -> list[str]:
    """Return the arguments that print, for each frame of a sample, how many frames so far were interlaced."""
    source = ffmpeg.input(address, ss=f"{at_s:.3f}", t=f"{lasts_s:.3f}", **input_options(address))
    frames = source[str(stream)].filter("idet").filter("metadata", mode="print", file="-")
    return joined_arguments(ffmpeg.output(frames, "-", f="null"))


def remux_arguments(address: str, *, streams: list[int], codec: str, target: Path) -> list[str]:
    """Return the arguments that copy streams of an unindexed source into a Matroska file with frame-exact seeks.

    A picture whose time is damaged gets the time at which it is due according to its decode time. Otherwise, a single
    one would make the film last for hours, or end the copy.
    """
    source = ffmpeg.input(address, fflags="+genpts", **input_options(address))
    unpacked = "mpeg4_unpack_bframes," if codec == "mpeg4" else ""
    options = {"c": "copy", "f": "matroska", "map_metadata": -1, "bsf:v": f"{unpacked}setts=pts='{_LIKELY_TIME}'"}
    return joined_arguments(ffmpeg.output(*(source[str(index)] for index in streams), str(target), **options))


def subtitle_arguments(address: str, *, stream: int, codec: str, target: Path) -> list[str]:
    """Return the arguments that write one subtitle stream with the film's times to a file, as it is if possible.

    ffmpeg reads the text of some codecs only, and its conversion to WebVTT loses places, colours and the text `<me>`.
    A stream whose codec is unknown or has no text file becomes SubRip.
    """
    source = ffmpeg.input(address, copyts=None, start_at_zero=None, **input_options(address))
    extracted = (
        {"c:s": "copy", "f": SUBTITLE_FILES[codec]} if codec in SUBTITLE_FILES else {"c:s": "subrip", "f": "srt"}
    )
    return joined_arguments(ffmpeg.output(source[str(stream)], str(target), **extracted))


def strip_arguments(source: Path, target: Path, *, pictures: int) -> list[str]:
    """Return the arguments that tile the key frames of a joined rendition into one image, one thumbnail per segment.

    The input is the finished segments. An extra output in the chunk's own filter graph is not usable: its frames are so
    rare that ffmpeg would queue hundreds of frames for every other output.
    """
    frames = ffmpeg.input(str(source), skip_frame="nokey", **input_options(str(source))).video
    strip = frames.filter("scale", THUMBNAIL_WIDTH, -2).filter("tile", f"{pictures}x1")
    return joined_arguments(ffmpeg.output(strip, str(target), **_PICTURE, **{"q:v": 5}))


def still_arguments(source: Path, target: Path, *, key: bytes | None = None) -> list[str]:
    """Return the arguments that pick the most representative frame of a segment joined to its init, as a JPEG.

    `key` decrypts the segment; the arguments must then not be logged.
    """
    frames = ffmpeg.input(str(source), **decryption(key), **input_options(str(source))).video.filter(
        "thumbnail", STILL_FRAMES
    )
    return joined_arguments(ffmpeg.output(frames, str(target), **_PICTURE, **{"q:v": 3}))


def decode_arguments(source: Path, *, key: bytes | None = None) -> list[str]:
    """Return the arguments that decode a file and discard the result; ffmpeg ends with an error at the first fault.

    `key` decrypts the file; the arguments must then not be logged.
    """
    decoded = ffmpeg.input(str(source), **decryption(key), **input_options(str(source)))
    return joined_arguments(ffmpeg.output(decoded, "-", f="null", xerror=None))


def joined_arguments(*outputs: Any) -> list[str]:
    """Return the arguments of one ffmpeg with these outputs."""
    joined = ffmpeg.merge_outputs(*outputs) if len(outputs) > 1 else outputs[0]
    arguments: list[str] = ffmpeg.get_args(joined)
    return arguments


def decryption(key: bytes | None) -> dict[str, str]:
    """Return the option that decrypts an input with a key, if there is one."""
    return {"decryption_key": key.hex()} if key else {}


def moved(shift: Fraction) -> dict[str, str]:
    """Return the option that moves the times of an input back by the picture's shift, in seconds."""
    return {"itsoffset": seconds_text(-shift)} if shift else {}


def seconds_text(exact: Fraction) -> str:
    """Return seconds as text, rounded to microseconds, the precision of ffmpeg's options."""
    return f"{float(exact):.6f}"


def ratio_text(rate: Fraction) -> str:
    """Return a frame rate as an exact fraction for ffmpeg, such as 24000/1001."""
    return f"{rate.numerator}/{rate.denominator}"
