"""Films with empty, damaged or too many secondary tracks are published without those tracks, and the job says so."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from functions.encoding.formats.cues import LONGEST_CUE
from functions.encoding.model import JobStatus
from functions.encoding.subtitles import MOST_CUES
from functions.encoding.track_state import TrackFault
from functions.encoding.tracks import MOST_AUDIO
from tests.support.encoder import Encoder
from tests.support.media import Film, Sound, make_film
from tests.support.mp4_damage import emptied_track, repeated_track, scrambled_track
from tests.support.published import Published

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from functions.encoding.progress import JobProgress

TINY = Film(frames=48, width=64, height=36)
CUES = "1\n00:00:00,000 --> 00:00:01,000\nHello.\n"

ASS = """[Script Info]
ScriptType: v4.00+
PlayResX: 640
PlayResY: 360

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Italic, Underline, Alignment, Encoding
Style: Default,Arial,20,&H00FFFFFF,0,0,0,2,1
Style: Sign,Arial,20,&H0000FFFF,-1,0,0,8,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:02.00,Default,,0,0,0,,Timed by Anna
Dialogue: 0,0:00:00.25,0:00:01.00,Default,Anna,0,0,0,,I am <me> & {\\i1}you
Dialogue: 1,0:00:00.50,0:00:01.00,Sign,,0,0,0,,{\\fad(100,0)}EXIT\\Nthat way
Dialogue: 1,0:00:01.00,0:00:01.50,Sign,,0,0,0,,EXIT\\Nthat way
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\pos(160,93.6)\\c&H0000FF&}Café
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0 100 100 0 100{\\p0}
"""


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    return Encoder(tmp_path / "storage")


def two_sounds(folder: Path) -> Path:
    """Create a film with an English and a German sound track."""
    return make_film(
        Film(frames=48, width=64, height=36, sounds=(Sound(language="eng"), Sound(440, language="ger"))), folder
    )


def with_subtitles(film: Path, subtitles: Path, *, codec: str = "copy", name: str = "film.mkv") -> Path:
    """Return a copy of a film with a stream of subtitles."""
    target = film.parent / "subtitled" / name
    target.parent.mkdir()
    command = ["ffmpeg", "-v", "error", "-i", str(film), "-i", str(subtitles), "-map", "0", "-map", "1", "-c", "copy"]
    subprocess.run([*command, "-c:s", codec, str(target)], check=True, timeout=120)
    return target


def cues_of(encoder: Encoder, progress: JobProgress, track: str = "t0") -> list[str]:
    """Return the cues of a published subtitle track, with times in hundredths of a second: the picture moves them."""
    header, *cues = (encoder.published(progress) / f"{track}.vtt").read_text(encoding="utf-8").strip().split("\n\n")
    assert header == "WEBVTT"
    return [re.sub(r"(\d\d\.\d{3})", lambda second: f"{float(second[1]):06.2f}0"[1:], cue) for cue in cues]


def languages(encoder: Encoder, progress: JobProgress) -> list[str]:
    assert progress.status is JobStatus.READY, progress.reason
    published = Published(encoder.published(progress))
    assert published.faults() == []
    return [track.language for track in published.of("audio")]


@pytest.mark.parametrize(
    ("damaged", "track", "left", "note"),
    [
        (emptied_track, 2, ["en"], "The audio track “German” is empty and was left out."),
        (emptied_track, 1, ["de"], "The audio track “English” is empty and was left out."),
        (scrambled_track, 2, ["en"], "The audio track “German” is damaged and was left out."),
        (scrambled_track, 1, ["de"], "The audio track “English” is damaged and was left out."),
    ],
)
@pytest.mark.parametrize("last_first", [False, True])
def test_unusable_sound_is_left_out_and_the_first_usable_one_counts(
    encoder: Encoder,
    tmp_path: Path,
    damaged: Callable[[bytes, int], bytes],
    track: int,
    left: list[str],
    note: str,
    last_first: bool,
) -> None:
    source = two_sounds(tmp_path)
    source.write_bytes(damaged(source.read_bytes(), track))
    progress = encoder.encode(source, last_first=last_first)
    assert languages(encoder, progress) == left
    assert progress.notes == (note,)
    (main,) = (each for each in Published(encoder.published(progress)).mpd.iter() if each.get("value") == "main")
    assert main is not None
    assert "DEFAULT=YES" in (encoder.published(progress) / "master.m3u8").read_text()


def test_film_whose_only_sound_is_damaged_fails_at_the_first_attempt(encoder: Encoder, tmp_path: Path) -> None:
    source = make_film(TINY, tmp_path)
    source.write_bytes(scrambled_track(source.read_bytes(), 1))
    progress = encoder.encode(source)
    assert progress.status is JobStatus.FAILED
    assert progress.reason
    assert progress.reason.startswith("The sound of film.mp4 cannot be decoded. Upload a version with AAC")
    assert encoder.job(progress).faults == {}


def test_film_whose_only_sound_is_empty_is_silent(encoder: Encoder, tmp_path: Path) -> None:
    source = make_film(TINY, tmp_path)
    source.write_bytes(emptied_track(source.read_bytes(), 1))
    progress = encoder.encode(source)
    assert languages(encoder, progress) == []
    assert progress.notes == ("The audio track “Audio 1” is empty and was left out.",)


def test_film_that_declares_hundreds_of_tracks_is_published_with_those_that_a_title_holds(
    encoder: Encoder, tmp_path: Path
) -> None:
    source = make_film(Film(frames=24, width=64, height=36), tmp_path)
    data = repeated_track(source.read_bytes(), 1, times=299)
    for number in (1, 20, 300):
        data = emptied_track(data, number)
    source.write_bytes(data)
    progress = encoder.encode(source)
    assert progress.status is JobStatus.READY, progress.reason
    plan = encoder.job(progress).plan
    assert plan
    assert len(plan.audio) == MOST_AUDIO
    assert len(encoder.job(progress).tracks) == MOST_AUDIO
    assert "268 audio tracks were left out, because a title can have at most 32." in progress.notes


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("film.en.srt", b""),
        ("film.en.srt", b"This is not a subtitle.\n"),
        ("film.en.vtt", b"\x00\x01\x02" * 500),
        ("film.en.vtt", b"WEBVTT\n\n"),
        ("film.en.vtt", b"WEBVTT\n\nnot a time --> not a time\nHello\n"),
    ],
)
def test_subtitles_without_a_cue_are_left_out(encoder: Encoder, tmp_path: Path, name: str, content: bytes) -> None:
    encoder.media.path_of("uploads", name).write_bytes(content)
    encoder.media.path_of("uploads", "film.de.srt").write_text(CUES)
    progress = encoder.encode(make_film(TINY, tmp_path))
    assert progress.status is JobStatus.READY, progress.reason
    folder = encoder.published(progress)
    plan = encoder.job(progress).plan
    assert plan
    (left_out,) = (track.name for track in plan.text if track.blob == name)
    (kept,) = (track.name for track in plan.text if track.blob != name)
    assert encoder.job(progress).tracks[left_out].fault is TrackFault.EMPTY
    assert len(progress.notes) == 1
    assert "English" in progress.notes[0]
    assert (folder / f"{kept}.vtt").exists()
    assert not (folder / f"{left_out}.vtt").exists()
    assert f"{left_out}.vtt" not in (folder / "manifest.mpd").read_text()


def test_oversized_cue_and_endless_subtitles_are_cut_before_ffmpeg_reads_them(encoder: Encoder, tmp_path: Path) -> None:
    """Without a limit, one cue of 3 MB keeps ffmpeg busy for five minutes."""
    lines = [CUES, "2\n00:00:01,000 --> 00:00:01,500\n" + "<i>x</i> {\\an8} lorem " * (3_000_000 // 23) + "\n"]
    lines += [f"{n}\n00:00:01,000 --> 00:00:01,200\nline {n}\n" for n in range(3, MOST_CUES + 500)]
    encoder.media.path_of("uploads", "film.en.srt").write_text("\n".join(lines))
    progress = encoder.encode(make_film(TINY, tmp_path))
    assert progress.status is JobStatus.READY, progress.reason
    text = (encoder.published(progress) / "t0.vtt").read_text()
    assert "Hello." in text
    assert text.count("-->") == MOST_CUES
    assert max(map(len, text.split("\n\n"))) <= LONGEST_CUE


def test_oversized_cue_inside_a_film_is_left_out_in_bounded_time(encoder: Encoder, tmp_path: Path) -> None:
    """ffmpeg does not parse the text of subtitles that it copies."""
    subtitles = tmp_path / "bomb.srt"
    bomb = "1\n00:00:00,000 --> 00:00:01,000\n" + "<i>x</i> lorem " * 200_000
    subtitles.write_text(f"{bomb}\n\n2\n00:00:01,000 --> 00:00:02,000\nHello.\n")
    progress = encoder.encode(with_subtitles(make_film(TINY, tmp_path), subtitles))
    assert progress.status is JobStatus.READY, progress.reason
    assert cues_of(encoder, progress) == ["00:00:01.000 --> 00:00:02.000\nHello."]


@pytest.mark.parametrize("beside", [False, True], ids=["stream", "sidecar"])
def test_ass_keeps_its_places_colours_and_styles(encoder: Encoder, tmp_path: Path, beside: bool) -> None:
    subtitles = encoder.media.path_of("uploads", "film.en.ass") if beside else tmp_path / "signs.ass"
    subtitles.write_text(ASS, encoding="utf-16" if beside else "utf-8")
    film = make_film(TINY, tmp_path)
    progress = encoder.encode(film if beside else with_subtitles(film, subtitles))
    assert progress.status is JobStatus.READY, progress.reason
    assert cues_of(encoder, progress) == [
        "00:00:00.250 --> 00:00:01.000\nI am &lt;me&gt; &amp; <i>you</i>",
        "00:00:00.500 --> 00:00:01.500 line:0\n<c.yellow><b>EXIT\nthat way</b></c>",
        "00:00:01.000 --> 00:00:02.000 line:20% position:25% size:50%\n<c.red>Café</c>",
    ]


def test_subtitles_move_with_the_picture_of_a_film_that_begins_late(encoder: Encoder, tmp_path: Path) -> None:
    subtitles, late = tmp_path / "signs.ass", tmp_path / "late.mkv"
    subtitles.write_text(ASS)
    whole = with_subtitles(make_film(TINY, tmp_path), subtitles)
    delayed = ["-itsoffset", "0.5", "-i", str(whole), "-i", str(whole), "-map", "0:v", "-map", "1:s"]
    subprocess.run(["ffmpeg", "-v", "error", *delayed, "-c", "copy", str(late)], check=True, timeout=120)
    progress = encoder.encode(late)
    assert progress.status is JobStatus.READY, progress.reason
    first, *_ = cues_of(encoder, progress)
    assert first.startswith("00:00:00.000 --> 00:00:00.500\n")


def test_text_of_mp4_and_subrip_does_not_disappear(encoder: Encoder, tmp_path: Path) -> None:
    plain = tmp_path / "plain.srt"
    plain.write_text(
        "1\n00:00:00,000 --> 00:00:01,000\nTom & Jerry, 3 < 4\n\n2\n00:00:01,000 --> 00:00:02,000\n<i>Up</i>\n"
    )
    sidecar = encoder.media.path_of("uploads", "film.en.srt")
    sidecar.write_text('1\n00:00:00,000 --> 00:00:01,000\n{\\an8}I am <me> & <font color="#00ffff">blue</font>\n')
    progress = encoder.encode(with_subtitles(make_film(TINY, tmp_path), plain, codec="mov_text", name="film.mp4"))
    assert progress.status is JobStatus.READY, progress.reason
    assert cues_of(encoder, progress) == [
        "00:00:00.000 --> 00:00:01.000 line:0\nI am &lt;me&gt; &amp; <c.cyan>blue</c>"
    ]
    assert cues_of(encoder, progress, "t1") == [
        "00:00:00.000 --> 00:00:01.000\nTom &amp; Jerry, 3 &lt; 4",
        "00:00:01.000 --> 00:00:02.000\n<i>Up</i>",
    ]


def test_webvtt_inside_a_film_keeps_its_settings(encoder: Encoder, tmp_path: Path) -> None:
    subtitles = tmp_path / "placed.vtt"
    subtitles.write_text("WEBVTT\n\n00:00.500 --> 00:01.000 line:0 align:start\n<v Ann><c.lime>Up</c> &lt;me&gt;</v>\n")
    progress = encoder.encode(with_subtitles(make_film(TINY, tmp_path), subtitles))
    assert progress.status is JobStatus.READY, progress.reason
    assert cues_of(encoder, progress) == ["00:00:00.500 --> 00:00:01.000 line:0 align:start\n<c.lime>Up</c> &lt;me&gt;"]


def test_flags_and_languages_of_matroska_reach_both_manifests(encoder: Encoder, tmp_path: Path) -> None:
    film = Film(
        "film.mkv",
        frames=48,
        width=64,
        height=36,
        sounds=(Sound(language="fra"), Sound(440, language="nld")),
        subtitles=("ces", "zho"),
        mux=(
            *("-disposition:a:0", "comment", "-disposition:a:1", "default"),
            *("-disposition:s:0", "forced", "-disposition:s:1", "hearing_impaired"),
        ),
    )
    progress = encoder.encode(make_film(film, tmp_path))
    assert languages(encoder, progress) == ["nl", "fr"]
    folder = encoder.published(progress)
    master = (folder / "master.m3u8").read_text()
    assert 'NAME="Chinese (SDH)",LANGUAGE="zh",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,CHARACTERISTICS=' in master
    assert 'NAME="Czech (forced)",LANGUAGE="cs",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES' in master
    assert 'NAME="French (commentary)",LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=NO' in master
    mpd = (folder / "manifest.mpd").read_text()
    assert 'value="forced-subtitle"' in mpd
    assert 'value="commentary"' in mpd
    assert 'value="caption"' in mpd


def test_remuxed_source_keeps_the_chosen_tracks(encoder: Encoder, tmp_path: Path) -> None:
    film = Film("film.ts", rate=Fraction(25), frames=75, sounds=(Sound(language="eng"), Sound(440, language="deu")))
    progress = encoder.encode(make_film(film, tmp_path))
    assert languages(encoder, progress) == ["en", "de"]
