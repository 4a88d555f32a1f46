"""Which streams and sidecars become tracks, what they are called, and which sentences say what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.encoding.text_plan import TextPlan, TrackRole
from functions.encoding.track_state import TrackFault, TrackState
from functions.encoding.tracks import (
    MOST_AUDIO,
    MOST_TEXT,
    SelectedTracks,
    audio_streams,
    check_sound,
    note_of,
    notes_of,
    select_tracks,
    text_streams,
)
from functions.platform.errors import SourceRefused
from functions.platform.identifiers import companion
from tests.support.encoding_plans import make_audio_plan, make_job, make_plan

if TYPE_CHECKING:
    from functions.encoding.model import AudioPlan

DECODABLE = {"aac", "ac3"}


def sound(index: int, language: str = "", title: str = "", *flags: str, **changes: Any) -> dict[str, Any]:
    """Return an audio stream as ffprobe reports it."""
    return {
        "index": index,
        "codec_type": "audio",
        "codec_name": "aac",
        "channels": 2,
        "sample_rate": "48000",
        "disposition": dict.fromkeys(flags, 1),
        "tags": {"language": language, "title": title},
        **changes,
    }


def words(index: int, language: str = "", title: str = "", *flags: str, codec: str = "subrip") -> dict[str, Any]:
    """Return a subtitle stream as ffprobe reports it."""
    return sound(index, language, title, *flags, codec_type="subtitle", codec_name=codec)


def chosen(*streams: dict[str, Any], beside: tuple[str, ...] = (), surround: bool = True) -> SelectedTracks:
    sidecars = [upload for name in beside if (upload := companion(name, film="film"))]
    audio, text = audio_streams(streams, DECODABLE), text_streams(streams)
    return select_tracks("film.mkv", audio, text, sidecars, surround=surround)


def test_tracks_are_called_by_their_title_or_language_and_numbered_without_either() -> None:
    tracks = chosen(
        sound(1, "ger"),
        sound(2, "und"),
        sound(3, "fra", "Version originale"),
        sound(4),
        sound(5, "ger"),
        words(6, "zho"),
        words(7),
        words(8, "qaa"),
    )
    assert [(track.name, track.stream, track.language, track.label) for track in tracks.audio] == [
        ("a0", 1, "de", "German"),
        ("a1", 2, "und", "Audio 2"),
        ("a2", 3, "fr", "Version originale"),
        ("a3", 4, "und", "Audio 4"),
        ("a4", 5, "de", "German 2"),
    ]
    assert [(track.name, track.language, track.label) for track in tracks.text] == [
        ("t0", "zh", "Chinese"),
        ("t1", "und", "Subtitles 2"),
        ("t2", "und", "Subtitles 3"),
    ]
    assert tracks.notes == ()


@pytest.mark.parametrize(
    ("stream", "roles", "label"),
    [
        (sound(1, "eng", "", "comment"), [TrackRole.COMMENTARY], "English (commentary)"),
        (sound(1, "eng", "Director's Commentary"), [TrackRole.COMMENTARY], "Director's Commentary"),
        (sound(1, "ger", "Kommentar der Regie"), [TrackRole.COMMENTARY], "Kommentar der Regie"),
        (sound(1, "eng", "", "visual_impaired"), [TrackRole.DESCRIPTION], "English (audio description)"),
        (sound(1, "eng", "English Audio Description"), [TrackRole.DESCRIPTION], "English Audio Description"),
        (sound(1, "eng", "", "hearing_impaired"), [TrackRole.HEARING_IMPAIRED], "English (SDH)"),
        (sound(1, "eng", "", "forced"), [], "English"),
        (words(1, "eng", "", "forced"), [TrackRole.FORCED], "English (forced)"),
        (words(1, "eng", "Forced"), [TrackRole.FORCED], "Forced"),
        (words(1, "eng", "English [SDH]"), [TrackRole.HEARING_IMPAIRED], "English [SDH]"),
        (words(1, "eng", "", "captions"), [TrackRole.HEARING_IMPAIRED], "English (SDH)"),
        (words(1, "eng", "Accent"), [], "Accent"),
    ],
)
def test_purpose_comes_from_flags_and_titles(stream: dict[str, Any], roles: list[TrackRole], label: str) -> None:
    tracks = chosen(stream)
    found: list[AudioPlan | TextPlan] = [*tracks.audio, *tracks.text]
    (track,) = found
    assert (list(track.roles), track.label) == (roles, label)


@pytest.mark.parametrize(
    ("name", "language", "roles"),
    [
        ("film.srt", "und", []),
        ("film.fra.srt", "fr", []),
        ("film.fre.vtt", "fr", []),
        ("film.cmn.srt", "cmn", []),
        ("film.pt_BR.srt", "pt-BR", []),
        ("film.es-419.srt", "es-419", []),
        ("film.en.forced.srt", "en", [TrackRole.FORCED]),
        ("film.forced.en.srt", "en", [TrackRole.FORCED]),
        ("film.en.SDH.srt", "en", [TrackRole.HEARING_IMPAIRED]),
        ("film.en.hi.srt", "en", [TrackRole.HEARING_IMPAIRED]),
        ("film.hi.srt", "hi", []),
        ("film.forced.srt", "und", [TrackRole.FORCED]),
        ("film.de.commentary.srt", "de", [TrackRole.COMMENTARY]),
        ("film.en.cc.default.srt", "en", [TrackRole.HEARING_IMPAIRED]),
    ],
)
def test_language_and_purpose_of_a_sidecar_come_from_its_name(name: str, language: str, roles: list[TrackRole]) -> None:
    (track,) = chosen(beside=(name,)).text
    assert (track.blob, track.language, list(track.roles)) == (name, language, roles)


@pytest.mark.parametrize("name", ["film.extended.srt", "film.en.fr.srt", "film.extended.en.srt", "filmen.srt"])
def test_subtitles_of_another_film_are_not_its_own(name: str) -> None:
    assert chosen(beside=(name,)).text == ()


def test_main_tracks_come_before_those_with_a_purpose() -> None:
    tracks = chosen(
        sound(1, "eng", "Commentary"),
        sound(2, "eng"),
        words(3, "eng", "", "forced"),
        words(4, "eng"),
        beside=("film.de.srt",),
    )
    assert [track.stream for track in tracks.audio] == [2, 1]
    assert [track.stream for track in tracks.text] == [None, 4, 3]
    assert tracks.streams == (2, 1, 4, 3)
    copied = tracks.copied(first=1)
    assert [track.stream for track in copied.audio] == [1, 2]
    assert [track.stream for track in copied.text] == [None, 3, 4]


def test_tracks_in_surround_follow_all_tracks_in_stereo() -> None:
    streams = (
        sound(1, "eng", "Surround 5.1", channels=6),
        sound(2, "ger", channels=8),
        sound(3, "eng", "Commentary", channels=6),
        sound(4, "fra", channels=5),
        words(5, "eng"),
    )
    tracks = chosen(*streams)
    assert [(track.name, track.stream, track.label, track.channels, track.stereo) for track in tracks.audio] == [
        ("a0", 1, "Surround", 2, None),
        ("a1", 2, "German", 2, None),
        ("a2", 4, "French", 2, None),
        ("a3", 3, "Commentary", 2, None),
        ("a4", 1, "Surround (5.1)", 6, "a0"),
        ("a5", 2, "German (5.1)", 6, "a1"),
    ]
    assert {track.bitrate_kbps for track in tracks.audio if track.stereo} == {320}
    assert tracks.streams == (1, 2, 4, 3, 5), "a remuxed copy has each stream once"
    assert [track.stream for track in tracks.copied(first=1).audio] == [1, 2, 3, 4, 1, 2]
    plain = chosen(*streams, surround=False)
    assert [track.name for track in plain.audio] == ["a0", "a1", "a2", "a3"]
    assert plain.audio[0].label == "Surround 5.1"


@pytest.mark.parametrize(
    ("title", "label"),
    [
        ("5.1", "English"),
        ("English [5.1]", "English"),
        ("Dolby Digital 5.1 (English)", "Dolby Digital (English)"),
        ("7.1.4", "English"),
        ("Restored 2.0", "Restored 2.0"),
        ("Cut 15.1", "Cut 15.1"),
    ],
)
def test_title_that_names_its_channels_does_not_name_those_of_the_other_track(title: str, label: str) -> None:
    stereo, surround = chosen(sound(1, "eng", title, channels=6)).audio
    assert (stereo.label, surround.label) == (label, f"{label} (5.1)")


def test_title_has_no_more_tracks_because_of_surround() -> None:
    tracks = chosen(*(sound(number, "eng", channels=6) for number in range(1, MOST_AUDIO)))
    assert len(tracks.audio) == MOST_AUDIO
    assert [track.stereo for track in tracks.audio if track.stereo] == ["a0"]


def test_unusable_streams_are_left_out_and_the_first_usable_one_is_the_main_sound() -> None:
    tracks = chosen(
        sound(1, "eng", "Lost", duration_ts=0),
        sound(2, "ger", codec_name="unheard"),
        sound(3, "fra"),
        sound(4, channels=0),
        words(5, "eng", codec="hdmv_pgs_subtitle"),
        words(6, "ger", codec="dvd_subtitle"),
    )
    assert [track.stream for track in tracks.audio] == [3]
    assert tracks.text == ()
    assert tracks.notes == (
        "2 audio tracks (Lost, no. 4 in the file) are empty and were left out.",
        "An audio track (German) cannot be decoded and was left out.",
        "2 subtitle tracks (English, German) consist of images instead of text and were left out.",
    )


def test_film_all_of_whose_sound_is_empty_is_silent() -> None:
    tracks = chosen(sound(1, duration_ts=0))
    assert tracks.audio == ()
    assert len(tracks.notes) == 1


def test_film_whose_only_sound_cannot_be_decoded_is_refused() -> None:
    with pytest.raises(SourceRefused, match=r"The sound of film\.mkv cannot be decoded"):
        chosen(sound(1, codec_name="unheard"), sound(2, duration_ts=0))


def test_thousand_tracks_are_cut_to_what_a_title_holds() -> None:
    tracks = chosen(*map(sound, range(1, 501)), *map(words, range(501, 1000)), beside=("film.en.srt",))
    assert len(tracks.audio) == MOST_AUDIO
    assert len(tracks.text) == MOST_TEXT
    assert tracks.notes == (
        "468 audio tracks were left out, because a title can have at most 32.",
        "436 subtitle tracks were left out, because a title can have at most 64.",
    )
    labels = {track.label for track in tracks.audio} | {track.label for track in tracks.text}
    assert len(labels) == MOST_AUDIO + MOST_TEXT


def test_title_from_a_file_is_one_short_line() -> None:
    (track,) = chosen(sound(1, "eng", "two\nlines\x00\u202e" + "x" * 500)).audio
    assert track.label.startswith("two lines")
    assert len(track.label) == 80
    assert track.label.isprintable()


def test_notes_say_what_encoding_found() -> None:
    plan = make_plan(audio=(make_audio_plan(), make_audio_plan("a1", label="Deutsch")))
    job = make_job(plan=plan, tracks={"a0": TrackState(9, 480_000, complete=True, fault=TrackFault.CUT)})
    assert notes_of(job) == ("The audio track “English” ends after 10 s, because the rest of it is damaged.",)
    empty = TrackState(complete=True, fault=TrackFault.EMPTY)
    assert note_of(plan, "a1", empty) == "The audio track “Deutsch” is empty and was left out."
    assert note_of(plan, "a1", TrackState(complete=True)) is None


def test_film_none_of_whose_sound_can_be_decoded_fails_even_if_that_is_found_late() -> None:
    plan = make_plan(audio=(make_audio_plan(), make_audio_plan("a1")))
    damaged, empty = (TrackState(complete=True, fault=fault) for fault in (TrackFault.DAMAGED, TrackFault.EMPTY))
    for tracks in ({}, {"a0": damaged}, {"a0": empty, "a1": empty}, {"a0": damaged, "a1": TrackState(complete=True)}):
        check_sound(make_job(plan=plan, tracks=tracks))
    check_sound(make_job(plan=make_plan(audio=())))
    with pytest.raises(SourceRefused, match="cannot be decoded"):
        check_sound(make_job(plan=plan, tracks={"a0": damaged, "a1": empty}))
