"""SubRip (SRT) and WebVTT files as cues; what is not valid in them is left out.

SubRip has no standard: players read the tags of HTML for bold, italic, underlined and coloured text, and those of ASS
for the alignment, such as {\\an8}.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from functions.encoding.formats.ass import EventStyle, Pen
from functions.encoding.formats.cues import LONGEST_CUE, TextCue, color_class, marked_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.encoding.formats.cues import TextStyle

_TIMES = re.compile(
    r"^[ \t]*(?:(\d{1,4}):)?(\d{1,3}):(\d{1,2})[.,](\d{1,3})[ \t]*-->"
    r"[ \t]*(?:(\d{1,4}):)?(\d{1,3}):(\d{1,2})[.,](\d{1,3})([^\n]*)\n?",
    re.MULTILINE,
)
_NUMBER_OF_NEXT = re.compile(r"(?:\n|\A)[ \t]*\d{1,9}[ \t]*\n\Z")
_SETTING = re.compile(r"(?:line|position|size|align|vertical):[\w.,%-]{1,40}")

_SUBRIP_TOKEN = re.compile(
    r"<(?P<closes>/?)(?P<name>[A-Za-z]{1,9})(?P<attributes>(?:[ .\t][^<>]*)?/?)>|\{(?P<override>\\[^{}]*)\}"
)
_WEBVTT_TOKEN = re.compile(r"<(?P<closes>/?)(?P<name>[A-Za-z]{0,9})(?P<attributes>[^<>]*)>")
_ENTITY = re.compile(r"&(?:amp|lt|gt|nbsp|quot|lrm|rlm|#\d{1,7}|#x[0-9A-Fa-f]{1,6});")

_STYLES = {
    "b": "is_bold",
    "strong": "is_bold",
    "i": "is_italic",
    "em": "is_italic",
    "u": "is_underlined",
}
_WITHOUT_MEANING = {"s", "strike", "del", "span", "p", "div", "v", "lang", "ruby", "rt", "size"}

_COLORS = {
    "red": "red",
    "orange": "yellow",
    "gold": "yellow",
    "yellow": "yellow",
    "lime": "lime",
    "green": "lime",
    "cyan": "cyan",
    "aqua": "cyan",
    "blue": "cyan",
    "magenta": "magenta",
    "fuchsia": "magenta",
    "pink": "magenta",
    "purple": "magenta",
}
"""WebVTT's classes by the names of colours; see `cues.color_class`."""

_COLOR = re.compile(r"""color\s*=\s*["']?\s*(?:#([0-9A-Fa-f]{6})|([A-Za-z]{1,20}))""", re.IGNORECASE)


def cues_of_subrip(text: str) -> list[TextCue]:
    """Return the cues of a SubRip file."""
    cues = []
    for start_ms, end_ms, _, words in _blocks(text):
        pen = Pen(EventStyle(), {})
        marked = marked_up(_runs(words, pen, _SUBRIP_TOKEN))
        if marked:
            cues.append(TextCue(start_ms, end_ms, marked, pen.place(lines=marked.count("\n") + 1)))
    return cues


def cues_of_webvtt(text: str) -> list[TextCue]:
    """Return the cues of a WebVTT file, with the settings that all players know, but without its own styles."""
    cues = []
    for start_ms, end_ms, settings, words in _blocks(text):
        payload = words.partition("\n\n")[0] if not words.startswith("\n") else ""
        marked = marked_up(_runs(payload, Pen(EventStyle(), {}), _WEBVTT_TOKEN))
        place = " ".join(setting for setting in settings.split() if _SETTING.fullmatch(setting))
        if marked:
            cues.append(TextCue(start_ms, end_ms, marked, place))
    return cues


def _blocks(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield each cue's start and end in milliseconds, what follows on the same line, and the text up to the next."""
    times = None
    for match in _TIMES.finditer(text):
        if times:
            yield from _block(times, _NUMBER_OF_NEXT.sub("\n", text[times.end() : match.start()]))
        times = match
    if times:
        yield from _block(times, text[times.end() :])


def _block(times: re.Match[str], words: str) -> Iterator[tuple[int, int, str, str]]:
    start_ms, end_ms = _milliseconds(*times.group(1, 2, 3, 4)), _milliseconds(*times.group(5, 6, 7, 8))
    if start_ms < end_ms and len(words) <= LONGEST_CUE:
        yield start_ms, end_ms, times[9], words


def _milliseconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))


def _runs(text: str, pen: Pen, token: re.Pattern[str]) -> Iterator[tuple[str, TextStyle]]:
    """Yield the texts of a cue with their styles. A tag that SubRip does not know is text, such as "<me>"."""
    colors: list[str] = []
    done = 0
    for match in token.finditer(text):
        yield _unescaped(text[done : match.start()]), pen.text
        done = match.end()
        tag = match.groupdict()
        closes, name = tag["closes"], (tag["name"] or "").lower()
        if override := tag.get("override"):
            pen.override(override)
        elif name in _STYLES:
            change: dict[str, Any] = {_STYLES[name]: not closes}
            pen.text = replace(pen.text, **change)
        elif name in ("font", "c"):
            if closes:
                pen.text = replace(pen.text, color=colors.pop() if colors else "")
            else:
                colors.append(pen.text.color)
                pen.text = replace(pen.text, color=_color_of(tag["attributes"]) or pen.text.color)
        elif name == "br":
            yield "\n", pen.text
        elif token is _SUBRIP_TOKEN and name not in _WITHOUT_MEANING:
            yield match[0], pen.text
    yield _unescaped(text[done:]), pen.text


def _color_of(attributes: str) -> str:
    """Return the class of the color of an HTML tag, or of WebVTT's tag of classes; "" if it has none."""
    for each in attributes.split("."):
        if each.strip() in _COLORS:
            return _COLORS[each.strip()]
    match = _COLOR.search(attributes)
    if not match:
        return ""
    if match[1]:
        return color_class(*bytes.fromhex(match[1]))
    return _COLORS.get(match[2].lower(), "")


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)
