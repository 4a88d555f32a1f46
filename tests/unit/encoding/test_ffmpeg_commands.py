"""The arguments of ffmpeg prevent wrong encodes, and prevent access to files that no upload may read."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from functions.encoding.ffmpeg import FORMATS
from functions.encoding.ffmpeg_commands import (
    chunk_arguments,
    remux_arguments,
    still_arguments,
    strip_arguments,
    subtitle_arguments,
)
from functions.encoding.ladder import renditions_for
from functions.encoding.renditions import CopiedPicture, Rendition
from functions.encoding.sound_commands import audio_arguments
from tests.support.encoding_plans import make_audio_plan, make_plan

if TYPE_CHECKING:
    from functions.encoding.model import EncodePlan

ADDRESS = "https://notflix.blob.core.windows.net/uploads/a%20'film';$(x).mkv?sig=s%2B1&se=2026"
NTSC = Fraction(30_000, 1001)


def of_chunk(plan: EncodePlan, index: int = 1) -> list[str]:
    return chunk_arguments(plan, plan.chunks[index], ADDRESS)


def value(arguments: list[str], option: str) -> str:
    """Return the value of an option that occurs once."""
    assert arguments.count(option) == 1, f"{option} stands {arguments.count(option)} times"
    return arguments[arguments.index(option) + 1]


def values(arguments: list[str], option: str) -> list[str]:
    return [arguments[at + 1] for at, word in enumerate(arguments) if word == option]


def graph(plan: EncodePlan, index: int = 1) -> str:
    return value(of_chunk(plan, index), "-filter_complex")


@pytest.mark.parametrize(
    "arguments",
    [
        of_chunk(make_plan()),
        audio_arguments(make_audio_plan(), ADDRESS),
        subtitle_arguments(ADDRESS, stream=3, codec="ass", target=Path("t.ass")),
        remux_arguments(ADDRESS, streams=[0, 1], codec="h264", target=Path("source.mkv")),
    ],
)
def test_source_is_read_by_whitelisted_protocols_and_formats_with_reconnects(arguments: list[str]) -> None:
    before_input = arguments[: arguments.index("-i")]
    assert value(before_input, "-protocol_whitelist") == "https,tls,tcp"
    assert value(before_input, "-format_whitelist") == FORMATS
    assert {"-reconnect", "-rw_timeout", "-reconnect_on_network_error"} <= set(before_input)
    assert value(arguments, "-i") == ADDRESS, "the address is one argument, as it is"


@pytest.mark.parametrize("make", [lambda path: strip_arguments(path, Path("s.jpg"), pictures=3), None])
def test_files_are_read_as_files_only(make: object) -> None:
    source = Path("joined.mp4")
    arguments = make(source) if callable(make) else still_arguments(source, Path("still.jpg"))
    assert value(arguments, "-protocol_whitelist") == "file"
    assert value(arguments, "-format_whitelist") == FORMATS


def test_formats_hold_nothing_that_opens_other_files() -> None:
    assert not {"concat", "hls", "dash", "image2", "lavfi", "tee", "applehttp", "sdp"} & set(FORMATS.split(","))


def test_chunk_finds_its_frames_by_their_own_times() -> None:
    arguments = of_chunk(make_plan())
    before_input = arguments[: arguments.index("-i")]
    assert {"-copyts", "-start_at_zero", "-noaccurate_seek"} <= set(before_input)
    assert 3 <= float(value(before_input, "-ss")) < 4, "frames are read from a little before the chunk"
    assert "-to" not in arguments and "-t" not in arguments, "a limit would count from the key frame"
    assert "trim=end_pts=384:start_pts=96" in graph(make_plan())
    assert "fps=fps=24/1:round=near:start_time=3" in graph(make_plan()), "frame 72 is shown at 3 s exactly"


@pytest.mark.parametrize(("rate", "begins_s"), [(Fraction(24), 7199), (NTSC, 7 * 1001)])
def test_frames_are_counted_from_a_second_at_which_one_lies_exactly(rate: Fraction, begins_s: int) -> None:
    plan = make_plan(rate=rate, frames=round(7210 * rate), runs=(1800, 3))
    assert f"start_time={begins_s}" in graph(plan)
    assert (begins_s * rate).denominator == 1
    assert begins_s <= plan.grid.seconds(plan.chunks[1].first_frame) - Fraction(1, 4)


def test_first_chunk_begins_at_the_beginning_and_the_last_takes_what_there_is() -> None:
    plan = make_plan()
    assert value(of_chunk(plan, 0), "-ss") == "0.000000"
    assert "trim=start_pts=768" in graph(plan, 3)
    assert "end_pts" not in graph(plan, 3)


@pytest.mark.parametrize("shift", [Fraction(0), Fraction(1, 100), Fraction(-1, 100)])
def test_nothing_before_a_chunk_is_decoded_if_its_key_frame_can_be_found(shift: Fraction) -> None:
    """Half a frame later, that key frame is the last picture that has been shown, even if its time was rounded."""
    for seekable in (True, False):
        own = CopiedPicture(Rendition("c360", 640, 360, 900), None, Fraction(0), regular=True, seekable=seekable)
        plan = replace(make_plan(shift=shift), copied=own)
        assert value(of_chunk(plan, 0), "-ss") == "0.000000"
        after = float(value(of_chunk(plan), "-ss")) - 4 - float(shift if seekable else 0)
        assert after == pytest.approx(1 / 48 if seekable else -0.25, abs=2e-6)
        assert f"start_time={4 if seekable else 3}" in graph(plan)


def test_film_of_varying_rate_is_read_from_earlier() -> None:
    assert float(value(of_chunk(make_plan(variable_rate=True), 3), "-ss")) <= 32 - 10


def test_every_rung_gets_closed_groups_of_one_length_and_keeps_its_times() -> None:
    plan = make_plan(rate=NTSC, renditions=renditions_for(1920, 1080))
    arguments = of_chunk(plan)
    for option, expected in (
        ("-g", "120"),
        ("-keyint_min", "120"),
        ("-sc_threshold", "0"),
        ("-avoid_negative_ts", "disabled"),
        ("-start_number", "1"),
        ("-hls_time", "3.987317"),
        ("-hls_playlist_type", "event"),
        ("-hls_flags", "temp_file"),
        ("-hls_segment_type", "fmp4"),
        ("-hls_fmp4_init_filename", "init.mp4"),
        ("-hls_segment_options", "movflags=+cmaf+frag_discont:video_track_timescale=30000"),
        ("-threads", "2"),
        ("-crf", "23"),
        ("-map_metadata", "-1"),
        ("-map_chapters", "-1"),
    ):
        assert values(arguments, option) == [expected] * 5, option
    assert values(arguments, "-maxrate") == ["5000k", "2800k", "1600k", "800k", "400k"]
    assert values(arguments, "-bufsize") == ["10000k", "5600k", "3200k", "1600k", "800k"]
    names = ["v1080", "v720", "v540", "v360", "v234"]
    assert [arguments[at] for at, word in enumerate(arguments) if word.endswith("closed.m3u8")] == [
        f"{name}/closed.m3u8" for name in names
    ]
    assert values(arguments, "-hls_segment_filename") == [f"{name}/s%05d.m4s" for name in names]


def test_source_is_decoded_once_and_each_rung_is_scaled_from_the_one_above() -> None:
    plan = make_plan(renditions=renditions_for(1920, 1080))
    assert of_chunk(plan).count("-i") == 1
    text = graph(plan)
    assert text.count("split=2") == 4
    assert text.count("fps=fps") == 1
    assert text.count("setsar=1") == text.count("format=yuv420p") == 5
    places = [text.index(f"scale={rung.width}:{rung.height}") for rung in plan.renditions]
    assert places == sorted(places)


def test_picture_is_changed_only_where_it_has_to_be() -> None:
    assert "bwdif" in graph(make_plan(deinterlace=True))
    assert "tonemap" in graph(make_plan(tone_map=True))
    assert not {"bwdif", "tonemap", "zscale"} & set(graph(make_plan()).replace("=", ",").split(","))


@pytest.mark.parametrize(
    ("codec", "converter", "file_format"),
    [
        ("ass", "copy", "ass"),
        ("ssa", "copy", "ass"),
        ("subrip", "copy", "srt"),
        ("webvtt", "copy", "webvtt"),
        ("mov_text", "subrip", "srt"),
        ("", "subrip", "srt"),
    ],
)
def test_subtitles_are_extracted_as_they_are_if_their_codec_has_a_text_file(
    codec: str, converter: str, file_format: str
) -> None:
    arguments = subtitle_arguments(ADDRESS, stream=3, codec=codec, target=Path("subtitles"))
    assert (value(arguments, "-map"), value(arguments, "-c:s")) == ("0:3", converter)
    assert values(arguments[arguments.index("-i") :], "-f") == [file_format]


def test_picture_and_sound_are_moved_by_the_same_time() -> None:
    shift = Fraction(1, 48)
    assert "setpts=PTS-0.020833/TB" in graph(make_plan(shift=shift))
    assert "setpts" not in graph(make_plan())
    assert value(audio_arguments(make_audio_plan(), ADDRESS, shift=shift), "-itsoffset") == "-0.020833"
    assert "-itsoffset" not in audio_arguments(make_audio_plan(), ADDRESS)


def test_change_of_size_keeps_the_graph_that_counts_the_frames() -> None:
    arguments = of_chunk(make_plan())
    assert value(arguments[: arguments.index("-i")], "-reinit_filter") == "0"
    assert "scale=iw:ih" not in graph(make_plan())
    pictures: tuple[dict[str, Any], ...] = ({"deinterlace": True}, {"tone_map": True}, {"telecine": True})
    for picture in pictures:
        filters = graph(make_plan(**picture))
        assert filters.index("scale=iw:ih") == filters.index("]") + 1, "other filters get pictures of one size"


def test_groups_of_telecined_frames_are_counted_from_the_beginning_of_the_film() -> None:
    plan = make_plan(rate=Fraction(24_000, 1001), telecine=True)
    filters = graph(plan)
    # Chunk 1 begins with frame 96; the group that begins with frame 72 of the film begins at 3.003 s.
    assert "fps=fps=30000/1001:round=near:start_time=3.003000" in filters
    assert filters.index("fieldmatch") < filters.index("bwdif") < filters.index("decimate=cycle=5")
    assert "start_time=0.000000" in graph(plan, 0)


def test_order_of_fields_is_set_where_pictures_do_not_state_it() -> None:
    filters = graph(make_plan(deinterlace=True, field_order="bff"))
    assert filters.index("setfield=bff") < filters.index("bwdif")
    assert "setfield" not in graph(make_plan(deinterlace=True))


@pytest.mark.parametrize(("rate", "ticks", "hls_time"), [(48_000, 192_512, "4.010666"), (44_100, 177_152, "4.017052")])
def test_sound_is_cut_into_whole_frames_and_its_decode_time_never_wraps(rate: int, ticks: int, hls_time: str) -> None:
    track = make_audio_plan(sample_rate=rate)
    arguments = audio_arguments(track, ADDRESS)
    assert track.segment_ticks == ticks
    assert ticks % 1024 == 0
    assert value(arguments, "-hls_time") == hls_time
    assert value(arguments, "-hls_segment_options") == "movflags=+cmaf"
    assert value(arguments, "-avoid_negative_ts") == "disabled"
    assert f"aresample={rate}:async=1:first_pts=0" in value(arguments, "-filter_complex")
    assert (value(arguments, "-ac"), value(arguments, "-b:a")) == ("2", "128k")
    assert values(arguments, "-c:a") == ["pcm_f32le", "aac"], "a change of channels must not reach the second graph"


def test_remux_copies_the_streams_that_are_wanted() -> None:
    arguments = remux_arguments(ADDRESS, streams=[0, 2], codec="mpeg4", target=Path("source.mkv"))
    assert values(arguments, "-map") == ["0:0", "0:2"]
    assert value(arguments, "-c") == "copy"
    assert value(arguments, "-fflags") == "+genpts"
    assert value(arguments, "-bsf:v").startswith("mpeg4_unpack_bframes,setts=")
    others = remux_arguments(ADDRESS, streams=[0], codec="h264", target=Path("source.mkv"))
    assert value(others, "-bsf:v").startswith("setts=")


def test_strip_is_made_of_key_frames_one_for_each_segment() -> None:
    arguments = strip_arguments(Path("joined.mp4"), Path("strip.jpg"), pictures=3)
    assert value(arguments[: arguments.index("-i")], "-skip_frame") == "nokey"
    assert "tile=3x1" in value(arguments, "-filter_complex")


@pytest.mark.parametrize("text", [of_chunk(make_plan()), audio_arguments(make_audio_plan(), ADDRESS)])
def test_every_argument_is_a_word_of_its_own(text: list[str]) -> None:
    assert all(isinstance(word, str) and word for word in text)
    assert not any("['" in word for word in text), "ffmpeg-python writes a list as Python shows it"
