"""Turn spoken words into cues: at most two lines of 42 characters, shown for at most 7 s, broken at words.

The limits are those of Netflix's Timed Text Style Guide, which many films follow. Words that belong together stay in
one cue: a cue ends where a sentence ends or the speaker pauses.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.captions_encode import CaptionCue
from functions.encoding.formats.webvtt import webvtt_text, webvtt_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LINE, LINES = 42, 2
LONGEST_S = 7.0
SHORTEST_S = 5 / 6
"""A cue is shown for at least this long, unless the next one begins earlier."""

SENTENCE = 16
"""The minimum length, in characters, of a cue that ends with a sentence; a shorter cue also takes the next words."""

PAUSE_S = 0.8
"""A longer pause between two words ends a cue."""

ENDS = (".", "?", "!", "…")
WEAK_ENDS = (",", ";", ":", "–", "—")

MARK = "NOTE Made automatically from the sound by Whisper; nobody has checked it."
"""The comment at the beginning of a file of automatic captions."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word with its punctuation, and when it is said, in seconds.

    A text begins with a space if one is before the word; some languages have none.
    """

    begin_s: float
    end_s: float
    text: str


def cues_of(words: Sequence[SpokenWord]) -> list[CaptionCue]:
    """Return the cues of a film's words, in order; no two overlap."""
    groups = _groups([each for each in words if each.text.strip()])
    cues: list[CaptionCue] = []
    for number, group in enumerate(groups):
        begin_s = group[0].begin_s
        end_s = max(group[-1].end_s, begin_s + SHORTEST_S)
        if number + 1 < len(groups):
            end_s = min(end_s, groups[number + 1][0].begin_s)
        begin_ms = max(round(begin_s * 1000), cues[-1].end_ms if cues else 0)
        end_ms = min(round(end_s * 1000), begin_ms + round(LONGEST_S * 1000))
        if end_ms > begin_ms:
            cues.append(CaptionCue(begin_ms, end_ms, tuple(lines_of([word.text for word in group]))))
    return cues


def write_captions(cues: Iterable[CaptionCue]) -> str:
    """Return the cues as a WebVTT file that says that it was made automatically."""
    blocks = ["WEBVTT", MARK]
    for cue in cues:
        begin, end = (webvtt_time(Fraction(ms, 1000)) for ms in (cue.begin_ms, cue.end_ms))
        blocks.append("\n".join([f"{begin} --> {end}", *map(webvtt_text, cue.lines)]))
    return "\n\n".join(blocks) + "\n"


def lines_of(words: Sequence[str]) -> list[str]:
    """Return the words of a cue as one line or, if they need it, as two of similar length."""
    whole = _text(words)
    if len(whole) <= LINE or len(words) == 1:
        return [whole]
    breaks = [(_text(words[:at]), _text(words[at:])) for at in range(1, len(words))]
    fitting = [pair for pair in breaks if max(map(len, pair)) <= LINE] or breaks
    first, second = min(fitting, key=_awkwardness)
    return [first, second]


def _groups(words: Sequence[SpokenWord]) -> list[list[SpokenWord]]:
    """Return the words of each cue."""
    groups: list[list[SpokenWord]] = []
    current: list[SpokenWord] = []
    for word in words:
        if current and _is_over(current, word):
            groups.append(current)
            current = []
        elif current and not _fits([*current, word]):
            first, current = _split(current)
            groups.append(first)
            if current and not _fits([*current, word]):
                groups.append(current)
                current = []
        current.append(word)
    return [*groups, current] if current else groups


def _is_over(current: Sequence[SpokenWord], following: SpokenWord) -> bool:
    """Return whether a cue ends before the following word, whatever room is left."""
    if following.begin_s - current[-1].end_s > PAUSE_S:
        return True
    return current[-1].text.endswith(ENDS) and len(_text([word.text for word in current])) >= SENTENCE


def _fits(words: Sequence[SpokenWord]) -> bool:
    """Return whether words fit into one cue; a single word always does."""
    if len(words) == 1:
        return True
    if words[-1].end_s - words[0].begin_s > LONGEST_S:
        return False
    return max(map(len, lines_of([word.text for word in words]))) <= LINE


def _split(words: list[SpokenWord]) -> tuple[list[SpokenWord], list[SpokenWord]]:
    """Split words that fill a cue where a clause ends in their second half; otherwise, all of them stay together."""
    for at in range(len(words) - 1, len(words) // 2, -1):
        if words[at - 1].text.endswith(WEAK_ENDS):
            return words[:at], words[at:]
    return words, []


def _awkwardness(lines: tuple[str, str]) -> tuple[bool, int]:
    """Return what is least where two lines are best broken: where a clause ends, and then near the middle."""
    return not lines[0].endswith((*ENDS, *WEAK_ENDS)), abs(len(lines[0]) - len(lines[1]))


def _text(words: Sequence[str]) -> str:
    """Return consecutive words as one text, with single spaces."""
    return " ".join("".join(words).split())
