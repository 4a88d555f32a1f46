"""The DASH manifest matches the storage, and the values that a player keeps never change while a title grows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.encoding.publication.dash import AUTOMATIC_SCHEME, CLEAR_KEY_SCHEME, write_mpd
from functions.encoding.publication.presentation import Presentation, TextTrack
from functions.encoding.renditions import Rendition
from functions.encoding.text_plan import TrackRole
from tests.support.presentations import growing, make_audio_track, make_presentation, make_video_tracks

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NAMESPACE = {"mpd": "urn:mpeg:dash:schema:mpd:2011"}


def mpd_of(presentation: Presentation) -> Element:
    return ElementTree.fromstring(write_mpd(presentation))


def adaptation_sets(mpd: Element, content_type: str) -> list[Element]:
    return mpd.findall(f"mpd:Period/mpd:AdaptationSet[@contentType='{content_type}']", NAMESPACE)


def representations(parent: Element) -> list[Element]:
    return parent.findall(".//mpd:Representation", NAMESPACE)


def child(parent: Element, path: str) -> Element:
    found = parent.find("/".join(f"mpd:{name}" for name in path.split("/")), NAMESPACE)
    assert found is not None, f"there is no {path}"
    return found


def entries_of(representation: Element) -> list[dict[str, int]]:
    timeline = child(representation, "SegmentTemplate/SegmentTimeline")
    return [{name: int(value) for name, value in entry.items()} for entry in timeline]


def spans_of(representation: Element) -> list[tuple[int, int]]:
    """Return the start and duration of every segment in the timeline."""
    spans = []
    clock = None
    for entry in entries_of(representation):
        clock = entry.get("t", clock)
        assert clock is not None
        for _ in range(entry.get("r", 0) + 1):
            spans.append((clock, entry["d"]))
            clock += entry["d"]
    return spans


def test_finished_title_is_static_and_as_long_as_its_longest_track() -> None:
    mpd = mpd_of(make_presentation())
    assert mpd.tag == "{urn:mpeg:dash:schema:mpd:2011}MPD"
    assert mpd.attrib == {
        "profiles": "urn:mpeg:dash:profile:isoff-live:2011",
        "type": "static",
        "mediaPresentationDuration": "PT13.034667S",
        "minBufferTime": "PT4S",
        "maxSegmentDuration": "PT4.010667S",
    }
    period = child(mpd, "Period")
    assert period.attrib == {"id": "0", "start": "PT0S"}


def test_growing_title_is_a_recording_in_progress_of_known_length() -> None:
    mpd = mpd_of(growing(make_presentation(), 2))
    assert mpd.attrib == {
        "profiles": "urn:mpeg:dash:profile:isoff-live:2011",
        "type": "dynamic",
        "availabilityStartTime": "1970-01-01T00:00:00Z",
        "publishTime": "2026-11-24T09:30:00Z",
        "minimumUpdatePeriod": "PT2S",
        "suggestedPresentationDelay": "PT0S",
        "mediaPresentationDuration": "PT13S",
        "minBufferTime": "PT4S",
        "maxSegmentDuration": "PT4.010667S",
    }
    for absent in ("UTCTiming", "SupplementalProperty"):
        assert mpd.find(f".//mpd:{absent}", NAMESPACE) is None


def test_updates_come_from_another_manifest_if_that_is_said() -> None:
    mpd = ElementTree.fromstring(write_mpd(growing(make_presentation(), 2), reloaded_from="original.mpd"))
    assert [child.tag.rpartition("}")[2] for child in mpd] == ["Location", "Period"], (
        "the order that the schema demands"
    )
    assert child(mpd, "Location").text == "original.mpd"
    assert mpd_of(growing(make_presentation(), 2)).find("mpd:Location", NAMESPACE) is None


def test_publish_time_is_given_in_utc() -> None:
    berlin = datetime(2026, 11, 24, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    mpd = mpd_of(replace(growing(make_presentation(), 1), published_at=berlin))
    assert mpd.get("publishTime") == "2026-11-24T09:30:00Z"


def test_renditions_are_described_one_by_one() -> None:
    (video,) = adaptation_sets(mpd_of(make_presentation()), "video")
    assert video.attrib == {
        "id": "0",
        "contentType": "video",
        "mimeType": "video/mp4",
        "segmentAlignment": "true",
        "startWithSAP": "1",
        "frameRate": "24",
        "maxWidth": "1920",
        "maxHeight": "1080",
        "par": "16:9",
    }
    assert [rung.attrib for rung in representations(video)] == [
        {
            "id": "v1080",
            "codecs": "avc1.640028",
            "bandwidth": "6500000",
            "width": "1920",
            "height": "1080",
            "sar": "1:1",
        },
        {
            "id": "v480",
            "codecs": "avc1.640027",
            "bandwidth": "1820000",
            "width": "854",
            "height": "480",
            "sar": "1:1",
        },
        {"id": "v234", "codecs": "avc1.640026", "bandwidth": "520000", "width": "416", "height": "234", "sar": "1:1"},
    ]


def test_segments_are_addressed_by_folder_and_number() -> None:
    for rung in representations(mpd_of(make_presentation())):
        template = child(rung, "SegmentTemplate")
        assert template.get("initialization") == f"{rung.get('id')}/init.mp4"
        assert template.get("media") == f"{rung.get('id')}/s$Number%05d$.m4s"
        assert template.get("startNumber") == "0"


def test_equal_segments_are_announced_as_one_run() -> None:
    (video,) = adaptation_sets(mpd_of(make_presentation()), "video")
    for rung in representations(video):
        assert child(rung, "SegmentTemplate").get("timescale") == "24000"
        assert entries_of(rung) == [{"t": 0, "d": 96_000, "r": 2}, {"t": 288_000, "d": 24_000}]


def test_two_hours_of_pictures_take_two_lines() -> None:
    presentation = make_presentation(durations=(96_000,) * 1800 + (500,), audio=())
    assert entries_of(representations(mpd_of(presentation))[0]) == [
        {"t": 0, "d": 96_000, "r": 1799},
        {"t": 172_800_000, "d": 500},
    ]


@given(
    durations=st.lists(st.sampled_from([95_095, 96_000, 96_096, 7]), min_size=1, max_size=60),
    audio=st.lists(st.sampled_from([191_488, 192_512, 1024]), min_size=1, max_size=60),
)
def test_timeline_has_no_gap_and_lasts_as_long_as_its_segments(durations: list[int], audio: list[int]) -> None:
    presentation = make_presentation(
        durations=tuple(durations), renditions=(), audio=(make_audio_track(durations=tuple(audio)),)
    )
    presentation = replace(presentation, video=make_presentation().video)
    for representation in representations(mpd_of(presentation)):
        expected = audio if representation.get("id") == "a0" else durations
        spans = spans_of(representation)
        assert [duration for _, duration in spans] == expected
        assert spans[0][0] == 0
        assert all(after[0] == sum(before) for before, after in pairwise(spans))
        entries = entries_of(representation)
        assert all(one["d"] != other["d"] for one, other in pairwise(entries)), "not run-length"


def test_frame_rate_of_television_stays_a_fraction() -> None:
    presentation = make_presentation(rate=Fraction(30_000, 1001), timescale=30_000_000)
    (video,) = adaptation_sets(mpd_of(presentation), "video")
    assert video.get("frameRate") == "30000/1001"


@pytest.mark.parametrize(
    ("width", "height", "par"), [(1080, 1920, "9:16"), (640, 480, "4:3"), (1920, 800, "12:5"), (640, 360, "16:9")]
)
def test_picture_ratio_is_that_of_the_best_rung(width: int, height: int, par: str) -> None:
    presentation = make_presentation(renditions=(Rendition("v0", width, height, 900), Rendition("v1", 90, 90, 90)))
    (video,) = adaptation_sets(mpd_of(presentation), "video")
    assert video.get("par") == par
    assert (video.get("maxWidth"), video.get("maxHeight")) == (str(width), str(height))


def test_each_language_is_an_adaptation_set_of_its_own() -> None:
    presentation = make_presentation(
        audio=(
            make_audio_track(),
            make_audio_track("a1", "pt-BR", "Português (Brasil)", channels=6, bandwidth_bps=400_000),
            make_audio_track("a2", "und", "Commentary & <notes>"),
        )
    )
    sets = adaptation_sets(mpd_of(presentation), "audio")
    assert [item.get("id") for item in sets] == ["1", "2", "3"]
    assert [item.get("lang") for item in sets] == ["en", "pt-BR", "und"]
    assert [child(item, "Label").text for item in sets] == ["English", "Português (Brasil)", "Commentary & <notes>"]
    assert [child(item, "Role").get("value") for item in sets] == ["main", "alternate", "alternate"]
    channels = [child(item, "Representation/AudioChannelConfiguration").get("value") for item in sets]
    assert channels == ["2", "6", "2"]
    assert [representations(item)[0].attrib for item in sets][1] == {
        "id": "a1",
        "codecs": "mp4a.40.2",
        "bandwidth": "400000",
        "audioSamplingRate": "48000",
    }


def test_film_without_sound_has_no_audio_set() -> None:
    mpd = mpd_of(make_presentation(audio=()))
    assert adaptation_sets(mpd, "audio") == []
    assert mpd.get("mediaPresentationDuration") == "PT13S"


def test_subtitles_are_one_file_each() -> None:
    presentation = make_presentation(text=(TextTrack("t0", "en", "English"), TextTrack("t1", "de", "Deutsch")))
    sets = adaptation_sets(mpd_of(presentation), "text")
    assert [item.get("id") for item in sets] == ["2", "3"]
    assert [(item.get("mimeType"), item.get("lang")) for item in sets] == [("text/vtt", "en"), ("text/vtt", "de")]
    assert [child(item, "Role").get("value") for item in sets] == ["subtitle", "subtitle"]
    assert [child(item, "Representation/BaseURL").text for item in sets] == ["t0.vtt", "t1.vtt"]


def test_profile_fits_the_form_of_the_tracks() -> None:
    """The live profile demands a SegmentTemplate in each Representation, which a subtitle file does not have."""
    text = (TextTrack("t0", "en", "English"),)
    segmented = "urn:mpeg:dash:profile:isoff-live:2011"
    assert mpd_of(make_presentation()).get("profiles") == segmented
    assert mpd_of(make_presentation(text=text)).get("profiles") == "urn:mpeg:dash:profile:full:2011"
    assert mpd_of(growing(make_presentation(text=text), 2)).get("profiles") == segmented


def descriptors(adaptation_set: Element) -> list[tuple[str, str]]:
    """Return kind and value of the set's Accessibility and Role elements."""
    kinds = ("Accessibility", "Role")
    found = (each for each in adaptation_set if each.tag.rpartition("}")[2] in kinds)
    return [(each.tag.rpartition("}")[2], str(each.get("value"))) for each in found]


def test_automatic_captions_are_marked() -> None:
    text = (TextTrack("t0", "de", "Deutsch"), TextTrack("t1", "en", "English (automatic)", (TrackRole.AUTOMATIC,)))
    mpd = write_mpd(make_presentation(text=text))
    marked = mpd.index(f'<SupplementalProperty schemeIdUri="{AUTOMATIC_SCHEME}" value="true"')
    assert mpd.index("<Label>Deutsch</Label>") < marked < mpd.index("<Label>English (automatic)</Label>")
    assert mpd.count(AUTOMATIC_SCHEME) == 1


def test_purpose_of_a_track_is_declared() -> None:
    audio = (
        make_audio_track(),
        replace(make_audio_track("a1"), roles=(TrackRole.COMMENTARY,)),
        replace(make_audio_track("a2"), roles=(TrackRole.DESCRIPTION,)),
        replace(make_audio_track("a3"), roles=(TrackRole.HEARING_IMPAIRED,)),
    )
    text = (
        TextTrack("t0", "en", "English", (TrackRole.FORCED,)),
        TextTrack("t1", "en", "English (SDH)", (TrackRole.HEARING_IMPAIRED,)),
        TextTrack("t2", "en", "English (commentary)", (TrackRole.COMMENTARY,)),
    )
    mpd = mpd_of(make_presentation(audio=audio, text=text))
    assert list(map(descriptors, adaptation_sets(mpd, "audio"))) == [
        [("Role", "main")],
        [("Role", "alternate"), ("Role", "commentary")],
        [("Accessibility", "1"), ("Accessibility", "description"), ("Role", "alternate")],
        [("Accessibility", "2"), ("Role", "alternate")],
    ]
    assert list(map(descriptors, adaptation_sets(mpd, "text"))) == [
        [("Accessibility", "forced-subtitle"), ("Role", "subtitle")],
        [("Accessibility", "2"), ("Role", "caption")],
        [("Role", "subtitle"), ("Role", "commentary")],
    ]


def test_label_with_characters_that_xml_forbids_is_still_xml() -> None:
    presentation = make_presentation(audio=(make_audio_track(label="bad\x00\x0b\ud800 name \U0001f600"),))
    (audio,) = adaptation_sets(mpd_of(presentation), "audio")
    assert child(audio, "Label").text == "bad    name \U0001f600"


def held_by_a_player(mpd: Element) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Return the ids, bandwidths, codecs, sizes and segment addresses of all video and audio representations."""
    return [
        (representation.attrib, child(representation, "SegmentTemplate").attrib)
        for content_type in ("video", "audio")
        for adaptation_set in adaptation_sets(mpd, content_type)
        for representation in representations(adaptation_set)
    ]


def test_what_a_player_holds_on_to_is_the_same_from_first_picture_to_end() -> None:
    final = make_presentation(
        audio=(make_audio_track(), make_audio_track("a1", "de", "Deutsch")), text=(TextTrack("t0", "en", "English"),)
    )
    at_the_end = mpd_of(final)
    sets_at_the_end = {item.get("id"): item.attrib for item in child(at_the_end, "Period")}
    previous: list[list[tuple[int, int]]] | None = None
    for count in (1, 2, 3, 4):
        mpd = mpd_of(growing(final, count))
        assert held_by_a_player(mpd) == held_by_a_player(at_the_end)
        for item in child(mpd, "Period"):
            assert sets_at_the_end[item.get("id")] == item.attrib
        spans = [spans_of(representation) for representation in representations(mpd)]
        if previous is not None:
            assert all(now[: len(before)] == before for now, before in zip(spans, previous, strict=True))
        previous = spans


def test_track_without_a_segment_is_not_announced() -> None:
    with pytest.raises(ValueError, match="a1"):
        write_mpd(make_presentation(audio=(make_audio_track(), make_audio_track("a1", durations=()))))
    with pytest.raises(ValueError, match="video"):
        write_mpd(make_presentation(durations=()))


def test_encrypted_segments_are_declared_with_the_id_of_their_key_before_anything_else() -> None:
    key_id = "00112233445566778899aabbccddeeff"
    text = write_mpd(replace(make_presentation(key_id=key_id), av1=make_video_tracks()))
    assert 'xmlns:cenc="urn:mpeg:cenc:2013"' in text
    mpd = "{urn:mpeg:dash:schema:mpd:2011}"
    adaptation_sets = list(ElementTree.fromstring(text).iter(f"{mpd}AdaptationSet"))
    assert [each.get("contentType") for each in adaptation_sets] == ["video", "audio", "video"]
    for adaptation_set in adaptation_sets:
        scheme, system = list(adaptation_set)[:2]
        assert (scheme.tag, system.tag) == (f"{mpd}ContentProtection",) * 2
        assert scheme.get("value") == "cbcs"
        assert scheme.get("{urn:mpeg:cenc:2013}default_KID") == "00112233-4455-6677-8899-aabbccddeeff"
        assert system.get("schemeIdUri") == CLEAR_KEY_SCHEME
    assert "ContentProtection" not in write_mpd(make_presentation())
