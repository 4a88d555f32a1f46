"""The pictures of an H.264 source become a rendition unchanged: each frame once and in its place, with any muxer.

The films show the number of each frame, so the copied rendition can be compared with the encoded ones at every seam.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from functions.encoding import ladder
from functions.encoding.copying import copy_worker
from functions.encoding.model import JobStatus
from tests.support.cases import always
from tests.support.copied_films import MPD, X264, damage_pictures, shape, tracks_of
from tests.support.encoder import Encoder
from tests.support.media import Sound
from tests.support.muxed_films import MuxedFilms
from tests.support.published import Published
from tests.support.source_makers import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.model import EncodePlan

SOUND_WITHIN_S = 0.04

COPIED = {
    "x264's own key frames, index at the end": shape(),
    "index at the front, key frames at scene changes": shape(
        "-force_key_frames", "3,7.1,9,9.5,20", mux=("-movflags", "+faststart")
    ),
    "QuickTime": shape(name="film.mov"),
    "3GPP": shape("-profile:v", "main", name="film.3gp", mux=("-f", "3gp")),
    "iPod": shape("-bf", "0", "-g", "72", name="film.m4v", mux=("-f", "ipod")),
    "Flash": shape(name="film.mp4", mux=("-f", "f4v")),
    "fragmented, its first sound is stretched": shape(
        mux=("-movflags", "+frag_keyframe+empty_moov+default_base_moof"), copies_sound=False
    ),
    "fragmented, with the first seconds in the movie": shape(mux=("-movflags", "+frag_keyframe"), copies_sound=False),
    "fragmented, several fragments between key frames": shape(
        mux=("-movflags", "+delay_moov+empty_moov", "-frag_duration", "700000")
    ),
    "Matroska": shape(name="film.mkv", copies_sound=False),
    "Matroska, 60 fps": shape("-g", "600", rate=Fraction(60), frames=60 * 13, name="film.mkv", copies_sound=False),
    "Matroska, recorded live": shape(name="film.mkv", mux=("-live", "1"), copies_sound=False),
    "transport stream": shape(name="film.ts", copies_sound=False),
    "transport stream, 30000/1001 fps": shape(
        rate=Fraction(30_000, 1001), frames=480, name="film.ts", copies_sound=False
    ),
    "Flash video": shape(name="film.flv", copies_sound=False),
    "every picture a key frame": shape("-g", "1", frames=24 * 9),
    "deep pyramid of frames": shape("-bf", "8", "-b_strategy", "2", "-g", "120", "-preset", "medium"),
    "baseline, as from phones": shape("-profile:v", "baseline", "-g", "30", rate=Fraction(30), frames=30 * 16),
    "television, 30000/1001 fps": shape(rate=Fraction(30_000, 1001), frames=480),
    "60 fps": shape("-g", "600", rate=Fraction(60), frames=60 * 13),
    "variable rate: every sixth frame of 30 fps left out": shape(
        rate=Fraction(30), frames=601, keep=(6, (0, 1, 2, 4, 5))
    ),
    "edit list: everything starts at 5 s": shape(mux=("-output_ts_offset", "5")),
    "44.1 kHz": shape(sounds=(Sound(sample_rate=44_100),)),
    "mono": shape(sounds=(Sound(channels=1),)),
    "no sound": shape(sounds=()),
    "two languages": shape(sounds=(Sound(language="eng"), Sound(440, language="ger"))),
    "MP3, which is encoded": shape(sounds=(Sound(codec="libmp3lame"),), copies_sound=False),
    "5.1, which is copied beside encoded stereo": shape(sounds=(Sound(channels=6),), copies_sound=False),
}


QUICK = (
    "x264's own key frames, index at the end",
    "Matroska",
    "transport stream",
    "every picture a key frame",
    "television, 30000/1001 fps",
    "two languages",
    "MP3, which is encoded",
)
"""A source of each kind."""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> MuxedFilms:
    return MuxedFilms(tmp_path_factory.mktemp("films"))


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide films into chunks of about two segments, so that there are places where chunks meet."""
    monkeypatch.setattr(ladder, "CHUNK_SEGMENTS", 2)


def encoded(path: Path, folder: Path) -> tuple[EncodePlan, Published, str]:
    """Encode a source; return its plan, what was published, and the sentence for the owner."""
    encoder = Encoder(folder / "storage")
    progress = encoder.encode(path)
    assert progress.status is JobStatus.READY, progress.reason
    assert progress.damage is None
    assert progress.passthrough
    plan = encoder.job(progress).plan
    assert plan
    return plan, Published(encoder.published(progress)), progress.passthrough


@pytest.mark.parametrize("case", always(QUICK, COPIED))
def test_own_pictures_and_encoded_ones_show_the_same_frames_at_the_same_times(
    case: str, films: MuxedFilms, tmp_path: Path
) -> None:
    film, rate = COPIED[case].film, COPIED[case].rate
    plan, published, sentence = encoded(films.make(film, tmp_path), tmp_path)
    assert sentence == "The film's own pictures are used for 360p."
    assert published.faults() == []
    own, *others = published.of("video")
    assert (own.name, own.width, own.height, own.rate) == ("c360", 360, 360, rate)
    assert [other.name for other in others] == ["v234"]
    kept = [number for number in range(film.frames) if number % film.keep[0] in film.keep[1]]
    assert published.numbers("c360") == kept, "each of the film's own pictures once"
    frames = sum(duration for _, duration in own.spans) // plan.grid.frame_ticks
    assert published.numbers("v234") == film.shown_on(rate, frames)
    _check_boundaries(plan)
    surround = [sound for sound in film.sounds if sound.channels == 6]
    assert [track.name for track in published.of("audio")] == [
        *(f"{'c' if COPIED[case].copies_sound else 'a'}{number}" for number in range(len(film.sounds))),
        *(f"c{len(film.sounds) + number}" for number in range(len(surround))),
    ]
    for track, sound in zip(published.of("audio"), (*film.sounds, *surround), strict=True):
        heard = published.decode_audio(track.name)
        assert heard.sample_rate == sound.sample_rate
        whole = range(-int(-film.seconds // 1))
        assert [round(at) for at in heard.tones_s] == list(whole), "a tone is missing, or there is an extra one"
        assert all(abs(at - second) < SOUND_WITHIN_S for at, second in zip(heard.tones_s, whole, strict=True))
        assert heard.pitch_hz == pytest.approx(sound.pitch_hz, rel=0.02)


REFUSED_FRAMES = 24 * 14
LARGER: dict[str, Any] = {"width": 640, "height": 360}

REFUSED = {
    "open groups of pictures": (
        shape("-x264-params", "open-gop=1:bframes=3", "-g", "48").film,
        "decoding cannot start",
    ),
    "one key frame": (shape("-g", "9999").film, "key frames are 14.0 s apart"),
    "10 bits": (replace(shape().film, video=(*X264[:-1], "yuv420p10le")), "profile"),
    "4:4:4": (replace(shape().film, video=(*X264[:-1], "yuv444p")), "profile"),
    "interlaced": (shape("-flags", "+ildct+ilme", "-x264-params", "tff=1", interlaced=True).film, "interlaced"),
    "oblong pixels": (shape(sar="4/3").film, "square"),
    "turned": (shape(width=360, height=640, rotated=True).film, "rotated"),
    "small": (shape(width=320, height=180).film, "only one size"),
    "high bitrate": (shape("-crf", "1", "-preset", "ultrafast", frames=100, **LARGER).film, "Mbit/s"),
    "Matroska, high bitrate": (
        shape("-crf", "1", "-preset", "ultrafast", frames=100, name="film.mkv", **LARGER).film,
        "than the 3.2 Mbit/s that PROVISIONAL_PERCENT allows",
    ),
    "AVI": (shape("-bf", "0", name="film.avi").film, "does not have the times"),
    "MPEG-4": (shape("-c:v", "mpeg4", "-q:v", "4").film, "not H.264"),
}


@pytest.mark.parametrize("case", always(("one key frame", "interlaced", "AVI"), REFUSED))
def test_unsuitable_pictures_are_encoded_and_the_job_says_why(case: str, films: MuxedFilms, tmp_path: Path) -> None:
    film, reason = REFUSED[case]
    film = replace(film, frames=min(film.frames, REFUSED_FRAMES))
    plan, published, sentence = encoded(films.make(film, tmp_path), tmp_path)
    assert sentence.startswith("All pictures are encoded, because ")
    assert reason in sentence
    assert plan.copied is None
    assert plan.grid.cuts == ()
    assert published.faults() == []
    assert all(track.name.startswith("v") for track in published.of("video"))


def test_edit_list_that_begins_between_key_frames_is_respected(films: MuxedFilms, tmp_path: Path) -> None:
    """The pictures before the edit are in the file, but must not be shown."""
    film = films.make(shape().film, tmp_path)
    cut = tmp_path / "cut.mp4"
    ffmpeg("-ss", "3", "-i", film, "-c", "copy", "-movflags", "+faststart", cut)
    plan, published, sentence = encoded(cut, tmp_path)
    assert "edit list leaves out the first" in sentence
    assert plan.copied is None
    assert published.numbers("v360")[0] == 72


def test_manifests_conform(films: MuxedFilms, tmp_path: Path) -> None:
    """The rungs of an adaptation set have the same boundaries, and the last segment of each ends with the film."""
    _, published, _ = encoded(films.make(COPIED["x264's own key frames, index at the end"].film, tmp_path), tmp_path)
    spans = {track.spans for track in published.of("video")}
    assert len(spans) == 1
    (timeline,) = spans
    assert [start for start, _ in timeline[1:]] == [start + duration for start, duration in timeline[:-1]]
    master = (published.folder / "master.m3u8").read_text()
    assert master.count("#EXT-X-STREAM-INF:") == 2
    playlist = (published.folder / "c360.m3u8").read_text()
    assert "#EXT-X-TARGETDURATION:10" in playlist


def _check_boundaries(plan: EncodePlan) -> None:
    bounds = [plan.grid.first_frame(number) for number in range(plan.grid.segments + 1)]
    lengths = [float(plan.grid.seconds(end - begin)) for begin, end in pairwise(bounds)]
    assert all(2 <= length <= 12 for length in lengths[:-1]), lengths
    assert {chunk.first_frame for chunk in plan.chunks} <= set(bounds)
    assert len(plan.chunks) > 1


def test_damaged_pictures_are_encoded_instead(
    films: MuxedFilms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser would stop at damaged pictures; the encoder's decoder fills in what is missing."""
    monkeypatch.setattr(copy_worker, "SHORT_S", 40)
    film = films.make(shape(frames=24 * 50).film, tmp_path)
    damage_pictures(film, 400, 401)
    encoder = Encoder(tmp_path / "storage")
    progress = encoder.encode(film)
    assert progress.status is JobStatus.READY, progress.reason
    assert progress.damage
    assert "The film's own pictures could not be used as they are, so all of them were encoded." in progress.notes
    fronts = [ElementTree.fromstring(text) for path, text in encoder.media.versions if path.name == "manifest.mpd"]
    states = [(front.get("type"), front.find(f".//{MPD}Representation[@id='c360']") is not None) for front in fronts]
    assert list(dict.fromkeys(states)) == [
        ("dynamic", True),
        ("static", True),
        ("dynamic", False),
        ("static", False),
    ], "the copy is replaced as soon as encoded pictures can be watched"
    published = Published(encoder.published(progress))
    assert [track.name for track in published.of("video")] == ["v360", "v234"]
    assert published.faults() == []
    for rung in ("v360", "v234"):
        numbers = published.readable_numbers(rung)
        assert len(numbers) == 24 * 50
        assert numbers[:380] == list(range(380))


def test_sound_that_does_not_decode_is_encoded_instead(films: MuxedFilms, tmp_path: Path) -> None:
    film = films.make(shape().film, tmp_path)
    content = bytearray(film.read_bytes())
    sound = tracks_of(film)[1]
    for sample in range(500, 520):
        content[sound.positions[sample] : sound.positions[sample] + sound.sizes[sample]] = b"\xff" * sound.sizes[sample]
    film.write_bytes(content)
    encoder = Encoder(tmp_path / "storage")
    progress = encoder.encode(film)
    assert progress.status is JobStatus.READY, progress.reason
    published = Published(encoder.published(progress))
    assert [track.name for track in published.tracks] == ["c360", "v234", "a0"]
    assert published.faults() == []
