"""Subtitle files as WebVTT, whatever their encoding and format."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.catalogue.dialogue import dialogue_of
from functions.encoding.ffmpeg import Finished
from functions.encoding.subtitles import (
    MOST_CUES,
    SIDECAR_BYTES,
    convert_subtitles,
    fault_of_extracted,
    text_of,
    webvtt_of,
)
from functions.encoding.track_state import TrackFault
from functions.platform.errors import DiskUnavailable

if TYPE_CHECKING:
    from pathlib import Path

SUBRIP = "1\n00:00:01,000 --> 00:00:02,000\nCafé – déjà\n"
ASS = "[Events]\nFormat: Start, End, Style, Text\nDialogue: 0:00:01.00,0:00:02.00,Default,{\\an8}{\\c&H00FFFF&}Café\n"
WEBVTT = "WEBVTT\n\n00:01.000 --> 00:02.000 line:0\nCafé\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_text_is_read_in_the_usual_encodings(encoding: str, newline: str) -> None:
    assert text_of(SUBRIP.replace("\n", newline).encode(encoding)) == SUBRIP


def test_letter_that_is_cut_at_the_end_of_what_was_read_changes_no_other() -> None:
    cut = ("x" + "é" * SIDECAR_BYTES).encode()[:SIDECAR_BYTES]
    assert text_of(cut).rstrip("\ufffd") == "x" + "é" * ((SIDECAR_BYTES - 1) // 2)


def test_format_is_recognised_by_the_text() -> None:
    place = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000 line:0\n"
    assert webvtt_of(ASS, shift=Fraction(0)) == f"{place}<c.yellow>Café</c>\n"
    assert webvtt_of(WEBVTT, shift=Fraction(0)) == f"{place}Café\n"
    assert "Café – déjà" in (webvtt_of(SUBRIP, shift=Fraction(0)) or "")
    assert "Café" in (webvtt_of(WEBVTT.removeprefix("WEBVTT"), shift=Fraction(0)) or "")


@pytest.mark.parametrize("text", ["", "WEBVTT\n\n", "[Events]\n", "not a subtitle", "a --> b\nc\n"])
def test_file_without_a_cue_is_empty(text: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text(text)
    assert convert_subtitles(source, tmp_path / "track.vtt", shift=Fraction(0)) is TrackFault.EMPTY


def test_subtitles_move_with_the_picture_and_end_with_what_is_before_it() -> None:
    assert "00:00:00.979 --> 00:00:01.979" in (webvtt_of(SUBRIP, shift=Fraction(1, 48)) or "")
    assert "00:00:00.000 --> 00:00:00.500" in (webvtt_of(SUBRIP, shift=Fraction(3, 2)) or "")
    assert webvtt_of(SUBRIP, shift=Fraction(2)) is None


def test_endless_subtitles_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source", tmp_path / "track.vtt"
    blocks = [f"{n}\n00:00:01,000 --> 00:00:02,000\nline {n}\n" for n in range(MOST_CUES + 100)]
    source.write_text("\n".join(blocks))
    assert convert_subtitles(source, target, shift=Fraction(0)) is None
    assert target.read_text().count("-->") == MOST_CUES
    monkeypatch.setattr("functions.encoding.subtitles.VTT_BYTES", 1000)
    assert convert_subtitles(source, target, shift=Fraction(0)) is TrackFault.DAMAGED


@given(st.binary(max_size=300))
def test_any_bytes_are_converted_or_empty(raw: bytes) -> None:
    for start in (b"", ASS.encode(), WEBVTT.encode(), SUBRIP.encode()):
        converted = webvtt_of(text_of(start + raw), shift=Fraction(0))
        assert converted is None or converted.startswith("WEBVTT\n\n00:")


def finished(status: int = 0, errors: str = "", *, ran_out: bool = False) -> Finished:
    return Finished(status, "", errors, 1.0, 10, ran_out=ran_out)


def test_fault_of_extracted_subtitles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "source"
    assert fault_of_extracted(finished(), target) is TrackFault.DAMAGED
    target.write_text("")
    nothing = "[out#0/srt @ 0x1] Output file is empty, nothing was encoded"
    assert fault_of_extracted(finished(errors=nothing), target) is None
    with pytest.raises(DiskUnavailable):
        fault_of_extracted(finished(), target)
    target.write_text(SUBRIP)
    assert fault_of_extracted(finished(), target) is None
    assert fault_of_extracted(finished(1), target) is TrackFault.DAMAGED
    assert fault_of_extracted(finished(ran_out=True), target) is TrackFault.DAMAGED
    monkeypatch.setattr("functions.encoding.subtitles.EXTRACTED_BYTES", 10)
    assert fault_of_extracted(finished(), target) is TrackFault.DAMAGED


def test_dialogue_of_styled_subtitles_has_their_words_only() -> None:
    text = ASS + "Dialogue: 0:01:01.00,0:01:02.00,Default,{\\pos(10,20)\\i1}Tea & {\\b1}cake{\\p1}m 0 0\n"
    converted = webvtt_of(text, shift=Fraction(0)) or ""
    assert dialogue_of([converted]) == {"cafe": (1,), "cake": (61,), "tea": (61,)}
