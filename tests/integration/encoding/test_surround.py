"""5.1 sound is published with every channel in its place, at its time, beside a stereo track of the same sound."""

from __future__ import annotations

import subprocess
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from functions.encoding.formats.segments import read_init
from functions.encoding.model import JobStatus
from tests.support.encoder import Encoder
from tests.support.published import Published
from tests.support.source_makers import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

RATE, SECONDS = 48_000, 9
PITCHES = {"FL": 300, "FR": 400, "FC": 500, "LFE": 60, "BL": 700, "BR": 800}
"""A tone for each channel, in the order of 5.1, by which it is recognized."""

AC3 = ("-c:a", "ac3", "-b:a", "640k")

BESIDE = ("SL", "SR")
"""The names of the surround channels at the sides, which AC-3 has instead of those in the back."""


def make_source(folder: Path, name: str, layout: str, *sound: str) -> Path:
    """Make a film whose channels have tones of their own; channels at the sides sound like those in the back."""
    names = [*PITCHES] if layout == "5.1" else [*PITCHES, *BESIDE] if layout == "7.1" else [*list(PITCHES)[:4], *BESIDE]
    pitches = {**PITCHES, "SL": PITCHES["BL"], "SR": PITCHES["BR"]}
    tones = "|".join(f"0.3*sin(2*PI*{pitches[channel]}*t)" for channel in names)
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=640x360:r=24:d={SECONDS}")
    tone = ("-f", "lavfi", "-i", f"aevalsrc='{tones}':s={RATE}:d={SECONDS}:c={layout}")
    path = folder / name
    ffmpeg(*picture, *tone, "-c:v", "libx264", "-preset", "veryfast", "-crf", "40", "-pix_fmt", "yuv420p", *sound, path)
    return path


def joined(track: Path) -> Path:
    """Write the init segment and the segments in a folder into one file, and return it."""
    path = track.with_suffix(".joined.mp4")
    parts = (track / "init.mp4", *sorted(track.glob("s*.m4s")))
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def pitches_in(path: Path, channels: int, *options: str) -> list[float]:
    """Return the pitch of each channel, by the zero crossings of its third second."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-xerror", *options, "-i", str(path), "-f", "s16le", "-"]
    samples = array("h", subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)
    found = []
    for channel in range(channels):
        second = samples[2 * RATE * channels + channel : 3 * RATE * channels : channels]
        found.append(float(sum(1 for one, two in pairwise(second) if one < 0 <= two)))
    return found


@pytest.mark.parametrize(
    ("name", "layout", "codec"),
    [
        ("film.mkv", "5.1(side)", AC3),
        ("film.mp4", "5.1", ("-c:a", "aac", "-b:a", "448k")),
        pytest.param("film.mov", "7.1", ("-c:a", "pcm_s16le"), marks=pytest.mark.extended),
    ],
    ids=["encoded from AC-3", "copied from AAC", "mixed from 7.1"],
)
def test_every_channel_of_surround_is_in_its_place(
    name: str, layout: str, codec: tuple[str, ...], tmp_path: Path
) -> None:
    encoder = Encoder(tmp_path / "storage")
    progress = encoder.encode(make_source(tmp_path, name, layout, *codec))
    assert progress.status is JobStatus.READY, progress.reason
    assert progress.notes == ()
    published = Published(encoder.published(progress))
    assert published.faults() == []
    stereo, surround = published.of("audio")
    assert (stereo.name, surround.name) == ("a0", "c1" if name == "film.mp4" else "a1")
    assert [read_init(published.folder / track.name / "init.mp4").channels for track in (stereo, surround)] == [2, 6]
    assert pitches_in(joined(published.folder / surround.name), 6) == pytest.approx(list(PITCHES.values()), abs=3)


def test_surround_is_brought_to_the_same_loudness_as_stereo(tmp_path: Path) -> None:
    encoder = Encoder(tmp_path / "storage", loudness_lufs=-23)
    progress = encoder.encode(make_source(tmp_path, "film.mkv", "5.1(side)", *AC3))
    assert progress.status is JobStatus.READY, progress.reason
    assert progress.receipt
    assert [sound.label for sound in progress.receipt.sounds] == ["Audio 1", "Audio 1 (5.1)"]
    for name in ("a0", "a1"):
        track = joined(encoder.published(progress) / name)
        measure = ["ffmpeg", "-nostdin", "-i", str(track), "-af", "ebur128", "-f", "null", "-"]
        report = subprocess.run(measure, capture_output=True, check=True, timeout=120).stderr.decode()
        assert float(report.rsplit("I:", 1)[1].split("LUFS", 1)[0]) == pytest.approx(-23, abs=0.5), name


def test_encrypted_surround_can_be_decoded_with_the_key_of_the_film(tmp_path: Path) -> None:
    encoder = Encoder(tmp_path / "storage", encrypt_films="always", film_keys="f" * 32)
    progress = encoder.encode(make_source(tmp_path, "film.mkv", "5.1(side)", *AC3))
    assert progress.status is JobStatus.READY, progress.reason
    track = joined(encoder.published(progress) / "a1")
    pitches = pitches_in(track, 6, "-decryption_key", encoder.key(progress).key.hex())
    assert pitches == pytest.approx(list(PITCHES.values()), abs=3)


def test_manifest_describes_surround_as_an_alternative_with_six_channels(tmp_path: Path) -> None:
    """Nothing but the setting decides whether there is a second track."""
    source = make_source(tmp_path, "film.mkv", "5.1", "-c:a", "aac", "-b:a", "448k")
    for setting, channels in (("always", ["2", "6"]), ("never", ["2"])):
        encoder = Encoder(tmp_path / setting, surround_sound=setting)
        progress = encoder.encode(source)
        assert progress.status is JobStatus.READY, progress.reason
        mpd = ElementTree.parse(encoder.published(progress) / "manifest.mpd").getroot()
        space = {"": "urn:mpeg:dash:schema:mpd:2011"}
        sets = [each for each in mpd.iterfind(".//AdaptationSet", space) if each.get("contentType") == "audio"]
        found = [each.find("Representation/AudioChannelConfiguration", space) for each in sets]
        assert [each.get("value") for each in found if each is not None] == channels
        roles = [each.find("Role", space) for each in sets]
        assert [each.get("value") for each in roles if each is not None] == ["main", "alternate"][: len(channels)]
