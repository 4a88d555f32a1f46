"""Encrypted pictures in AV1: only tiles are encrypted, where another parser finds them, and they decode with the key.

SVT-AV1 writes the streams that are published. libaom writes others, because its headers have more of the fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.encoding.av1_encode import Av1Status
from functions.encoding.formats.av1_tiles import TileReader
from functions.encoding.formats.common_encryption import (
    CRYPT_BLOCKS,
    SKIP_BLOCKS,
    CannotEncrypt,
    TrackCipher,
)
from functions.encoding.formats.h264 import MalformedStream
from functions.encoding.formats.iso_bmff import IsoBox, top_boxes
from functions.encoding.formats.protected_ranges import BLOCK
from functions.encoding.formats.segments import read_init, read_segment
from tests.integration.encoding.test_av1 import verified
from tests.integration.encoding.test_encryption import IV, KEY, KEY_ID, encrypted, frames_of, joined
from tests.support.av1_traces import set_fields, traced_tiles, traced_units
from tests.support.conformance import findings, needs_checker
from tests.support.copied_films import X264
from tests.support.media import Film, make_film
from tests.support.published import Published
from tests.support.source_makers import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.progress import JobProgress
    from tests.support.encoder import Encoder

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

REFUSED = {
    "many tiles": (LARGE, YUV, *SVT, "-svtav1-params", "tile-columns=2:tile-rows=2"),
    "scaled frames": (NOISE, YUV, *SVT, "-svtav1-params", "superres-mode=1:superres-denom=12"),
    "switch frames": (TEST, YUV, *SVT, "-svtav1-params", "sframe-dist=8:sframe-mode=1:pred-struct=1"),
    "numbered frames": (TEST, YUV, *AOM, "-aom-params", "error-resilient=1"),
}


def segments_of(tmp_path: Path, source: str, pixels: str, *encode: str) -> Path:
    """Encode a source into segments of a second; return their folder."""
    folder = tmp_path / "clear"
    folder.mkdir()
    hls = ("-f", "hls", "-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4", "-hls_time", "1")
    flags = ("-hls_segment_options", "movflags=+cmaf+frag_discont:use_editlist=0", "-g", "24", "-strict", "1")
    output = ("-hls_segment_filename", folder / "s%05d.m4s", folder / "list.m3u8")
    ffmpeg("-f", "lavfi", "-i", f"{source},format={pixels}", *encode, *hls, *flags, *output)
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


def encrypted_copy(clear: Path, folder: Path) -> Path:
    """Encrypt the segments in a folder; return the folder with the encrypted ones."""
    folder.mkdir()
    cipher = TrackCipher(KEY, key_id=KEY_ID, iv=IV)
    (folder / "init.mp4").write_bytes(cipher.encrypted_init(clear / "init.mp4"))
    for path in sorted(clear.glob("s*.m4s")):
        (folder / path.name).write_bytes(cipher.encrypted_segment(path))
    return folder


@pytest.mark.parametrize("stream", STREAMS)
def test_tiles_are_where_another_parser_says(stream: str, tmp_path: Path) -> None:
    folder = segments_of(tmp_path, *STREAMS[stream])
    traced = traced_units(joined(folder, tmp_path / "film.mp4"))
    segments = sorted(folder.glob("s*.m4s"))
    samples = [sample for path in segments for sample in samples_of(path)]
    expected = [list(traced_tiles(units, sample)) for units, sample in zip(traced, samples, strict=True)]
    assert [tiles for path in segments for tiles in tiles_of(path)] == expected
    assert sum(map(len, expected)) >= 4
    if stream in TELLING:
        assert set_fields(traced)[TELLING[stream]] > 0


@pytest.mark.parametrize("stream", STREAMS)
def test_encrypted_pictures_decode_to_the_same_frames_with_their_key(stream: str, tmp_path: Path) -> None:
    clear = segments_of(tmp_path, *STREAMS[stream])
    encrypted = encrypted_copy(clear, tmp_path / "encrypted")
    before, after = read_init(clear / "init.mp4"), read_init(encrypted / "init.mp4")
    assert (after.codec, after.timescale, after.key_id) == (before.codec, before.timescale, KEY_ID.hex())
    assert after.codec.startswith("av01.")
    first = [read_segment(folder / "s00000.m4s", before) for folder in (clear, encrypted)]
    assert first[0].samples == first[1].samples
    expected = frames_of(joined(clear, tmp_path / "clear.mp4"))
    whole = joined(encrypted, tmp_path / "encrypted.mp4")
    assert frames_of(whole, "-decryption_key", KEY.hex()) == expected
    assert frames_or_none(whole) != expected
    assert frames_or_none(whole, "-decryption_key", "0" * 32) != expected


def frames_or_none(path: Path, *options: str) -> list[str] | None:
    """Return a checksum of each frame, None if the file does not decode."""
    try:
        return frames_of(path, *options)
    except ValueError:
        return None


@pytest.mark.parametrize("stream", ["as published", "tiles", "smallest size", "groups of tiles"])
def test_one_block_in_ten_of_a_tile_is_encrypted_and_nothing_else(stream: str, tmp_path: Path) -> None:
    clear = segments_of(tmp_path, *STREAMS[stream])
    encrypted = encrypted_copy(clear, tmp_path / "encrypted")
    changed = 0
    for path in sorted(clear.glob("s*.m4s")):
        for before, after, tiles in zip(
            samples_of(path), samples_of(encrypted / path.name), tiles_of(path), strict=True
        ):
            expected = bytearray(before)
            for tile in tiles:
                for at in range(tile.start, tile.stop - BLOCK + 1, BLOCK * (CRYPT_BLOCKS + SKIP_BLOCKS)):
                    assert before[at : at + BLOCK] != after[at : at + BLOCK]
                    expected[at : at + BLOCK] = after[at : at + BLOCK]
                    changed += 1
            assert after == expected
    assert changed > 10


@pytest.mark.parametrize("stream", ["as published", "tiles"])
def test_each_tile_has_an_entry_that_covers_it(stream: str, tmp_path: Path) -> None:
    """Tiles that are too short to be encrypted have one too."""
    clear = segments_of(tmp_path, *STREAMS[stream])
    encrypted = encrypted_copy(clear, tmp_path / "encrypted")
    lengths: list[int] = []
    for path in sorted(clear.glob("s*.m4s")):
        found = zip(entries_of(encrypted / path.name), samples_of(path), tiles_of(path), strict=True)
        for entries, sample, tiles in found:
            at, covered = 0, []
            for unencrypted, protected in entries:
                at += unencrypted + protected
                covered += [range(at - protected, at)] if protected else []
            assert (at, covered) == (len(sample), tiles)
            lengths += map(len, tiles)
    assert (min(lengths) < BLOCK) == (stream == "tiles")


def entries_of(segment: Path) -> list[list[tuple[int, int]]]:
    """Return the entries of each sample in the box senc of a segment."""
    (moof,) = top_boxes(segment, b"moof")
    senc = IsoBox(segment, "moof", moof).one("traf", "senc")
    assert senc.version_and_flags() == (0, 2)
    return [[(senc.number(2), senc.number(4)) for _ in range(senc.number(2))] for _ in range(senc.number(4))]


@pytest.mark.parametrize("stream", REFUSED)
def test_streams_that_the_parser_does_not_know_are_refused(stream: str, tmp_path: Path) -> None:
    clear = segments_of(tmp_path, *REFUSED[stream])
    with pytest.raises(CannotEncrypt, match=r"cannot be encrypted: |has a picture of more than"):
        encrypted_copy(clear, tmp_path / "encrypted")


def test_cut_samples_and_those_without_a_beginning_are_refused(tmp_path: Path) -> None:
    (path, *_) = sorted(segments_of(tmp_path, *STREAMS["tiles"]).glob("s*.m4s"))
    samples = samples_of(path)
    for cut in range(1, len(samples[0]), 97):
        with pytest.raises(MalformedStream):
            TileReader().tiles_in(samples[0][:cut])
    with pytest.raises(MalformedStream):
        TileReader().tiles_in(samples[1])
    reader = TileReader()
    reader.tiles_in(samples[0])
    with pytest.raises(MalformedStream):
        reader.tiles_in(samples[1][:-1])


@pytest.fixture(scope="module")
def title(tmp_path_factory: pytest.TempPathFactory) -> tuple[Encoder, JobProgress]:
    """Return an encoder that has encrypted a title in H.264 and in AV1, and the title's progress."""
    folder = tmp_path_factory.mktemp("title")
    film = Film(frames=24 * 6, width=320, height=180, video=X264)
    encoder, progress = encrypted(make_film(film, folder), folder)
    job = encoder.encode_av1(progress)
    assert job.av1
    assert job.av1.status is Av1Status.COMPLETE, job.av1.reason
    return encoder, progress


def test_title_in_av1_is_encrypted_with_the_key_of_the_film(title: tuple[Encoder, JobProgress], tmp_path: Path) -> None:
    encoder, progress = title
    key, published = encoder.key(progress), Published(encoder.published(progress))
    assert published.faults() == []
    tracks = [track for track in published.of("video") if track.codec.startswith("av01.")]
    assert tracks
    for track in tracks:
        init = read_init(published.folder / track.name / "init.mp4")
        assert (init.key_id, init.codec) == (key.key_id.hex(), track.codec)
        whole = joined(published.folder / track.name, tmp_path / "film.mp4")
        shown = frames_of(whole, "-decryption_key", key.key.hex())
        assert len(shown) == 24 * 6
        assert frames_or_none(whole, "-decryption_key", "0" * 32) != shown
        playlist = (published.folder / f"{track.name}.m3u8").read_text()
        assert f"IV=0x{key.iv(track.name).hex()}" in playlist
    manifest = (published.folder / "manifest.mpd").read_text()
    assert manifest.count('value="cbcs"') == manifest.count("<AdaptationSet") == 3
    assert "av01." in (published.folder / "master.m3u8").read_text()


def test_title_in_av1_is_verified_and_damage_is_repaired(title: tuple[Encoder, JobProgress]) -> None:
    encoder, progress = title
    whole = verified(encoder, encoder.job(progress))
    assert whole.verified
    assert whole.verified.damaged == 0
    (folder,) = (path for path in encoder.published(progress).glob("av*") if path.is_dir())
    for path in folder.glob("s*.m4s"):
        content = path.read_bytes()
        path.write_bytes(content[:-200] + bytes(200))
    repaired = verified(encoder, whole)
    assert repaired.av1
    assert repaired.av1.status is Av1Status.ENCODING, "it is taken off the manifests"
    encoder.av1_pipeline.run_next()
    assert frames_of(joined(folder, folder / "film.mp4"), "-decryption_key", encoder.key(progress).key.hex())
    (folder / "film.mp4").unlink()
    again = verified(encoder, encoder.job(progress))
    assert again.verified
    assert again.verified.damaged == 0


@needs_checker
def test_manifests_of_an_encrypted_title_in_av1_conform(title: tuple[Encoder, JobProgress]) -> None:
    encoder, progress = title
    folder = encoder.published(progress)
    assert findings("manifest.mpd", folder=folder) == ""
    assert findings("--segments", ".", folder=folder) == ""
