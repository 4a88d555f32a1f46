"""Argument lists for ffmpeg, built by ffmpeg-python; nothing is run here.

A comment explains each option that prevents a known defect.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import ffmpeg

from functions.encoding.ffmpeg import input_options

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.model import AudioPlan, Chunk, EncodePlan, FrameGrid, Rendition

PLAYLIST = "closed.m3u8"
INIT = "init.mp4"
SEGMENT = "s%05d.m4s"

ENCODER_THREADS = 2
"""Threads per x264 instance. The encoded bytes depend on this number. Five rungs keep four cores busy."""

THUMBNAIL_WIDTH = 160
STILL_FRAMES = 24

_PICTURE = {"f": "image2", "update": 1, "frames:v": 1, "map_metadata": -1}

_MARGIN_S = {False: Fraction(1, 4), True: Fraction(15)}
"""Seconds that are read before a chunk, for a constant and for a variable frame rate; one frame may last that long."""

_SDR = (
    ("zscale", {"t": "linear", "npl": "100"}),
    ("format", {"pix_fmts": "gbrpf32le"}),
    ("zscale", {"p": "bt709"}),
    ("tonemap", {"tonemap": "hable", "desat": "0"}),
    ("zscale", {"t": "bt709", "m": "bt709", "r": "tv"}),
)


def chunk_arguments(plan: EncodePlan, chunk: Chunk, address: str) -> list[str]:
    """Return the arguments that encode one chunk into its final segments for every rung.

    Writes `<rendition>/init.mp4`, `<rendition>/s%05d.m4s`, and `<rendition>/closed.m3u8`, which lists segments as
    they close. The source is decoded once; each rung is scaled from the one above.
    """
    grid, picture = plan.grid, plan.picture
    margin = _MARGIN_S[picture.variable_rate]
    source = ffmpeg.input(
        address,
        # The trim filter below sets the end: a limit here would be counted from the key frame that the seek finds.
        ss=_seconds(max(grid.seconds(chunk.first_frame) - margin, grid.seconds(0))),
        copyts=None,  # keep the film's timestamps, which determine each chunk's position on the grid
        start_at_zero=None,
        noaccurate_seek=None,  # keep a frame that begins before the seek point and is still displayed at that point
        **input_options(address),
    )
    frames = source[str(picture.stream)]
    if picture.deinterlace:
        frames = frames.filter("bwdif", mode="send_frame", deint="interlaced")
    if picture.shift:
        frames = frames.filter("setpts", f"PTS-{_seconds(picture.shift)}/TB")
    frames = frames.filter("fps", fps=_ratio(grid.rate), start_time=_grid_start(grid, chunk, margin), round="near")
    last = chunk.end_frame == grid.frames
    # The last chunk takes all remaining frames; their number is compared with the plan afterwards.
    frames = frames.filter("trim", start_pts=chunk.first_frame, **({} if last else {"end_pts": chunk.end_frame}))
    if picture.tone_map:
        for name, options in _SDR:
            frames = frames.filter(name, **options)
    outputs = []
    for rendition in plan.renditions:
        frames = frames.filter("scale", rendition.width, rendition.height, flags="bicubic")
        frames = frames.filter("setsar", 1).filter("format", "yuv420p")
        encoded = frames
        if rendition is not plan.renditions[-1]:
            both = frames.filter_multi_output("split", 2)
            encoded, frames = both[0], both[1]
        outputs.append(ffmpeg.output(encoded, f"{rendition.name}/{PLAYLIST}", **_video_options(plan, chunk, rendition)))
    return _arguments(*outputs)


def _grid_start(grid: FrameGrid, chunk: Chunk, margin: Fraction) -> int:
    """Return the last whole second before the chunk's margin that coincides with a frame.

    The fps filter starts counting at this time and fills in frames that it does not receive. Starting at 0 would give
    the same frames, but in a long film it would first generate hundreds of thousands of useless ones.
    """
    step = grid.rate.denominator
    return max(0, int(grid.seconds(chunk.first_frame) - margin) // step * step)


def _video_options(plan: EncodePlan, chunk: Chunk, rendition: Rendition) -> dict[str, Any]:
    grid = plan.grid
    return {
        "c:v": "libx264",
        "preset": plan.preset,
        "threads": ENCODER_THREADS,
        "crf": 23,
        "maxrate": f"{rendition.maxrate_kbps}k",
        "bufsize": f"{2 * rendition.maxrate_kbps}k",
        "g": grid.gop,
        "keyint_min": grid.gop,
        "sc_threshold": 0,
        **_segment_options(rendition.name, cmaf="+cmaf+frag_discont", timescale=grid.timescale),
        # A segment is cut at the first key frame after this time; half a frame is subtracted to allow for rounding.
        "hls_time": _seconds((grid.gop - Fraction(1, 2)) / grid.rate),
        "start_number": chunk.first_segment,
    }


def audio_arguments(track: AudioPlan, address: str, *, shift: Fraction = Fraction(0)) -> list[str]:
    """Return the arguments that encode one whole audio track into `<track>/`, in segments of equal length.

    A gap in the source becomes silence. `shift` is the picture's shift, applied to keep sound and picture in sync.
    """
    source = ffmpeg.input(address, copyts=None, start_at_zero=None, **_moved(shift), **input_options(address))
    sound = source[str(track.stream)].filter("aresample", track.sample_rate, **{"async": 1, "first_pts": 0})
    options = {
        "c:a": "aac",
        "b:a": f"{track.bitrate_kbps}k",
        "ac": track.channels,
        # frag_discont would make the decode time of audio wrap around
        **_segment_options(track.name, cmaf="+cmaf"),
        # rounded down; if rounded up, every segment would lack its last frame
        "hls_time": f"{track.segment_ticks * 1_000_000 // track.sample_rate / 1_000_000:.6f}",
    }
    return _arguments(ffmpeg.output(sound, f"{track.name}/{PLAYLIST}", **options))


def _segment_options(folder: str, *, cmaf: str, timescale: int | None = None) -> dict[str, Any]:
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


def remux_arguments(address: str, *, streams: list[int], codec: str, target: Path) -> list[str]:
    """Return the arguments that copy streams of an unindexed source into a Matroska file with frame-exact seeks."""
    source = ffmpeg.input(address, fflags="+genpts", **input_options(address))
    options = {"c": "copy", "f": "matroska", "map_metadata": -1}
    if codec == "mpeg4":
        options["bsf:v"] = "mpeg4_unpack_bframes"
    return _arguments(ffmpeg.output(*(source[str(index)] for index in streams), str(target), **options))


def subtitle_arguments(address: str, *, stream: int, target: Path, shift: Fraction = Fraction(0)) -> list[str]:
    """Return the arguments that convert one subtitle stream to WebVTT with the film's times minus `shift`."""
    source = ffmpeg.input(address, copyts=None, start_at_zero=None, **_moved(shift), **input_options(address))
    return _arguments(ffmpeg.output(source[str(stream)], str(target), **{"c:s": "webvtt", "f": "webvtt"}))


def strip_arguments(source: Path, target: Path, *, pictures: int) -> list[str]:
    """Return the arguments that tile the key frames of a joined rendition into one image, one thumbnail per segment.

    The input is the finished segments. An extra output in the chunk's own filter graph is not usable: its frames are so
    rare that ffmpeg would queue hundreds of frames for every other output.
    """
    frames = ffmpeg.input(str(source), skip_frame="nokey", **input_options(str(source))).video
    strip = frames.filter("scale", THUMBNAIL_WIDTH, -2).filter("tile", f"{pictures}x1")
    return _arguments(ffmpeg.output(strip, str(target), **_PICTURE, **{"q:v": 5}))


def still_arguments(source: Path, target: Path) -> list[str]:
    """Return the arguments that pick the most representative frame of a segment joined to its init, as a JPEG."""
    frames = ffmpeg.input(str(source), **input_options(str(source))).video.filter("thumbnail", STILL_FRAMES)
    return _arguments(ffmpeg.output(frames, str(target), **_PICTURE, **{"q:v": 3}))


def _arguments(*outputs: Any) -> list[str]:
    joined = ffmpeg.merge_outputs(*outputs) if len(outputs) > 1 else outputs[0]
    arguments: list[str] = ffmpeg.get_args(joined)
    return arguments


def _moved(shift: Fraction) -> dict[str, str]:
    return {"itsoffset": _seconds(-shift)} if shift else {}


def _seconds(exact: Fraction) -> str:
    """Return seconds as text, rounded to microseconds, the precision of ffmpeg's options."""
    return f"{float(exact):.6f}"


def _ratio(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"
