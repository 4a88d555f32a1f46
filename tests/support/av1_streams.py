"""Small videos in AV1: those that SVT-AV1 writes for Notflix, and those of libaom, whose headers have other fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.encoding.formats.av1_tiles import TileReader
from functions.encoding.formats.iso_bmff import IsoBox, top_boxes
from tests.support.source_makers import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

SVT = ("-c:v", "libsvtav1", "-preset", "8", "-crf", "32")
AOM = ("-c:v", "libaom-av1", "-cpu-used", "5", "-crf", "35", "-threads", "1")
TEST = "testsrc2=s=320x180:r=24:d=2"
NOISE = "testsrc2=s=320x180:r=24:d=2,noise=alls=20:allf=t"
ZOOM = "mandelbrot=s=192x108:r=24,trim=duration=1"
LARGE = "testsrc2=s=640x360:r=24:d=1"
CUTS = "testsrc2=s=320x180:r=24:d=2,hue=H=2*PI*floor(3*t):s=4*mod(floor(3*t)\\,2),negate=enable=lt(mod(t\\,0.6)\\,0.3)"
YUV = "yuv420p"

STREAMS = {
    "as published": (TEST, YUV, *SVT, "-maxrate", "300k", "-bufsize", "600k", "-svtav1-params", "lp=2"),
    "film grain": (NOISE, YUV, *SVT, "-svtav1-params", "film-grain=10"),
    "tiles": (LARGE, YUV, *SVT, "-svtav1-params", "tile-columns=1:tile-rows=1"),
    "10 bits": (TEST, "yuv420p10", *SVT),
    "smallest size": ("testsrc2=s=64x64:r=24:d=2", YUV, *SVT),
    "more columns than a tile may have": ("testsrc2=s=4352x64:r=24:d=0.2", YUV, *SVT),
    "more frames than order hints": ("testsrc2=s=64x64:r=60:d=5", YUV, *SVT, "-g", "300", "-hls_time", "5"),
    "scene cuts": (CUTS, YUV, *SVT),
    "screen content": (TEST, YUV, *SVT, "-svtav1-params", "scm=1"),
    "slow preset": (ZOOM, YUV, "-c:v", "libsvtav1", "-preset", "3", "-crf", "32"),
    "low delay": (TEST, YUV, *SVT, "-svtav1-params", "pred-struct=1"),
    "segments": (NOISE, YUV, *SVT, "-svtav1-params", "aq-mode=1"),
    "quantizer matrices": (NOISE, YUV, *SVT, "-svtav1-params", "enable-qm=1"),
    "other sizes": (NOISE, YUV, *SVT, "-svtav1-params", "resize-mode=1:resize-denom=12:resize-kf-denom=12"),
    "without loss": (ZOOM, YUV, "-c:v", "libsvtav1", "-preset", "8", "-qp", "0"),
    "global motion": (ZOOM, YUV, *AOM),
    "groups of tiles": (LARGE, YUV, *AOM, "-aom-params", "tile-columns=1:tile-rows=1:num-tile-groups=3"),
    "tiles of several widths": (LARGE, YUV, *AOM, "-aom-params", "tile-width=6,4:tile-height=2,4"),
    "segments of earlier frames": (ZOOM, YUV, *AOM, "-aq-mode", "1"),
    "without order": (ZOOM, YUV, *AOM, "-aom-params", "enable-order-hint=0"),
    "large blocks": (LARGE, YUV, *AOM, "-aom-params", "sb-size=128"),
    "gray": (TEST, "gray", *AOM),
    "4:4:4": (ZOOM, "yuv444p", *AOM),
    "4:4:4 without loss": (ZOOM, "yuv444p", *AOM, "-aom-params", "lossless=1"),
    "RGB": (ZOOM, "gbrp", *AOM),
    "film grain of all kinds": (TEST, "yuv420p10", *AOM, "-aom-params", "film-grain-test=12"),
}

QUICK = ("as published", "film grain", "tiles", "10 bits", "scene cuts", "groups of tiles", "4:4:4")
"""A stream of each kind."""

TELLING = {
    "film grain": "apply_grain",
    "tiles": "tile_cols_log2",
    "more columns than a tile may have": "tile_cols_log2",
    "screen content": "allow_screen_content_tools",
    "segments": "segmentation_enabled",
    "quantizer matrices": "using_qmatrix",
    "other sizes": "found_ref[0]",
    "global motion": "is_global[1]",
    "groups of tiles": "tile_start_and_end_present_flag",
    "tiles of several widths": "width_in_sbs_minus_1[0]",
    "segments of earlier frames": "segmentation_enabled",
    "gray": "mono_chrome",
    "large blocks": "use_128x128_superblock",
    "film grain of all kinds": "num_y_points",
}
"""A field that shows that a stream has what its name says."""


def segments_of(tmp_path: Path, source: str, pixels: str, *encode: str) -> Path:
    """Encode a source into segments, by default of a second; return their folder."""
    folder = tmp_path / "clear"
    folder.mkdir()
    hls = ("-f", "hls", "-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4", "-hls_time", "1")
    flags = ("-hls_segment_options", "movflags=+cmaf+frag_discont:use_editlist=0", "-g", "24", "-strict", "1")
    output = ("-hls_segment_filename", folder / "s%05d.m4s", folder / "list.m3u8")
    ffmpeg("-f", "lavfi", "-i", f"{source},format={pixels}", *hls, *flags, *encode, *output)
    return folder


def samples_of(segment: Path) -> list[bytes]:
    """Return the samples of a segment."""
    (mdat,) = top_boxes(segment, b"mdat")
    (moof,) = top_boxes(segment, b"moof")
    run = IsoBox(segment, "moof", moof).one("traf", "trun")
    _, flags = run.version_and_flags()
    count = run.number(4)
    run.take((4 if flags & 1 else 0) + (4 if flags & 4 else 0))
    samples, at = [], 0
    for _ in range(count):
        run.take(4 if flags & 0x100 else 0)
        size = run.number(4)
        run.take((4 if flags & 0x400 else 0) + (4 if flags & 0x800 else 0))
        samples.append(mdat[at : at + size])
        at += size
    assert at == len(mdat)
    return samples


def tiles_of(segment: Path) -> list[list[range]]:
    """Return the tiles of each sample of a segment."""
    reader = TileReader()
    return [reader.tiles_in(sample) for sample in samples_of(segment)]
