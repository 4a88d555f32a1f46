"""Encrypted films: what is stored decodes to the same pictures and sound with its key, and to nothing without it.

ffmpeg decrypts here, so the scheme is checked by another implementation.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from functions.encoding.formats.common_encryption import CRYPT_BLOCKS, SKIP_BLOCKS, TrackCipher
from functions.encoding.formats.h264 import read_configuration, unit_type, units_of
from functions.encoding.formats.h264_slices import CODED_SLICES, SliceHeaders
from functions.encoding.formats.iso_bmff import IsoBox, top_boxes
from functions.encoding.formats.segments import read_init, read_segment
from functions.encoding.model import JobStatus
from functions.platform.film_keys import KEY_FILE
from functions.platform.messages import PublishTitle
from tests.support.conformance import findings, needs_checker
from tests.support.copied_films import X264, front_of
from tests.support.encoder import Encoder
from tests.support.media import Film, Sound, make_film
from tests.support.published import Published
from tests.support.source_makers import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.progress import JobProgress

SECRET = "f" * 32
KEY, KEY_ID, IV = bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 48))
FILM = Film(frames=24 * 14, width=640, height=360, sounds=(Sound(), Sound(440, channels=6)), video=X264)
"""A film whose pictures and first sound are copied; a second rendition, and the second sound in stereo, are encoded."""

STREAMS = {
    "B frames with weights": ("-bf", "3", "-x264-params", "weightb=1:weightp=2:ref=4"),
    "several slices": ("-x264-params", "slices=4"),
    "without arithmetic coding": ("-profile:v", "baseline", "-bf", "0"),
    "interlaced fields": ("-flags", "+ilme+ildct", "-x264-params", "interlaced=1:bff=1"),
    "4:4:4": ("-pix_fmt", "yuv444p", "-profile:v", "high444"),
    "no deblocking, long pyramid": ("-x264-params", "no-deblock=1:bframes=8:b-pyramid=normal:open-gop=1"),
}


def frames_of(path: Path, *options: str) -> list[str]:
    """Decode a file; return a checksum of each frame. Raises ValueError if it does not decode."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-xerror", *options, "-i", str(path), "-f", "framemd5", "-"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, text=True)
    if done.returncode or done.stderr:
        raise ValueError(done.stderr[:500])
    return [line.rpartition(",")[2].strip() for line in done.stdout.splitlines() if not line.startswith("#")]


def joined(folder: Path, target: Path) -> Path:
    """Write the init segment and the segments in a folder into one file, and return it."""
    target.write_bytes(b"".join(path.read_bytes() for path in (folder / "init.mp4", *sorted(folder.glob("s*.m4s")))))
    return target


def segments_of(tmp_path: Path, *options: str) -> Path:
    """Encode six seconds into segments; return their folder."""
    folder = tmp_path / "clear"
    folder.mkdir()
    source = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=24:d=6,format=yuv420p")
    hls = ("-f", "hls", "-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4", "-hls_time", "2")
    flags = ("-hls_segment_options", "movflags=+cmaf+frag_discont:use_editlist=0")
    encode = ("-c:v", "libx264", "-preset", "veryfast", "-g", "48", *options)
    ffmpeg(*source, *encode, *hls, *flags, "-hls_segment_filename", folder / "s%05d.m4s", folder / "list.m3u8")
    return folder


@pytest.mark.parametrize("stream", STREAMS)
def test_encrypted_pictures_decode_to_the_same_frames_with_their_key(stream: str, tmp_path: Path) -> None:
    clear, encrypted = segments_of(tmp_path, *STREAMS[stream]), tmp_path / "encrypted"
    encrypted.mkdir()
    cipher = TrackCipher(KEY, key_id=KEY_ID, iv=IV)
    (encrypted / "init.mp4").write_bytes(cipher.encrypted_init(clear / "init.mp4"))
    for path in sorted(clear.glob("s*.m4s")):
        (encrypted / path.name).write_bytes(cipher.encrypted_segment(path))
        assert cipher.encrypted_segment(path) == (encrypted / path.name).read_bytes(), "the same bytes each time"
    before, after = read_init(clear / "init.mp4"), read_init(encrypted / "init.mp4")
    assert (after.codec, after.timescale, after.key_id) == (before.codec, before.timescale, KEY_ID.hex())
    first = [read_segment(folder / "s00000.m4s", before) for folder in (clear, encrypted)]
    assert first[0].samples == first[1].samples
    expected = frames_of(joined(clear, tmp_path / "clear.mp4"))
    whole = joined(encrypted, tmp_path / "encrypted.mp4")
    assert frames_of(whole, "-decryption_key", KEY.hex()) == expected
    with pytest.raises(ValueError, match=r"\S"):
        frames_of(whole)


@pytest.mark.parametrize("stream", STREAMS)
def test_headers_of_slices_end_where_another_parser_says(stream: str, tmp_path: Path) -> None:
    """ffmpeg prints the bits of each header; its last line of a header is followed by the data of the slice."""
    folder = segments_of(tmp_path, *STREAMS[stream])
    whole = joined(folder, tmp_path / "film.mp4")
    command = ["ffmpeg", "-nostdin", "-v", "trace", "-i", str(whole), "-c", "copy", "-bsf:v", "trace_headers"]
    done = subprocess.run([*command, "-f", "null", "-"], capture_output=True, check=True, timeout=120, text=True)
    expected = _ends_of_headers(done.stderr)
    configuration = read_configuration(_configuration(folder / "init.mp4"))
    headers = SliceHeaders(configuration)
    found = [
        len(unit[: headers.length(unit)].replace(b"\0\0\3", b"\0\0"))
        for path in sorted(folder.glob("s*.m4s"))
        for unit in _units(path, configuration.length_size)
        if unit_type(unit) in CODED_SLICES
    ]
    assert len(found) >= 24 * 6
    assert found == expected


def _ends_of_headers(trace: str) -> list[int]:
    """Return the lengths of the slice headers in a trace, in bytes, rounded up, without bytes against start codes."""
    ends: list[int] = []
    is_header = False
    for line in trace.splitlines():
        if not line.startswith("[trace_headers @"):  # other threads write too
            continue
        text = line.partition("] ")[2]
        field = re.match(r"(\d+) +(\S+) +([01]+) = ", text)
        if field is None:
            is_header = text == "Slice Header"
            ends += [0] if is_header else []
        elif is_header and field[2] != "cabac_alignment_one_bit":
            ends[-1] = -(-(int(field[1]) + len(field[3])) // 8)
    return ends


def _configuration(init: Path) -> bytes:
    (moov,) = top_boxes(init, b"moov")
    description = IsoBox(init, "moov", moov).one("trak", "mdia", "minf", "stbl", "stsd")
    description.take(8)
    entry = description.one("avc1")
    entry.take(78)
    return entry.one("avcC").body


def _units(segment: Path, length_size: int) -> list[bytes]:
    """Return the units of all pictures of a segment, in the order in which they are stored."""
    return [unit for mdat in top_boxes(segment, b"mdat") for unit in units_of(mdat, length_size)]


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Encoder, JobProgress]:
    """Return an encoder that has encrypted a film, and the film's progress."""
    folder = tmp_path_factory.mktemp("encrypted")
    return encrypted(make_film(FILM, folder), folder)


def encrypted(source: Path, folder: Path) -> tuple[Encoder, JobProgress]:
    encoder = Encoder(folder / "storage", encrypt_films="always", film_keys=SECRET)
    progress = encoder.encode(source)
    assert progress.status is JobStatus.READY, progress.reason
    return encoder, progress


def test_all_tracks_are_encrypted_with_the_key_of_the_film(
    encoded: tuple[Encoder, JobProgress], tmp_path: Path
) -> None:
    encoder, progress = encoded
    key, published = encoder.key(progress), Published(encoder.published(progress))
    assert published.faults() == []
    assert [track.name for track in published.tracks] == ["c360", "v234", "c0", "a1", "c2"]
    for track in published.tracks:
        folder = published.folder / track.name
        assert read_init(folder / "init.mp4").key_id == key.key_id.hex()
        whole = joined(folder, tmp_path / f"{track.name}.mp4")
        assert frames_of(whole, "-decryption_key", key.key.hex())
        with pytest.raises(ValueError, match=r"\S"):
            frames_of(whole, "-decryption_key", "0" * 32)


def test_pictures_of_an_encrypted_film_are_those_of_the_same_film_in_clear(
    encoded: tuple[Encoder, JobProgress], tmp_path: Path
) -> None:
    encoder, progress = encoded
    clear = Encoder(tmp_path / "storage")
    same = clear.encode(make_film(FILM, tmp_path))
    key = encoder.key(progress).key.hex()
    for name in ("c360", "c0"):
        one, other = (each.published(done) / name for each, done in ((clear, same), (encoder, progress)))
        decrypted = frames_of(joined(other, tmp_path / f"{name}.mp4"), "-decryption_key", key)
        assert decrypted == frames_of(joined(one, tmp_path / f"{name}-clear.mp4"))


def test_playlists_for_native_players_decode_with_the_key(encoded: tuple[Encoder, JobProgress], tmp_path: Path) -> None:
    """The key is beside the playlists here; the API gives native players another address of it."""
    encoder, progress = encoded
    key, folder = encoder.key(progress), tmp_path / "film"
    shutil.copytree(encoder.published(progress), folder)
    (folder / KEY_FILE).write_bytes(key.key)
    for track in ("c360", "v234", "c0"):
        whole = joined(folder / track, tmp_path / f"{track}.mp4")
        expected = frames_of(whole, "-decryption_key", key.key.hex())
        assert frames_of(folder / f"{track}.m3u8", "-allowed_extensions", "ALL") == expected


def test_manifests_name_the_key_but_nothing_that_is_stored_contains_it(
    encoded: tuple[Encoder, JobProgress],
) -> None:
    encoder, progress = encoded
    key = encoder.key(progress)
    job, folder = encoder.job(progress), encoder.published(progress)
    assert job.key_id == key.key_id.hex()
    title = encoder.world.world.titles.get(job.title_id)
    assert title
    assert title.playback
    assert title.playback.key_id == job.key_id
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert key.key not in content
        assert key.key.hex().encode() not in content
    for text in (repr(key), repr(job), repr(title)):
        assert key.key.hex() not in text
    assert key.key_id.hex() in (folder / "manifest.mpd").read_text().replace("-", "")
    assert "METHOD=SAMPLE-AES" in (folder / "v234.m3u8").read_text()


def test_an_encrypted_film_is_verified_and_damage_is_repaired(encoded: tuple[Encoder, JobProgress]) -> None:
    encoder, progress = encoded
    verify = PublishTitle(progress.job_id, verify=True)
    encoder.world.service.verify_job(progress.job_id)
    encoder.continue_job(progress.job_id, [verify])
    verified = encoder.job(progress).verified
    assert verified
    assert verified.damaged == 0
    kept = {path: path.read_bytes() for path in (encoder.published(progress) / "a1").glob("s*.m4s")}
    for path, content in kept.items():  # each verification decodes only some of them
        path.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))
    encoder.world.service.retry_job(progress.job_id)
    repaired = encoder.continue_job(progress.job_id, [verify])
    assert repaired.status is JobStatus.READY
    for path, content in kept.items():
        assert path.read_bytes() == content, f"{path.name} is encoded and encrypted again, to the same bytes"


def test_the_api_app_writes_the_bytes_that_the_encoder_writes(tmp_path: Path) -> None:
    """The first seconds of an upload are encrypted by the API app."""
    film = make_film(Film(frames=24 * 20, width=640, height=360, video=X264), tmp_path)
    encoder, progress = encrypted(film, tmp_path)
    other = Encoder(tmp_path / "other", encrypt_films="always", film_keys=SECRET)
    job_id = other.upload(film)
    assert front_of(other).publish(job_id)
    front = other.media.folder / f"title-{progress.title_id}" / job_id
    stored = [path.relative_to(front) for path in front.rglob("*") if path.suffix in (".m4s", ".mp4")]
    assert len(stored) >= 4
    assert job_id == progress.job_id
    for name in stored:
        assert (front / name).read_bytes() == (encoder.published(progress) / name).read_bytes()


@needs_checker
def test_manifests_of_an_encrypted_film_conform(encoded: tuple[Encoder, JobProgress]) -> None:
    encoder, progress = encoded
    folder = encoder.published(progress)
    assert findings("manifest.mpd", folder=folder) == ""
    assert findings("--segments", ".", folder=folder) == ""


def test_one_block_in_ten_of_a_slice_is_encrypted(tmp_path: Path) -> None:
    clear = segments_of(tmp_path)
    cipher = TrackCipher(KEY, key_id=KEY_ID, iv=IV)
    cipher.encrypted_init(clear / "init.mp4")
    configuration = read_configuration(_configuration(clear / "init.mp4"))
    headers, checked = SliceHeaders(configuration), 0
    path = clear / "s00000.m4s"
    changed = tmp_path / "encrypted.m4s"
    changed.write_bytes(cipher.encrypted_segment(path))
    for one, other in zip(_units(path, 4), _units(changed, 4), strict=True):
        if unit_type(one) not in CODED_SLICES:
            assert one == other
            continue
        data = headers.length(one)
        assert one[:data] == other[:data]
        for number, at in enumerate(range(data, len(one), 16)):
            is_encrypted = number % (CRYPT_BLOCKS + SKIP_BLOCKS) == 0 and at + 16 <= len(one)
            assert (one[at : at + 16] != other[at : at + 16]) == is_encrypted
            checked += is_encrypted
    assert checked > 10
