"""ASS and SSA as cues: what is kept of their styles and tags, and what is left out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.encoding.formats.ass import cues_of_ass
from functions.encoding.formats.cues import TextCue, arranged, webvtt_file

HEAD = """[Script Info]
ScriptType: v4.00+
PlayResX: 640
PlayResY: 360

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,20,&H00FFFFFF,&H000000FF,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1
Style: Sign,Arial,20,&H0000FFFF,&H000000FF,&H0,&H0,-1,0,0,0,100,100,0,0,1,1,0,8,10,10,10,1
Style: Thought,Arial,20,&H00FFFFFF,&H000000FF,&H0,&H0,0,-1,-1,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def event(text: str, *, style: str = "Default", times: str = "0:00:01.00,0:00:02.50", kind: str = "Dialogue") -> str:
    return f"{kind}: 0,{times},{style},Anna,0,0,0,,{text}\n"


def cue_of(text: str, style: str = "Default") -> tuple[str, str]:
    """Return the text and the place of the only cue of an event."""
    (cue,) = cues_of_ass(HEAD + event(text, style=style))
    assert (cue.start_ms, cue.end_ms) == (1000, 2500)
    return cue.text, cue.place


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello, {\\i1}you{\\i0} & <me>, all", "Hello, <i>you</i> &amp; &lt;me&gt;, all"),
        ("{\\b1}a{\\b0}{\\b700}b{\\b400}c{\\b}d", "<b>ab</b>cd"),
        ("{\\u1\\i1}a{\\u0}b{\\r}c", "<i><u>a</u></i><i>b</i>c"),
        ("a\\Nb\\nc\\hd", "a\nb c\u00a0d"),
        ("\\N\\Na\\N\\N \\Nb\\N", "a\nb"),
        ("{\\c&H0000FF&}red{\\c} {\\1c&H00FF00&}green{\\1c&HFFFFFF&} white", "<c.red>red </c><c.lime>green</c> white"),
        ("{\\3c&H0000FF&\\4c&H00FF00&\\2c&HFF&}outline", "outline"),
        ("{\\rSign}sign{\\r}plain{\\rNone}also", "<c.yellow><b>sign</b></c>plainalso"),
        ("{\\k20}ka{\\kf30}ra{\\ko40}oke{\\K5}!", "karaoke!"),
        ("{\\fad(200,200)\\blur3\\be1\\bord2\\fs30\\fnArial\\frz10\\pbo5\\q2\\xbord1}plain", "plain"),
        ("{\\t(0,100,\\clip(0,0,1,1)\\c&H0000FF&\\b1)}plain", "plain"),
        ("{\\clip(m 0 0 l 1 1)\\iclip(1,2,3,4)\\org(1,2)}plain", "plain"),
        ("{a note of the translator}text", "text"),
        ("{\\p1}m 0 0 l 100 0{\\p0}text{\\p2}m 1 1", "text"),
        ("{\\alpha&HFF&}hid{\\alpha&H00&}seen", "seen"),
        ("open { brace {\\i1", "open { brace {\\i1"),
        ("{}{\\}{\\\\}{\\(}{\\an}{\\pos}{\\pos(}{\\c&H}x", "x"),
    ],
)
def test_tags_are_styles_or_left_out(text: str, found: str) -> None:
    assert cue_of(text)[0] == found


def test_styles_of_the_file_apply_to_their_events() -> None:
    assert cue_of("Exit", "Sign") == ("<c.yellow><b>Exit</b></c>", "line:0")
    assert cue_of("Hm", "Thought") == ("<i><u>Hm</u></i>", "")
    assert cue_of("{\\i0}Hm{\\i}", "Thought")[0] == "<u>Hm</u>"
    assert cue_of("Who", "Unknown") == ("Who", "")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{\\an8}x", "line:0"),
        ("{\\an5}{\\an8}x", "line:47%"),
        ("{\\a6}x", "line:0"),
        ("{\\a10}x", "line:47%"),
        ("{\\a1}x", "align:start"),
        ("{\\a4\\an0}x", ""),
        ("{\\an7\\pos(64,72)}x", "line:20% position:10% align:start"),
        ("{\\pos(160, 93.6)}x", "line:20% position:25% size:50%"),
        ("{\\move(64,72,600,300,0,500)\\an7}x", "line:20% position:10% align:start"),
        ("{\\an8\\pos(320,180)\\pos(1,1)}x", "line:50%"),
        ("{\\pos(320,350)}x", ""),
    ],
)
def test_alignment_and_position_are_the_place_of_the_cue(text: str, place: str) -> None:
    assert cue_of(text)[1] == place


def test_legacy_files_have_their_own_alignments_and_decimal_colours() -> None:
    text = """[Script Info]
ScriptType: v4.00
[V4 Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, TertiaryColour, BackColour, Bold, Italic, \
BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, AlphaLevel, Encoding
Style: *Top,Arial,20,65535,0,0,0,-1,0,1,1,0,6,10,10,10,0,0
[Events]
Format: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: Marked=0,0:00:00.00,0:00:01.00,*Top,,0000,0000,0000,,Hello, there
"""
    assert cues_of_ass(text) == [TextCue(0, 1000, "<c.yellow><b>Hello, there</b></c>", "line:0")]


def test_fields_are_read_in_the_order_of_the_file() -> None:
    text = "[Events]\nFormat: End, Start, Style, Text\nDialogue: 0:00:02.00,0:00:01.00,Default,a, b\n"
    assert cues_of_ass(text) == [TextCue(1000, 2000, "a, b")]


@pytest.mark.parametrize(
    "line",
    [
        event("note", kind="Comment"),
        event("x", times="0:00:02.00,0:00:02.00"),
        event("x", times="0:00:03.00,0:00:02.00"),
        event("x", times="soon,0:00:02.00"),
        event("x", times="0:00:-1.-1,0:00:02.00"),
        event("{\\an8}  \\N"),
        event("m 0 0 " * 20_000),
        "Dialogue: 0,0:00:01.00\n",
        "Dialogue:\n",
    ],
)
def test_what_shows_no_text_or_is_not_valid_is_left_out(line: str) -> None:
    assert [cue.text for cue in cues_of_ass(HEAD + line + event("kept"))] == ["kept"]


def test_sign_with_an_event_for_each_frame_is_one_cue() -> None:
    times = [f"0:00:{number // 25:02d}.{number % 25 * 4:02d}" for number in range(1001)]
    frames = "".join(
        event(f"{{\\pos({100 + number % 3},100)\\alpha&H{number % 16:02X}&}}Sign", times=f"{start},{end}")
        for number, (start, end) in enumerate(pairwise(times))
    )
    (cue,) = arranged(cues_of_ass(HEAD + frames))
    assert (cue.start_ms, cue.end_ms, cue.text) == (0, 40_000, "Sign")


PIECES = ("{", "}", "\\", "(", ")", "\\an8", "\\pos(1,2)", "\\c&H0000FF&", "\\p1", "\\t(", ",", ":", "\\N", "-->", "\n")


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=40).map("".join))
def test_any_event_gives_at_most_valid_cues(text: str) -> None:
    for content in (text, HEAD + text, HEAD + event(text)):
        file = webvtt_file(arranged(cues_of_ass(content)))
        blocks = file.split("\n\n")
        assert blocks[0].strip() == "WEBVTT"
        assert file.count("-->") == len(blocks) - 1
        assert all(len(block.strip().split("\n")) > 1 for block in blocks[1:])


@given(st.text(alphabet="0123456789-&Hh.,: ABCDEFStyleFormatPlayResXY\n", max_size=200))
def test_any_style_is_accepted(text: str) -> None:
    content = HEAD.replace("Style: Sign", f"PlayResY: {text}\nStyle: {text}\nStyle: Sign")
    assert [cue.text for cue in cues_of_ass(content + event("x"))] == ["x"]
