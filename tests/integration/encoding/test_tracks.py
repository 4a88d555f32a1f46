"""Films with empty, damaged or too many secondary tracks are published without those tracks, and the job says so."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from functions.encoding.model import JobStatus
from functions.encoding.subtitles import LONGEST_CUE, MOST_CUES
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


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    return Encoder(tmp_path / "storage")


def two_sounds(folder: Path) -> Path:
    """Create a film with an English and a German sound track."""
    return make_film(
        Film(frames=48, width=64, height=36, sounds=(Sound(language="eng"), Sound(440, language="ger"))), folder
    )


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


def test_oversized_cue_inside_a_film_ends_by_its_limit_of_time(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.encoding.subtitles.CPU_S", 1)
    subtitles = tmp_path / "bomb.srt"
    subtitles.write_text("1\n00:00:00,000 --> 00:00:01,000\n" + "<i>x</i> lorem " * 200_000 + "\n")
    source = tmp_path / "film.mkv"
    command = ["ffmpeg", "-v", "error", "-i", str(make_film(TINY, tmp_path)), "-i", str(subtitles), "-map", "0"]
    subprocess.run([*command, "-map", "1", "-c", "copy", str(source)], check=True, timeout=120)
    progress = encoder.encode(source)
    assert progress.status is JobStatus.READY, progress.reason
    assert progress.notes == ("The subtitle track “Subtitles 1” is damaged and was left out.",)


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
