"""What is said in a film: the words of its subtitles, and the seconds at which each is said.

The search uses these words to find films, and the moments at which a word is said. Frequent words and the order of the
words are left out, so the published files do not contain the sentences of a film.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from functions.catalogue.search import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MOST_PLACES = 20
"""A word said at more places of a track than this counts as frequent; a search for this word alone does not find it."""

MOST_WORDS = 20_000
SHORTEST, LONGEST = 2, 40
"""Minimum and maximum number of letters of a word; text without spaces, such as Japanese, mostly exceeds it."""

SHARDS = 64
"""The number of files that the words of all titles are spread over; web/js/search/dialogue.js uses the same number."""

_TIMES = re.compile(r"(?:(\d+):)?(\d\d):(\d\d)[.,]\d{3}\s+-->")
_MARKUP = re.compile(r"<[^<>]*>|\[[^\[\]]*\]")
"""Tags of WebVTT, and descriptions of sounds such as [door slams]. The search takes linear time."""

LONGEST_CUE = 4096
"""The maximum number of characters of a cue; a longer cue is not dialogue."""


def shard_of(word: str) -> int:
    """Return the number of the shard of all words that have the first two letters of `word`."""
    return (31 * ord(word[0]) + ord(word[1])) % SHARDS


def dialogue_of(tracks: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return the words of a title's subtitle tracks, which are WebVTT, with the seconds at which each is said.

    A word, such as "the" in English, has no seconds if it is frequent in every track that contains it.
    """
    found: dict[str, set[int]] = {}
    for track in tracks:
        for word, seconds in _places(track).items():
            there = found.setdefault(word, set())
            if len(seconds) <= MOST_PLACES:
                there |= seconds
    some = sorted(found)[:MOST_WORDS]
    return {word: tuple(sorted(found[word])) for word in some}


def shards_of(dialogue: Mapping[str, object]) -> set[int]:
    """Return the numbers of the shards that have these words."""
    return set(map(shard_of, dialogue))


def _places(track: str) -> dict[str, set[int]]:
    places: dict[str, set[int]] = {}
    for second, text in _cues(track):
        for word in words(html.unescape(_MARKUP.sub(" ", text))):
            if SHORTEST <= len(word) <= LONGEST:
                places.setdefault(word, set()).add(second)
    return places


def _cues(track: str) -> Iterator[tuple[int, str]]:
    """Yield the second at which each cue begins, and its text."""
    second: int | None = None
    lines: list[str] = []
    for line in [*track.splitlines(), ""]:
        times = _TIMES.match(line.strip())
        if times:
            hours, minutes, seconds = (int(number or 0) for number in times.groups())
            second, lines = 3600 * hours + 60 * minutes + seconds, []
        elif line.strip():
            lines.append(line)
        elif second is not None:
            text = " ".join(lines)
            if len(text) <= LONGEST_CUE:
                yield second, text
            second = None
