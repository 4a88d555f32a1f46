"""Cues of subtitles: their text with styles, their place on the picture, and the WebVTT file that they become.

Everything here is understood by Shaka and by the players of phones and televisions: WebVTT's tags for bold, italic and
underlined text, its default classes of colours, and the settings `line`, `position`, `size` and `align`. Shaka does not
move cues apart that are shown at the same place, so `arranged` joins them.
"""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.formats.webvtt import webvtt_text, webvtt_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST_CUE = 4096
"""The maximum number of characters of a cue; longer ones are left out."""

LINE_PERCENT = 6
"""The height of a line of text, in percent of the picture's height; about that of the player."""

LOWEST_PERCENT = 85
"""Where a placed cue ends at the latest: below it is room for the cues that have no place."""

MOST_TOGETHER = 4
"""The maximum number of texts at the same place at the same time."""

_STEP_PERCENT = 5
_CENTER, _NEAR = 50, 10

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")

_COLORS = ("red", "yellow", "lime", "cyan", "cyan", "magenta")
"""The classes of colours by their hue, in steps of 60 degrees. WebVTT's blue is too dark to be read on black."""

_GREY, _DARK = 0.35, 0.35
"""The saturation and the brightness below which a color has no class."""


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How a part of a text looks. `color` is a class of WebVTT, or "" for the color that the viewer has chosen."""

    is_bold: bool = False
    is_italic: bool = False
    is_underlined: bool = False
    color: str = ""


@dataclass(frozen=True, slots=True)
class TextCue:
    """A text in WebVTT's markup, and when and where it is shown; `place` has the settings of WebVTT, "" for usual."""

    start_ms: int
    end_ms: int
    text: str
    place: str = ""


def color_class(red: int, green: int, blue: int) -> str:
    """Return WebVTT's class for a color, each part of which is 0 to 255; "" for white, grey and what is too dark."""
    hue, saturation, brightness = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if saturation < _GREY or brightness < _DARK:
        return ""
    return _COLORS[round(hue * len(_COLORS)) % len(_COLORS)]


def marked_up(runs: Iterable[tuple[str, TextStyle]]) -> str:
    """Return texts with their styles in WebVTT's markup; lines without text are left out.

    If the styles make the cue longer than LONGEST_CUE, it has none. Return "" if the text alone is longer.
    """
    lines: list[list[tuple[str, TextStyle]]] = [[]]
    for text, style in runs:
        first, *others = _CONTROL.sub(" ", text).split("\n")
        lines[-1].append((first, style))
        lines.extend([(other, style)] for other in others)
    shown = [line for line in lines if any(not text.isspace() for text, _ in line if text)]
    parts: list[tuple[list[str], TextStyle]] = []
    for number, line in enumerate(shown):
        for text, style in [("\n", line[0][1]), *line] if number else line:
            # Shaka drops the space between two tags, so it becomes a part of the text before.
            if parts and (parts[-1][1] == style or not text.strip()):
                parts[-1][0].append(text)
            elif text:
                parts.append(([text], style))
    texts = [(webvtt_text("".join(each)), style) for each, style in parts]
    plain = "".join(text for text, _ in texts).strip()
    if len(plain) > LONGEST_CUE:
        return ""
    styled = "".join(_tagged(text, style) for text, style in texts).strip()
    return styled if len(styled) <= LONGEST_CUE else plain


def place_of(alignment: int, *, lines: int, at: tuple[float, float] | None = None) -> str:
    """Return the settings for a text of `lines` lines.

    `alignment` is that of a key on the number pad of a keyboard: 1 is bottom left, 9 is top right. `at` is the point at
    which this corner, edge or middle of the text is: percent of the width and the height of the picture. A text that is
    about where subtitles usually are has no settings, so that players can choose its place.
    """
    row, column = divmod(alignment - 1, 3)
    height = LINE_PERCENT * lines
    if at is None:
        if row == 0:
            return ("align:start", "", "align:end")[column]
        line = "line:0" if row == 2 else f"line:{max(0, _CENTER - height // 2)}%"
        return line + (" position:5% align:start", "", " position:95% align:end")[column]
    x, y = at
    top = y - height * (1, 0.5, 0)[row]
    if column == 1 and abs(x - _CENTER) <= _NEAR and top + height >= LOWEST_PERCENT:
        return ""
    top = _stepped(max(0, min(top, LOWEST_PERCENT - height)))
    line = f"line:{top}%" if top > _STEP_PERCENT else "line:0"
    if column == 0:
        return f"{line} position:{_stepped(max(0, min(x, 70)))}% align:start"
    if column == 2:
        return f"{line} position:{_stepped(max(30, min(x, 100)))}% align:end"
    middle = _stepped(max(20, min(x, 80)))
    return line if middle == _CENTER else f"{line} position:{middle}% size:{2 * min(middle, 100 - middle)}%"


def arranged(cues: Iterable[TextCue]) -> list[TextCue]:
    """Return cues in the order of their times.

    Equal texts at the same place whose times touch become one cue: signs often have an event for each frame. Different
    texts that are shown at the same place at the same time are lines of one cue.
    """
    places: dict[str, list[TextCue]] = {}
    for cue in _united(cues):
        places.setdefault(cue.place, []).append(cue)
    return _by_start(cue for place, there in places.items() for cue in (_apart(there) if "line:" in place else there))


def webvtt_file(cues: Iterable[TextCue]) -> str:
    """Return a WebVTT file."""
    blocks = ["WEBVTT\n"]
    for cue in cues:
        start, end = (webvtt_time(Fraction(ms, 1000)) for ms in (cue.start_ms, cue.end_ms))
        blocks.append(f"{start} --> {end} {cue.place}".rstrip() + f"\n{cue.text}\n")
    return "\n".join(blocks)


def _tagged(text: str, style: TextStyle) -> str:
    tags = [
        *([f"c.{style.color}"] if style.color else []),  # first: in Shaka, a class ends bold and italic around it
        *(["b"] if style.is_bold else []),
        *(["i"] if style.is_italic else []),
        *(["u"] if style.is_underlined else []),
    ]
    opened = "".join(f"<{tag}>" for tag in tags)
    closed = "".join(f"</{tag.partition('.')[0]}>" for tag in reversed(tags))
    return f"{opened}{text}{closed}"


def _stepped(percent: float) -> int:
    return round(percent / _STEP_PERCENT) * _STEP_PERCENT


def _by_start(cues: Iterable[TextCue]) -> list[TextCue]:
    return sorted(cues, key=lambda cue: cue.start_ms)


def _united(cues: Iterable[TextCue]) -> list[TextCue]:
    """Return cues by their start; equal ones whose times touch or overlap are one."""
    last: dict[tuple[str, str], int] = {}
    found: list[TextCue] = []
    for cue in _by_start(cues):
        before = last.get((cue.place, cue.text))
        if before is not None and cue.start_ms <= found[before].end_ms:
            found[before] = replace(found[before], end_ms=max(cue.end_ms, found[before].end_ms))
        else:
            last[cue.place, cue.text] = len(found)
            found.append(cue)
    return found


def _apart(cues: Sequence[TextCue]) -> list[TextCue]:
    """Return the cues of one place, sorted by their start, such that only one is shown at any time.

    A cue that begins while MOST_TOGETHER are shown is left out.
    """
    found: list[TextCue] = []
    shown: list[TextCue] = []
    since = 0
    for cue in (*cues, None):
        while shown and (cue is None or min(each.end_ms for each in shown) <= cue.start_ms):
            end = min(each.end_ms for each in shown)
            found += _together(shown, since, end)
            since, shown = end, [each for each in shown if each.end_ms > end]
        if cue and len(shown) < MOST_TOGETHER:
            found += _together(shown, since, cue.start_ms)
            since = cue.start_ms
            shown.append(cue)
    return _united(found)


def _together(cues: Sequence[TextCue], start_ms: int, end_ms: int) -> list[TextCue]:
    """Return a cue that shows the texts of these cues, or none if there are none or the time is empty."""
    if not cues or start_ms >= end_ms:
        return []
    joined = "\n".join(cue.text for cue in cues)
    return [TextCue(start_ms, end_ms, joined if len(joined) <= LONGEST_CUE else cues[0].text, cues[0].place)]
