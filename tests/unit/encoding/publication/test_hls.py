"""The HLS playlists list the same segments as the manifest, and published lines never change while a title grows."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.encoding.publication.hls import write_master, write_media
from functions.encoding.publication.presentation import Presentation, TextTrack
from functions.encoding.text_plan import TrackRole
from functions.platform.film_keys import track_iv
from tests.support.presentations import growing, make_audio_track, make_presentation

FROM_THE_START = "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES"


def attributes_of(line: str) -> dict[str, str]:
    """Read an attribute list (RFC 8216, 4.2); a quoted string keeps its quotes."""
    found = re.findall(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)(?:,|$)', line.partition(":")[2])
    assert ",".join(f"{name}={value}" for name, value in found) == line.partition(":")[2], "not an attribute list"
    return dict(found)


def lines_of(text: str, tag: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(tag)]


def media_tags(master: str, kind: str) -> list[dict[str, str]]:
    tags = [attributes_of(line) for line in lines_of(master, "#EXT-X-MEDIA:")]
    return [tag for tag in tags if tag["TYPE"] == kind]


def segments_of(playlist: str) -> list[tuple[float, str]]:
    """Return the duration and address of each segment."""
    found = re.findall(r"^#EXTINF:([\d.]+),\n(\S+)$", playlist, re.MULTILINE)
    assert len(found) == len([line for line in playlist.splitlines() if not line.startswith("#")])
    return [(float(length), address) for length, address in found]


def test_each_rendition_is_a_variant_with_the_sound_beside_it() -> None:
    master = write_master(make_presentation())
    lines = master.splitlines()
    assert lines[:3] == ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    streams = lines_of(master, "#EXT-X-STREAM-INF:")
    assert [lines[lines.index(line) + 1] for line in streams] == ["v1080.m3u8", "v480.m3u8", "v234.m3u8"]
    assert attributes_of(streams[0]) == {
        "BANDWIDTH": "6635000",
        "CODECS": '"avc1.640028,mp4a.40.2"',
        "RESOLUTION": "1920x1080",
        "FRAME-RATE": "24.000",
        "AUDIO": '"audio"',
        "CLOSED-CAPTIONS": "NONE",
    }


def test_bandwidth_counts_the_costliest_sound() -> None:
    presentation = make_presentation(
        audio=(make_audio_track(), make_audio_track("a1", "de", "Deutsch", channels=6, bandwidth_bps=400_000))
    )
    first = lines_of(write_master(presentation), "#EXT-X-STREAM-INF:")[0]
    assert attributes_of(first)["BANDWIDTH"] == "6900000"


def test_surround_is_a_second_group_with_the_same_members_for_every_rendition() -> None:
    sounds = (
        make_audio_track(),
        make_audio_track("a1", "en", "Commentary"),
        make_audio_track("a2", "en", "English (5.1)", channels=6, bandwidth_bps=400_000, stereo="a0"),
    )
    master = write_master(make_presentation(audio=sounds))
    tags = media_tags(master, "AUDIO")
    assert [(tag["GROUP-ID"], tag["NAME"], tag["CHANNELS"], tag["URI"], tag["DEFAULT"]) for tag in tags] == [
        ('"audio"', '"English"', '"2"', '"a0.m3u8"', "YES"),
        ('"audio"', '"Commentary"', '"2"', '"a1.m3u8"', "NO"),
        ('"surround"', '"English"', '"6"', '"a2.m3u8"', "YES"),
        ('"surround"', '"Commentary"', '"2"', '"a1.m3u8"', "NO"),
    ]
    streams = [attributes_of(line) for line in lines_of(master, "#EXT-X-STREAM-INF:")]
    assert [stream["AUDIO"] for stream in streams] == ['"audio"'] * 3 + ['"surround"'] * 3
    bandwidths = [stream["BANDWIDTH"] for stream in streams]
    assert bandwidths[:3] == bandwidths[3:], "hls.js would take them for other renditions"
    assert bandwidths[0] == "6900000"


def test_surround_whose_stereo_is_left_out_is_ordinary_sound() -> None:
    surround = make_audio_track("a1", channels=6, stereo="a0")
    (tag,) = media_tags(write_master(make_presentation(audio=(surround,))), "AUDIO")
    assert (tag["GROUP-ID"], tag["DEFAULT"], tag["URI"]) == ('"audio"', "YES", '"a1.m3u8"')


def test_frame_rate_of_television_is_a_decimal() -> None:
    presentation = make_presentation(rate=Fraction(30_000, 1001), timescale=30_000_000)
    assert attributes_of(lines_of(write_master(presentation), "#EXT-X-STREAM-INF:")[0])["FRAME-RATE"] == "29.970"


def test_each_language_is_a_choice_and_the_first_is_the_default() -> None:
    presentation = make_presentation(
        audio=(
            make_audio_track(),
            make_audio_track("a1", "pt-BR", "Português", channels=6),
            make_audio_track("a2", "und"),
        )
    )
    tags = media_tags(write_master(presentation), "AUDIO")
    assert [tag.get("LANGUAGE") for tag in tags] == ['"en"', '"pt-BR"', None]
    assert [tag["DEFAULT"] for tag in tags] == ["YES", "NO", "NO"]
    assert [tag["CHANNELS"] for tag in tags] == ['"2"', '"6"', '"2"']
    assert [tag["URI"] for tag in tags] == ['"a0.m3u8"', '"a1.m3u8"', '"a2.m3u8"']
    assert {tag["GROUP-ID"] for tag in tags} == {'"audio"'}


def test_tracks_of_one_name_are_told_apart() -> None:
    audio = tuple(make_audio_track(f"a{number}") for number in range(3))
    assert [tag["NAME"] for tag in media_tags(write_master(make_presentation(audio=audio)), "AUDIO")] == [
        '"English"',
        '"English 2"',
        '"English 3"',
    ]


@pytest.mark.parametrize("label", ['The "best" cut', "two\nlines", "#EXT-X-ENDLIST", "a,b=c", "tab\there"])
def test_no_label_breaks_the_playlist(label: str) -> None:
    presentation = make_presentation(audio=(make_audio_track(label=label),), text=(TextTrack("t0", "en", label),))
    master = write_master(presentation)
    assert len(master.splitlines()) == len(
        write_master(make_presentation(text=(TextTrack("t0", "en", ""),))).splitlines()
    )
    (audio,), (text,) = media_tags(master, "AUDIO"), media_tags(master, "SUBTITLES")
    assert audio["NAME"] == text["NAME"] == f'"{re.sub("[\n\t]", " ", label).replace('"', "'")}"'


def test_film_without_sound_names_no_sound() -> None:
    master = write_master(make_presentation(audio=()))
    assert media_tags(master, "AUDIO") == []
    first = attributes_of(lines_of(master, "#EXT-X-STREAM-INF:")[0])
    assert "AUDIO" not in first
    assert first["CODECS"] == '"avc1.640028"'
    assert first["BANDWIDTH"] == "6500000"


def test_finished_playlist_lists_everything_and_ends() -> None:
    playlist = write_media(make_presentation(), "v480")
    assert playlist.splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:4",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="v480/init.mp4"',
        "#EXTINF:4.000000,",
        "v480/s00000.m4s",
        "#EXTINF:4.000000,",
        "v480/s00001.m4s",
        "#EXTINF:4.000000,",
        "v480/s00002.m4s",
        "#EXTINF:1.000000,",
        "v480/s00003.m4s",
        "#EXT-X-ENDLIST",
    ]


def test_growing_playlist_begins_at_the_start_and_does_not_end() -> None:
    presentation = growing(make_presentation(), 2)
    assert FROM_THE_START in write_master(presentation).splitlines()
    for name in ("v1080", "a0"):
        lines = write_media(presentation, name).splitlines()
        assert FROM_THE_START in lines
        assert "#EXT-X-ENDLIST" not in lines
        assert len(segments_of("\n".join(lines))) == 2


@pytest.mark.parametrize("name", ["v1080", "v480", "v234", "a0"])
def test_growing_playlist_only_gains_lines(name: str) -> None:
    final = make_presentation()
    whole = write_media(final, name)
    for count in (1, 2, 3, 4):
        playlist = write_media(growing(final, count), name)
        kept = [line for line in playlist.splitlines() if line != FROM_THE_START]
        assert whole.startswith("\n".join(kept) + "\n")


def test_variants_and_sound_are_the_same_from_first_picture_to_end() -> None:
    final = make_presentation(audio=(make_audio_track(), make_audio_track("a1", "de", "Deutsch")))
    for count in (1, 4):
        lines = [line for line in write_master(growing(final, count)).splitlines() if line != FROM_THE_START]
        assert lines == write_master(final).splitlines()


@given(
    durations=st.lists(st.integers(1, 7 * 24_000), min_size=1, max_size=40),
    shown=st.sampled_from(["v1080", "v234"]),
)
def test_lengths_add_up_and_none_exceeds_the_target(durations: list[int], shown: str) -> None:
    playlist = write_media(make_presentation(durations=tuple(durations), audio=()), shown)
    segments = segments_of(playlist)
    assert [address for _, address in segments] == [f"{shown}/s{number:05d}.m4s" for number in range(len(durations))]
    assert abs(sum(length for length, _ in segments) - sum(durations) / 24_000) < 1e-6 * len(durations)
    target = int(lines_of(playlist, "#EXT-X-TARGETDURATION:")[0].partition(":")[2])
    assert all(int(length + 0.5) <= target for length, _ in segments)


@pytest.mark.parametrize(("ticks", "target"), [(24_000, 4), (107_999, 4), (108_000, 5), (120_000, 5)])
def test_target_is_the_longest_segment_to_the_nearest_second(ticks: int, target: int) -> None:
    playlist = write_media(make_presentation(durations=(ticks,), audio=()), "v1080")
    assert f"#EXT-X-TARGETDURATION:{target}" in playlist.splitlines()


def with_subtitles() -> Presentation:
    return make_presentation(text=(TextTrack("t0", "en", "English"), TextTrack("t1", "und", "Signs")))


def test_subtitles_are_offered_but_not_switched_on() -> None:
    master = write_master(with_subtitles())
    tags = media_tags(master, "SUBTITLES")
    assert [tag["URI"] for tag in tags] == ['"t0.m3u8"', '"t1.m3u8"']
    assert [tag.get("LANGUAGE") for tag in tags] == ['"en"', None]
    assert {(tag["DEFAULT"], tag["FORCED"], tag["GROUP-ID"]) for tag in tags} == {("NO", "NO", '"subtitles"')}
    assert all(attributes_of(line)["SUBTITLES"] == '"subtitles"' for line in lines_of(master, "#EXT-X-STREAM-INF:"))


def test_automatic_captions_are_marked() -> None:
    text = (TextTrack("t0", "de", "Deutsch"), TextTrack("t1", "en", "English (automatic)", (TrackRole.AUTOMATIC,)))
    tags = media_tags(write_master(make_presentation(text=text)), "SUBTITLES")
    assert [tag.get("CHARACTERISTICS") for tag in tags] == [None, '"public.machine-generated"']
    assert [tag["NAME"] for tag in tags] == ['"Deutsch"', '"English (automatic)"']


def test_purpose_of_a_track_is_declared_and_no_player_chooses_a_commentary_by_itself() -> None:
    audio = (
        make_audio_track(),
        replace(make_audio_track("a1", label="Commentary"), roles=(TrackRole.COMMENTARY,)),
        replace(make_audio_track("a2", label="Described"), roles=(TrackRole.DESCRIPTION,)),
        make_audio_track("a3", label="English 2"),
    )
    text = (
        TextTrack("t0", "en", "English"),
        TextTrack("t1", "en", "English (forced)", (TrackRole.FORCED,)),
        TextTrack("t2", "en", "English (SDH)", (TrackRole.HEARING_IMPAIRED,)),
        TextTrack("t3", "en", "English 2"),
    )
    master = write_master(make_presentation(audio=audio, text=text))
    sound, subtitles = media_tags(master, "AUDIO"), media_tags(master, "SUBTITLES")
    assert [(tag["DEFAULT"], tag["AUTOSELECT"]) for tag in sound] == [
        ("YES", "YES"),
        ("NO", "NO"),
        ("NO", "YES"),
        ("NO", "NO"),  # cannot be distinguished from the first
    ]
    assert [tag.get("CHARACTERISTICS") for tag in sound] == [None, None, '"public.accessibility.describes-video"', None]
    assert [tag["FORCED"] for tag in subtitles] == ["NO", "YES", "NO", "NO"]
    assert [tag["AUTOSELECT"] for tag in subtitles] == ["YES", "YES", "YES", "NO"]
    heard = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"
    assert [tag.get("CHARACTERISTICS") for tag in subtitles] == [None, None, f'"{heard}"', None]


def test_subtitle_playlist_is_one_file_as_long_as_the_title() -> None:
    playlist = write_media(with_subtitles(), "t0")
    assert segments_of(playlist) == [(13.034667, "t0.vtt")]
    assert "#EXT-X-TARGETDURATION:13" in playlist.splitlines()
    assert playlist.splitlines()[-1] == "#EXT-X-ENDLIST"
    assert lines_of(playlist, "#EXT-X-MAP") == []


def test_unknown_track_has_no_playlist() -> None:
    with pytest.raises(LookupError, match="v9"):
        write_media(make_presentation(), "v9")


def test_encrypted_segments_name_their_key_once_and_before_the_first_of_them() -> None:
    key_id = "00112233445566778899aabbccddeeff"
    lines = write_media(make_presentation(key_id=key_id), "v480").splitlines()
    (place,) = (place for place, line in enumerate(lines) if line.startswith("#EXT-X-KEY"))
    iv = track_iv(key_id, "v480").hex()
    assert lines[place] == f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="film.key",IV=0x{iv},KEYFORMAT="identity"'
    assert place < next(place for place, line in enumerate(lines) if line.startswith("#EXTINF"))
    assert "EXT-X-KEY" not in write_media(make_presentation(), "v480")
