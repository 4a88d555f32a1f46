"""The metadata of segments is parsed, and damage of any kind gives an error with the reason, never a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.encoding.formats.iso_bmff import MalformedSegment
from functions.encoding.formats.segments import SAMPLE_IS_NON_SYNC, InitInfo, SegmentInfo, read_init, read_segment
from tests.support.boxes import (
    Sample,
    box,
    full_box,
    make_aac_entry,
    make_avc_entry,
    make_edit_list,
    make_fragment,
    make_init,
    u32,
)

if TYPE_CHECKING:
    from pathlib import Path

UNCHECKED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


def init_of(folder: Path, data: bytes) -> InitInfo:
    path = folder / "init.mp4"
    path.write_bytes(data)
    return read_init(path)


def segment_of(folder: Path, data: bytes, init: InitInfo) -> SegmentInfo:
    path = folder / "s00000.m4s"
    path.write_bytes(data)
    return read_segment(path, init)


@pytest.fixture
def video_init(tmp_path: Path) -> InitInfo:
    return init_of(tmp_path, make_init(make_avc_entry()))


def test_video_init_says_codec_size_and_timescale(tmp_path: Path) -> None:
    init = init_of(tmp_path, make_init(make_avc_entry(1920, 1080, b"\x64\x00\x28"), timescale=30_000_000))
    assert (init.kind, init.codec, init.timescale) == ("video", "avc1.640028", 30_000_000)
    assert (init.width, init.height, init.channels, init.sample_rate) == (1920, 1080, 0, 0)
    assert init.edit_start == 0


@pytest.mark.parametrize(
    ("specific", "codec"),
    [(b"\x11\x90", "mp4a.40.2"), (b"\x2b\x8a", "mp4a.40.5"), (b"\xf9\x48", "mp4a.40.42")],
    ids=["AAC-LC", "HE-AAC", "an object type of more than five bits"],
)
def test_audio_init_says_codec_channels_and_priming(tmp_path: Path, specific: bytes, codec: str) -> None:
    entry = make_aac_entry(6, 44100, specific)
    init = init_of(tmp_path, make_init(entry, timescale=44100, edits=make_edit_list(1024)))
    assert (init.kind, init.codec, init.timescale) == ("audio", codec, 44100)
    assert (init.channels, init.sample_rate, init.edit_start) == (6, 44100, 1024)


def test_durations_of_all_fragments_add_up(tmp_path: Path, video_init: InitInfo) -> None:
    data = (
        box("styp", b"msdh", u32(0))
        + make_fragment(96_000, [Sample(1000), Sample(1000, flags=SAMPLE_IS_NON_SYNC)])
        + make_fragment(98_000, [Sample(1001, flags=SAMPLE_IS_NON_SYNC)])
    )
    segment = segment_of(tmp_path, data, video_init)
    assert segment == SegmentInfo(
        start=96_000, shown_at=96_000, duration=3001, samples=3, size=len(data), starts_with_sync=True
    )
    assert segment.end == 99_001


def test_first_picture_shown_is_the_earliest_not_the_first_decoded(tmp_path: Path, video_init: InitInfo) -> None:
    samples = [Sample(1000, offset=0), Sample(1000, offset=2000), Sample(1000, offset=-1500)]
    assert segment_of(tmp_path, make_fragment(4000, samples), video_init).shown_at == 4000
    samples = [Sample(1000, offset=2000), Sample(1000, offset=0)]
    assert segment_of(tmp_path, make_fragment(4000, samples), video_init).shown_at == 5000


def test_audio_priming_is_shown_before_time_0(tmp_path: Path) -> None:
    init = init_of(tmp_path, make_init(make_aac_entry(), timescale=48000, edits=make_edit_list(1024)))
    segment = segment_of(tmp_path, make_fragment(0, [Sample(1024)] * 3), init)
    assert (segment.start, segment.shown_at, segment.duration) == (0, -1024, 3072)


def test_what_a_run_leaves_out_is_taken_from_the_fragment_then_from_the_init(tmp_path: Path) -> None:
    init = init_of(tmp_path, make_init(make_avc_entry(), default_duration=7, default_flags=SAMPLE_IS_NON_SYNC))
    samples = [Sample(0)] * 4
    from_init = segment_of(tmp_path, make_fragment(0, samples, run_flags=0x201), init)
    assert (from_init.duration, from_init.starts_with_sync) == (28, False)
    of_fragment = make_fragment(0, samples, run_flags=0x001, header_fields=((0x08, 5), (0x20, 0)))
    from_fragment = segment_of(tmp_path, of_fragment, init)
    assert (from_fragment.duration, from_fragment.samples, from_fragment.starts_with_sync) == (20, 4, True)


@pytest.mark.parametrize(("first_flags", "sync"), [(0, True), (SAMPLE_IS_NON_SYNC, False)])
def test_flags_of_the_first_sample_go_before_all_others(
    tmp_path: Path, video_init: InitInfo, first_flags: int, sync: bool
) -> None:
    data = make_fragment(0, [Sample(1)] * 2, run_flags=0x301, first_flags=first_flags)
    assert segment_of(tmp_path, data, video_init).starts_with_sync is sync


def test_segment_that_begins_between_key_frames_is_told_apart(tmp_path: Path, video_init: InitInfo) -> None:
    data = make_fragment(0, [Sample(1, flags=SAMPLE_IS_NON_SYNC), Sample(1)])
    assert not segment_of(tmp_path, data, video_init).starts_with_sync


GOOD = make_fragment(0, [Sample(1000)] * 3)

DAMAGED_SEGMENTS = {
    "empty": b"",
    "text": b"this is not a film, it is a letter",
    "only half a header": b"\x00\x00",
    "no fragment": box("styp", b"msdh", u32(0)),
    "cut in the coded media": GOOD[:-1],
    "cut in the header": GOOD[:40],
    "a fragment without samples": make_fragment(0, []),
    "a gap between fragments": GOOD + make_fragment(3001, [Sample(1000)]),
    "an overlap of fragments": GOOD + make_fragment(2999, [Sample(1000)]),
    "another track": make_fragment(0, [Sample(1000)], track_id=2),
    "a run shorter than it says": box(
        "moof",
        box(
            "traf",
            full_box("tfhd", 0, 0, u32(1)),
            full_box("tfdt", 0, 0, u32(0)),
            full_box("trun", 0, 0x100, u32(0xFFFF_FFFF), u32(1)),
        ),
    ),
    "no time": box("moof", box("traf", full_box("tfhd", 0, 0, u32(1)))),
}


@pytest.mark.parametrize("data", DAMAGED_SEGMENTS.values(), ids=DAMAGED_SEGMENTS.keys())
def test_damaged_segment_is_named(tmp_path: Path, video_init: InitInfo, data: bytes) -> None:
    with pytest.raises(MalformedSegment, match=r"s00000\.m4s"):
        segment_of(tmp_path, data, video_init)


DAMAGED_INITS = {
    "empty": b"",
    "a media segment": GOOD,
    "cut short": make_init(make_avc_entry())[:-1],
    "two tracks": make_init(make_avc_entry(), tracks=2),
    "a codec that is not published": make_init(box("hvc1", bytes(80))),
    "timescale 0": make_init(make_avc_entry(), timescale=0),
    "an edit that shows nothing": make_init(make_avc_entry(), edits=make_edit_list(-1)),
    "two edits": make_init(make_avc_entry(), edits=make_edit_list(0, entries=2)),
    "no avcC": make_init(box("avc1", bytes(78))),
    "descriptors in disorder": make_init(make_aac_entry().replace(b"\x04\x80\x80\x80", b"\x06\x80\x80\x80")),
}


@pytest.mark.parametrize("data", DAMAGED_INITS.values(), ids=DAMAGED_INITS.keys())
def test_damaged_init_is_named(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(MalformedSegment, match=r"init\.mp4"):
        init_of(tmp_path, data)


@settings(max_examples=300, suppress_health_check=UNCHECKED)
@given(data=st.data())
def test_no_damage_ends_in_anything_but_malformed(tmp_path: Path, data: st.DataObject) -> None:
    init_bytes = bytearray(make_init(make_aac_entry(), edits=make_edit_list(1024)))
    segment_bytes = bytearray(GOOD + make_fragment(3000, [Sample(1000)]))
    victim = data.draw(st.sampled_from([init_bytes, segment_bytes]))
    for _ in range(data.draw(st.integers(1, 6))):
        victim[data.draw(st.integers(0, len(victim) - 1))] = data.draw(st.integers(0, 255))
    del victim[data.draw(st.integers(0, len(victim))) :]
    try:
        init = init_of(tmp_path, bytes(init_bytes))
        segment_of(tmp_path, bytes(segment_bytes), init)
    except MalformedSegment:
        pass


@given(st.lists(st.lists(st.integers(1, 2**20), min_size=1, max_size=40), min_size=1, max_size=5))
@settings(max_examples=50, suppress_health_check=UNCHECKED)
def test_segment_lasts_as_long_as_its_samples(tmp_path: Path, runs: list[list[int]]) -> None:
    init = init_of(tmp_path, make_init(make_avc_entry()))
    clock, data = 500, b""
    for durations in runs:
        data += make_fragment(clock, [Sample(duration) for duration in durations])
        clock += sum(durations)
    segment = segment_of(tmp_path, data, init)
    assert (segment.end, segment.samples) == (clock, sum(map(len, runs)))
