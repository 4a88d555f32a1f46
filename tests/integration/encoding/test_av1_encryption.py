"""Encrypted pictures in AV1: only tiles are encrypted, where another parser finds them, and they decode with the key.

ffmpeg decrypts here, so the scheme is checked by another implementation.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from functions.encoding.av1_encode import MOST_ATTEMPTS, Av1Status
from functions.encoding.formats import common_encryption
from functions.encoding.formats.common_encryption import (
    CRYPT_BLOCKS,
    SKIP_BLOCKS,
    CannotEncrypt,
    TrackCipher,
)
from functions.encoding.formats.iso_bmff import IsoBox, top_boxes
from functions.encoding.formats.protected_ranges import BLOCK
from functions.encoding.formats.segments import read_init, read_segment
from functions.platform.errors import EncodeFault
from functions.platform.film_keys import KEY_FILE
from tests.integration.encoding.test_av1 import verified
from tests.integration.encoding.test_encryption import IV, KEY, KEY_ID, encrypted, frames_of, joined
from tests.support.av1_streams import (
    AOM,
    LARGE,
    NOISE,
    QUICK,
    STREAMS,
    SVT,
    TEST,
    YUV,
    samples_of,
    segments_of,
    tiles_of,
)
from tests.support.cases import always, extended
from tests.support.conformance import findings, needs_checker
from tests.support.copied_films import X264
from tests.support.media import Film, make_film
from tests.support.published import Published

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.progress import JobProgress
    from tests.support.encoder import Encoder

FILM = Film(frames=24 * 6, width=320, height=180, video=X264)
REASON = "Chunk 0 could not be encrypted in AV1."

REFUSED = {
    "many tiles": (LARGE, YUV, *SVT, "-svtav1-params", "tile-columns=2:tile-rows=2"),
    "scaled frames": (NOISE, YUV, *SVT, "-svtav1-params", "superres-mode=1:superres-denom=12"),
    "switch frames": (TEST, YUV, *SVT, "-svtav1-params", "sframe-dist=8:sframe-mode=1:pred-struct=1"),
    "numbered frames": (TEST, YUV, *AOM, "-aom-params", "error-resilient=1"),
}


def encrypted_copy(clear: Path, folder: Path) -> Path:
    """Encrypt the segments in a folder; return the folder with the encrypted ones."""
    folder.mkdir()
    cipher = TrackCipher(KEY, key_id=KEY_ID, iv=IV)
    (folder / "init.mp4").write_bytes(cipher.encrypted_init(clear / "init.mp4"))
    for path in sorted(clear.glob("s*.m4s")):
        (folder / path.name).write_bytes(cipher.encrypted_segment(path))
    return folder


@pytest.mark.parametrize("stream", always(QUICK, STREAMS))
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


@pytest.mark.parametrize("stream", ["as published", "tiles", extended("smallest size"), extended("groups of tiles")])
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


@pytest.mark.parametrize("stream", always(("many tiles", "switch frames"), REFUSED))
def test_streams_that_the_parser_does_not_know_are_refused(stream: str, tmp_path: Path) -> None:
    clear = segments_of(tmp_path, *REFUSED[stream])
    with pytest.raises(CannotEncrypt, match=r"cannot be encrypted: |has a picture of more than"):
        encrypted_copy(clear, tmp_path / "encrypted")


@pytest.fixture(scope="module")
def title(tmp_path_factory: pytest.TempPathFactory) -> tuple[Encoder, JobProgress]:
    """Return an encoder that has encrypted a title in H.264 and in AV1, and the title's progress."""
    folder = tmp_path_factory.mktemp("title")
    encoder, progress = encrypted(make_film(FILM, folder), folder)
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


def test_playlists_in_av1_for_native_players_decode_with_the_key(
    title: tuple[Encoder, JobProgress], tmp_path: Path
) -> None:
    """The key is beside the playlists here; the API gives native players another address of it."""
    encoder, progress = title
    key, folder = encoder.key(progress), tmp_path / "film"
    shutil.copytree(encoder.published(progress), folder)
    (folder / KEY_FILE).write_bytes(key.key)
    expected = frames_of(joined(folder / "av180", tmp_path / "film.mp4"), "-decryption_key", key.key.hex())
    assert frames_of(folder / "av180.m3u8", "-allowed_extensions", "ALL") == expected


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


def test_title_whose_pictures_cannot_be_encrypted_keeps_h264(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, progress = encrypted(make_film(FILM, tmp_path), tmp_path)
    assert encoder.world.av1.begin_encode(progress.job_id, at=encoder.world.clock(), reason="A test encodes it.")
    monkeypatch.setattr(common_encryption, "MOST_ENTRIES", 0)
    for _ in range(MOST_ATTEMPTS - 1):
        with pytest.raises(EncodeFault, match=REASON):
            encoder.av1_pipeline.run_next()
    encoder.av1_pipeline.run_next()
    encode = encoder.job(progress).av1
    assert encode
    assert (encode.status, encode.reason) == (Av1Status.ABANDONED, REASON)
    assert "av01." not in (encoder.published(progress) / "manifest.mpd").read_text()
    assert not list(encoder.published(progress).glob("av*/s*")), "nothing is stored that is not encrypted"


@needs_checker
def test_manifests_of_an_encrypted_title_in_av1_conform(title: tuple[Encoder, JobProgress]) -> None:
    encoder, progress = title
    folder = encoder.published(progress)
    assert findings("manifest.mpd", folder=folder) == ""
    assert findings("--segments", ".", folder=folder) == ""
