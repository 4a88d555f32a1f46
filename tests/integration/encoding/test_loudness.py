"""Sound of known levels is brought to the target: without clipping, without a jump, and in sync."""

from __future__ import annotations

import json
import math
import subprocess
from array import array
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from functions.encoding.model import JobStatus
from functions.encoding.sound_worker import ENCODED_FIRST, FIRST_SOUNDS
from tests.support.encoder import Encoder
from tests.support.media import Film, make_film
from tests.support.published import Published, decode

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.loudness import TrackLoudness

TARGET = -23
SECONDS = 8
BEEP = f"aevalsrc='if(lt(mod(t,1),0.1),0.6*sin(2*PI*1000*t),0)':s=48000:d={SECONDS}"
WITHIN_S = 0.04
WITHIN_LU = 0.5
RATE = 48_000
SLOW = Fraction(6)
"""The frame rate; these tests are about the sound."""

METERED_HZ = 12_000
COPY = ("-c:v", "copy", "-c:a", "flac")


def noise(color: str, amplitude: float, seed: int) -> str:
    return f"anoisesrc=color={color}:amplitude={amplitude}:seed={seed}:r=48000:d={SECONDS}"


TRACKS = {
    "beeps": BEEP,
    "loud": noise("white", 0.9, 1),
    "quiet": noise("pink", 0.05, 2),
    "mono": f"sine=f=997:r=48000:d={SECONDS},volume=6dB",
    "clicks": f"aevalsrc='0.9*lt(mod(t,1),0.001)*sin(2*PI*3000*t)+0.002*sin(2*PI*500*t)':s=48000:d={SECONDS}",
    "silence": f"anullsrc=r=48000:d={SECONDS}",
}
"""The sources of the audio tracks of a film, for the device `lavfi` of ffmpeg."""


def with_sounds(picture: Path, sounds: dict[str, str]) -> Path:
    """Return a film with the picture of another one, and these sounds."""
    path = picture.with_name("film.mkv")
    inputs = [word for source in sounds.values() for word in ("-f", "lavfi", "-i", source)]
    maps = [word for number in range(len(sounds)) for word in ("-map", f"{number + 1}:a")]
    titled = [word for number, name in enumerate(sounds) for word in (f"-metadata:s:a:{number}", f"title={name}")]
    forms = [word for number, name in enumerate(sounds) for word in (f"-ac:a:{number}", "1" if name == "mono" else "2")]
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(picture), *inputs, "-map", "0:v", *maps, *COPY, *forms, *titled, str(path)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return path


def heard(published: Published, name: str, *, mono: bool) -> tuple[float, float]:
    """Return loudness and true peak of a published track, measured by another implementation than the encoder's."""
    joined = published.folder / f"{name}-heard.mp4"
    parts = [published.folder / name / "init.mp4", *sorted((published.folder / name).glob("s*.m4s"))]
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    filters = f"loudnorm=print_format=json:dual_mono={'true' if mono else 'false'}"
    command = ["ffmpeg", "-nostdin", "-nostats", "-hide_banner", "-i", str(joined), "-af", filters, "-f", "null", "-"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    found = json.loads(done.stderr[done.stderr.rindex("{") : done.stderr.rindex("}") + 1])
    return float(found["input_i"]), float(found["input_tp"])


def test_tracks_reach_the_target_without_clipping(tmp_path: Path) -> None:
    picture = make_film(
        Film(name="picture.mkv", rate=SLOW, frames=6 * SECONDS, width=64, height=36, sounds=()), tmp_path
    )
    encoder = Encoder(tmp_path / "storage", loudness_lufs=TARGET)
    progress = encoder.encode(with_sounds(picture, TRACKS))
    assert progress.status is JobStatus.READY, progress.reason
    assert progress.receipt
    found: dict[str, TrackLoudness] = {sound.label: sound.loudness for sound in progress.receipt.sounds}
    assert found.keys() == TRACKS.keys(), "each track is measured by itself"
    published = Published(encoder.published(progress))
    assert published.faults() == []
    names = {sound.label: sound.name for sound in progress.receipt.sounds}
    for label in ("beeps", "loud", "quiet", "mono"):
        lufs, peak = heard(published, names[label], mono=label == "mono")
        assert abs(lufs - TARGET) <= WITHIN_LU, f"{label} has {lufs} LUFS; {found[label]}"
        assert peak <= -1, f"{label} has peaks of {peak} dBTP; {found[label]}"
    assert found["loud"].gain_db < -10
    assert found["quiet"].gain_db > 5
    lufs, peak = heard(published, names["clicks"], mono=False)
    assert (-2 <= peak <= -1) and lufs < TARGET - 1, f"its peaks limit the gain: {peak} dBTP, {found['clicks']}"
    assert [note for note in progress.notes if "“clicks”" in note and "clip" in note] == list(progress.notes)
    assert found["silence"].gain_db == 0
    tones = published.decode_audio(names["beeps"]).tones_s
    assert [round(at) for at in tones] == list(range(SECONDS))
    assert all(abs(at - second) <= WITHIN_S for second, at in enumerate(tones)), tones


class StoredTwice:
    """Notes each file of a folder whose bytes change when it is stored again."""

    def __init__(self, encoder: Encoder) -> None:
        self.changed: list[str] = []
        self.again = 0
        self._media, self._store = encoder.media, encoder.media.store_file
        encoder.media.store_file = self._store_file  # type: ignore[method-assign]

    def _store_file(self, container: str, name: str, path: Path) -> None:
        before = self._media.path_of(container, name)
        if before.exists() and "/a0/" in name:
            self.again += 1
            self.changed += [name] if before.read_bytes() != path.read_bytes() else []
        self._store(container, name, path)


def levels_db(path: Path, *, window_s: float) -> list[float]:
    """Return the level of each window of the sound of a file, in decibels."""
    samples = array("f", decode(path, "-f", "f32le", "-ac", "1", "-ar", str(METERED_HZ)))
    size = int(window_s * METERED_HZ)
    windows = (samples[at : at + size] for at in range(0, len(samples) - size, size))
    return [10 * math.log10(sum(value * value for value in window) / size + 1e-12) for window in windows]


def test_gain_of_a_long_track_glides_without_changing_what_was_published(tmp_path: Path) -> None:
    """The samples hear the louder parts only, so the gain of the beginning is too low by several decibels."""
    seconds, step = 75, 12.5
    louder = f"lt(mod(t-{step / 2},{step}),4.2)"
    tone = f"aevalsrc='if({louder},0.1,0.04)*sin(2*PI*997*t)':s={RATE}:d={seconds}"
    picture = make_film(
        Film(name="picture.mkv", rate=SLOW, frames=6 * seconds, width=64, height=36, sounds=()), tmp_path
    )
    film = with_sounds(picture, {"tone": tone})
    encoder = Encoder(tmp_path / "storage", loudness_lufs=TARGET)
    stored = StoredTwice(encoder)
    progress = encoder.encode(film)
    assert progress.status is JobStatus.READY, progress.reason
    assert (stored.again, stored.changed) == (FIRST_SOUNDS + 1, []), "players keep what was published first"
    assert progress.receipt
    (sound,) = progress.receipt.sounds
    assert sound.loudness.lufs + sound.loudness.gain_db == pytest.approx(TARGET, abs=0.1)

    folder = encoder.published(progress)
    joined = folder / "heard.mp4"
    joined.write_bytes(
        b"".join(p.read_bytes() for p in [folder / "a0/init.mp4", *sorted((folder / "a0").glob("s*.m4s"))])
    )
    window_s = 0.05
    gains = [
        after - before
        for before, after in zip(levels_db(film, window_s=window_s), levels_db(joined, window_s=window_s), strict=False)
    ]
    switches = [at for n in range(7) for at in (step / 2 + n * step, step / 2 + n * step + 4.2)]
    steady = [n for n in range(2, len(gains) - 2) if all(abs(n * window_s - at) > 3 * window_s for at in switches)]
    jumps = [abs(gains[n + 1] - gains[n]) for n in steady if n + 1 in steady]
    assert max(jumps) < 0.15, f"{max(jumps):.2f} dB from one window to the next"
    begin, end = gains[20], gains[-20]
    assert end - begin > 2, "the beginning has the gain of the samples, the end that of the whole track"
    assert end == pytest.approx(sound.loudness.gain_db, abs=0.2)
    first_s = ENCODED_FIRST * 192_512 / RATE
    assert gains[int((first_s - 1) / window_s)] == pytest.approx(begin, abs=0.1)


def test_pictures_are_copied_but_sound_is_not_if_its_loudness_is_changed(tmp_path: Path) -> None:
    film = Film(frames=24 * 5, width=640, height=360, mux=("-g", "48", "-sc_threshold", "0"))
    encoder = Encoder(tmp_path / "storage", loudness_lufs=TARGET, passthrough_percent=10_000)
    progress = encoder.encode(make_film(film, tmp_path))
    assert progress.status is JobStatus.READY, progress.reason
    published = Published(encoder.published(progress))
    assert [track.name for track in published.tracks] == ["c360", "v234", "a0"]
    assert published.faults() == []
    assert progress.receipt
    assert [sound.name for sound in progress.receipt.sounds] == ["a0"]
