"""Advanced SubStation Alpha (ASS) and its predecessor SSA: their events as cues of WebVTT.

ffmpeg's conversion loses places and colours, and shows drawings as text. What is kept: text, bold, italic, underlined,
colours as far as WebVTT has a class for them, alignment and position. Fonts, sizes, borders, karaoke, drawings and
everything that moves are left out; a text that moves stays where it begins.

The format has no standard. The tags are those of libass, https://github.com/libass/libass/wiki.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from functions.encoding.formats.cues import TextCue, TextStyle, color_class, marked_up, place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_EVENT = 1 << 16
"""The maximum number of characters of an event; a longer one is a drawing."""

_DEFAULT_SIZE = (384, 288)
"""The size of the picture that positions refer to, if the file does not name it."""

_STYLE_FIELDS = {
    "v4": "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, TertiaryColour, BackColour, Bold, Italic, "
    "BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, AlphaLevel, Encoding",
    "v4+": "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
    "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, "
    "MarginV, Encoding",
}
_EVENT_FIELDS = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"

_TIME = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})[.:,](\d{1,3})")
_NUMBER = re.compile(r"\d{1,6}")
_TAG = re.compile(r"\\([^\\()]*)(\((?:[^()]|\([^()]*\))*\)?)?")
"""A tag and its arguments; those of \\t contain other tags, which are ignored with it."""

_SIMPLE_TAG = re.compile(r"(an|[abipu])(-?\d{0,6})")
_COLOR_TAG = re.compile(r"(1?c|alpha)((?:&?[Hh])?[0-9A-Fa-f]{0,10})&?")
_POINT = re.compile(r"\(\s*(-?\d{1,6}(?:\.\d{0,6})?)\s*,\s*(-?\d{1,6}(?:\.\d{0,6})?)\s*[,)]")
_HIDDEN = 0xF0
"""The transparency from which a text is left out: typesetters show parts of it later by another event."""

_BOLD_WEIGHT = 600


@dataclass(frozen=True, slots=True)
class EventStyle:
    """A style of an ASS file; `alignment` is that of `cues.place_of`."""

    text: TextStyle = field(default_factory=TextStyle)
    alignment: int = 2


class Pen:
    """How the next text of an event looks and where the event is, according to the override tags so far."""

    def __init__(
        self,
        style: EventStyle,
        styles: Mapping[str, EventStyle],
        *,
        size: tuple[int, int] = _DEFAULT_SIZE,
    ) -> None:
        self._own, self._style, self._styles, self._size = style, style, styles, size
        self.text = style.text
        self.draws = False
        self.is_hidden = False
        self._alignment: int | None = None
        self._at: tuple[float, float] | None = None

    def override(self, tags: str) -> None:
        """Apply the tags of a block, which is what stands between braces."""
        for match in _TAG.finditer(tags):
            name, arguments = match[1].strip(), match[2] or ""
            if simple := _SIMPLE_TAG.fullmatch(name):
                self._apply(simple[1], int(simple[2]) if simple[2] not in ("", "-") else None)
            elif color := _COLOR_TAG.fullmatch(name):
                self._dye(color[1], color[2])
            elif name in ("pos", "move") and (point := _POINT.match(arguments)):
                if self._at is None:
                    self._at = (100 * float(point[1]) / self._size[0], 100 * float(point[2]) / self._size[1])
            elif name.startswith("r"):
                self._style = self._styles.get(name[1:].strip(), self._own) if len(name) > 1 else self._own
                self.text, self.is_hidden = self._style.text, False

    def place(self, *, lines: int) -> str:
        """Return the settings for the event, which has `lines` lines."""
        return place_of(self._alignment or self._own.alignment, lines=lines, at=self._at)

    def _apply(self, name: str, number: int | None) -> None:
        base = self._style.text
        if name == "b":
            is_bold = number == 1 or (number or 0) >= _BOLD_WEIGHT
            self.text = replace(self.text, is_bold=base.is_bold if number is None else is_bold)
        elif name == "i":
            self.text = replace(self.text, is_italic=base.is_italic if number is None else number != 0)
        elif name == "u":
            self.text = replace(self.text, is_underlined=base.is_underlined if number is None else number != 0)
        elif name == "p":
            self.draws = (number or 0) > 0
        elif self._alignment is None and number is not None:
            self._alignment = _from_legacy(number) if name == "a" else number if 1 <= number <= 9 else None

    def _dye(self, name: str, value: str) -> None:
        if name == "alpha":
            self.is_hidden = bool(value) and _hexadecimal(value) & 0xFF >= _HIDDEN
        else:
            color = _class_of(_hexadecimal(value)) if value else self._style.text.color
            self.text = replace(self.text, color=color)


def cues_of_ass(text: str) -> list[TextCue]:
    """Return the cues of an ASS or SSA file; what is not valid in it is left out."""
    section, fields = "", [""]
    styles: dict[str, EventStyle] = {}
    size: dict[str, int] = {}
    events: list[dict[str, str]] = []
    for line in text.split("\n"):
        if len(line) > LONGEST_EVENT:
            continue
        if line.startswith("["):
            section = line.strip().lower()
            fields = _fields(_default_fields(section))
            continue
        key, _, value = line.partition(":")
        key = key.strip().lower()
        if key == "format":
            fields = _fields(value)
        elif key == "style":
            named = dict(zip(fields, (part.strip() for part in value.split(",")), strict=False))
            styles[named.get("name", "").lstrip("*")] = _style_of(named, is_legacy="+" not in section)
        elif key == "dialogue":
            parts = value.split(",", len(fields) - 1)
            events.append(dict(zip(fields, parts, strict=False)))
        elif key in ("playresx", "playresy") and (number := _NUMBER.fullmatch(value.strip())):
            size[key] = int(number[0])
    return [cue for event in events if (cue := _cue_of(event, styles, _size_of(size)))]


def _default_fields(section: str) -> str:
    if "styles" in section:
        return _STYLE_FIELDS["v4+" if "+" in section else "v4"]
    return _EVENT_FIELDS


def _fields(names: str) -> list[str]:
    return [name.strip().lower() for name in names.split(",")]


def _size_of(named: Mapping[str, int]) -> tuple[int, int]:
    width, height = named.get("playresx", 0), named.get("playresy", 0)
    if width and height:
        return width, height
    if width or height:
        return width or round(height * 4 / 3), height or max(1, round(width * 3 / 4))
    return _DEFAULT_SIZE


def _style_of(named: Mapping[str, str], *, is_legacy: bool) -> EventStyle:
    alignment = named.get("alignment", "")
    number = int(alignment) if _NUMBER.fullmatch(alignment) else 2
    color = named.get("primarycolour", "")
    return EventStyle(
        TextStyle(
            is_bold=named.get("bold", "0") not in ("0", ""),
            is_italic=named.get("italic", "0") not in ("0", ""),
            is_underlined=named.get("underline", "0") not in ("0", ""),
            color=_class_of(_number_of(color)),
        ),
        alignment=_from_legacy(number) or 2 if is_legacy else number if 1 <= number <= 9 else 2,
    )


def _cue_of(event: Mapping[str, str], styles: Mapping[str, EventStyle], size: tuple[int, int]) -> TextCue | None:
    start, end = (_milliseconds(event.get(name, "")) for name in ("start", "end"))
    if start is None or end is None or start >= end:
        return None
    style = styles.get(event.get("style", "").strip().lstrip("*"), styles.get("Default", EventStyle()))
    pen = Pen(style, styles, size=size)
    text = marked_up(_runs(event.get("text", ""), pen))
    return TextCue(start, end, text, pen.place(lines=text.count("\n") + 1)) if text else None


def _runs(text: str, pen: Pen) -> Sequence[tuple[str, TextStyle]]:
    """Return the visible texts of an event with their styles; `pen` receives the tags."""
    runs: list[tuple[str, TextStyle]] = []
    done = 0
    while done < len(text):
        opens = text.find("{", done)
        closes = text.find("}", opens) if opens >= 0 else -1
        shown = text[done : opens if closes >= 0 else len(text)]  # a brace that is not closed is text
        if shown and not pen.draws and not pen.is_hidden:
            runs.append((shown.replace("\\N", "\n").replace("\\n", " ").replace("\\h", "\u00a0"), pen.text))
        if closes < 0:
            break
        pen.override(text[opens + 1 : closes])
        done = closes + 1
    return runs


def _milliseconds(time: str) -> int | None:
    match = _TIME.fullmatch(time.strip())
    if not match:
        return None
    hours, minutes, seconds = (int(match[number]) for number in (1, 2, 3))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int(match[4].ljust(3, "0"))


def _from_legacy(alignment: int) -> int | None:
    """Return the alignment for one of SSA, which adds 4 for the top and 8 for the middle of the picture."""
    column, row = alignment & 3, alignment >> 2
    return column + {0: 0, 1: 6, 2: 3}[row] if column and row in (0, 1, 2) else None


def _hexadecimal(value: str) -> int:
    digits = value.lstrip("&Hh")
    return int(digits, 16) if digits else 0


def _number_of(color: str) -> int:
    """Return a color of a style, which is hexadecimal or, in SSA, decimal; white if it is neither."""
    if match := _COLOR_TAG.fullmatch(f"c{color.strip()}"):
        if "h" in match[2].lower():
            return _hexadecimal(match[2])
        if match[2].isdecimal():
            return int(match[2])
    return 0xFFFFFF


def _class_of(bgr: int) -> str:
    return color_class(bgr & 0xFF, bgr >> 8 & 0xFF, bgr >> 16 & 0xFF)
