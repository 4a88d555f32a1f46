"""SubRip and WebVTT as cues."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.encoding.formats.cues import LONGEST_CUE, TextCue, arranged, webvtt_file
from functions.encoding.formats.subrip import cues_of_subrip, cues_of_webvtt


def subrip(text: str) -> tuple[str, str]:
    (cue,) = cues_of_subrip(f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n\n")
    return cue.text, cue.place


def webvtt(text: str, settings: str = "") -> tuple[str, str]:
    (cue,) = cues_of_webvtt(f"WEBVTT\n\n00:01.000 --> 00:02.000 {settings}\n{text}\n\n")
    return cue.text, cue.place


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tom & Jerry <me> 3 < 4 <3 --> <a@b.org>", "Tom &amp; Jerry &lt;me&gt; 3 &lt; 4 &lt;3 --&gt; &lt;a@b.org&gt;"),
        ("R&amp;D &lt;x&gt; &nbsp &foo;", "R&amp;D &lt;x&gt; &amp;nbsp &amp;foo;"),
        ("<i>a</i> <B>b</B> <u>c", "<i>a </i><b>b </b><u>c</u>"),
        (
            '<font color="#ff0000">red</font> <font color=yellow size=3>y</font> z',
            "<c.red>red </c><c.yellow>y</c> z",
        ),
        ("<font face='Arial'>a<font color='#00FF00'>b</font>c</font>", "a<c.lime>b</c>c"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("{note} {\\i1}a{\\i0}", "{note} <i>a</i>"),
        ("10\n42", "10\n42"),
    ],
)
def test_known_tags_are_styles_and_all_else_is_text(text: str, found: str) -> None:
    assert subrip(text)[0] == found


def test_alignment_of_subrip_is_kept() -> None:
    assert subrip("{\\an8}Up") == ("Up", "line:0")


def test_cues_need_no_empty_lines_and_no_numbers() -> None:
    text = "1\n00:00:01,000-->00:00:02,5\na\n2\n0:0:3.0 --> 0:0:4.25 X1:0\n\nb\n\nc\n\n9\n"
    text += "01:00:00,000 --> 01:00:01,000\n7\n"
    assert cues_of_subrip(text) == [
        TextCue(1000, 2500, "a"),
        TextCue(3000, 4250, "b\nc"),
        TextCue(3_600_000, 3_601_000, "7"),
    ]


@pytest.mark.parametrize(
    "block",
    [
        "5\n00:00:02,000 --> 00:00:01,000\nbackwards\n",
        "5\n00:00:01,000 --> 00:00:02,000\n\n",
        "5\n00:00:01,000 --> 00:00:02,000\n" + "x" * LONGEST_CUE + "\n",
    ],
)
def test_cue_that_cannot_be_shown_is_left_out(block: str) -> None:
    kept = "6\n00:00:03,000 --> 00:00:04,000\nkept\n"
    assert [cue.text for cue in cues_of_subrip(f"{block}\n{kept}")] == ["kept"]


def test_webvtt_keeps_places_and_colours_but_not_its_own_styles() -> None:
    text = (
        "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nNOTE a --> b\n\nid\n00:01.000 --> 00:02.000 line:0 align:start "
        "region:r\n<v Fred>Hi</v> &amp; <c.yellow.bg_blue>y</c><00:01.500> <me>&lt;me&gt;\n- two\n\nignored\n"
    )
    expected = TextCue(1000, 2000, "Hi &amp; <c.yellow>y </c>&lt;me&gt;\n- two", "line:0 align:start")
    assert cues_of_webvtt(text) == [expected]
    assert webvtt("{\\an8}x")[0] == "{\\an8}x"
    assert webvtt("<i>x</i>", "position:10%,line-left size:80% vertical:rl") == (
        "<i>x</i>",
        "position:10%,line-left size:80% vertical:rl",
    )


PIECES = (
    "<",
    ">",
    "<i>",
    "</i>",
    "<font color=",
    "&amp;",
    "&#0;",
    "&#1114112;",
    "&#x0a;",
    "{\\an8}",
    "{\\",
    "\n",
    "\n\n",
)
TIMES = "00:00:01,000 --> 00:00:02,000"


@given(st.lists(st.one_of(st.sampled_from((*PIECES, TIMES)), st.text(max_size=5)), max_size=40).map("".join))
def test_any_text_gives_at_most_valid_cues(text: str) -> None:
    for read in (cues_of_subrip, cues_of_webvtt):
        for content in (text, f"1\n{TIMES}\n{text}"):
            file = webvtt_file(arranged(read(content)))
            blocks = file.split("\n\n")
            assert file.count("-->") == len(blocks) - 1
            assert all(len(block.strip().split("\n")) > 1 for block in blocks[1:])
