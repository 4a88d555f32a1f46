"""The published index of what is said: a file for each title, and shards that say which titles have a word.

`catalogue/dialogue/<title_id>.json` has the words of a title with their seconds. The first two letters of a
word determine its shard, so a browser loads one shard for each word that is typed, and then the files of a few titles.

A title's file is written after its shards, and its notes name the subtitles that it was made from. So if a publisher is
killed before it has written this file, the work is done again. Shards may name a title whose file does not have the
word any more, because another publisher was at work or was killed; so browsers rely on the title's own file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.catalogue.dialogue import SHARDS, dialogue_of, shard_of, shards_of
from functions.catalogue.site import NO_CACHE
from functions.catalogue.static_files import DialogueShard, TitleDialogue
from functions.platform.decoding import decode_json
from functions.platform.json_text import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from functions.catalogue.model import Title
    from functions.catalogue.ports import FileVersion, SiteFiles, SubtitleFiles, TitleStore

FOLDER = "catalogue/dialogue"
INDEX_VERSION = 1
"""Increase it whenever the same subtitles give other words; titles are then indexed again with their next page."""

MOST_TRACKS = 8
AT_ONCE = 50
"""How many titles are indexed together; each shard is then written once for all of them."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A title whose file is not up to date, with its words before and now; `source` is empty without subtitles."""

    title_id: str
    over: FileVersion | None
    had: Mapping[str, tuple[int, ...]]
    has: Mapping[str, tuple[int, ...]]
    source: str


class DialogueIndex:
    """Writes the index from the subtitles of titles."""

    def __init__(self, titles: TitleStore, site: SiteFiles, subtitles: SubtitleFiles) -> None:
        self._titles = titles
        self._site = site
        self._subtitles = subtitles

    def update(self, titles: Iterable[Title], renew: Callable[[], None]) -> None:
        """Index titles as they are now; `renew` is called between the steps. Raises StoreUnavailable.

        A title that is still encoding is left as it is, because its subtitles are indexed once it is complete.
        """
        waiting = [title.id for title in titles if not _is_growing(title)]
        for at in range(0, len(waiting), AT_ONCE):
            self._update(waiting[at : at + AT_ONCE], renew)

    def _update(self, title_ids: list[str], renew: Callable[[], None]) -> None:
        """Index titles until each matches the store: a title may be withdrawn while its files are written."""
        while title_ids:
            changes = []
            for title_id in title_ids:
                if change := self._change_of(title_id):
                    changes.append(change)
                renew()
            for number in self._shards_to_write(changes):
                self._write_shard(number, changes)
                renew()
            for change in changes:
                self._write_title(change)
            title_ids = [change.title_id for change in changes]

    def _shards_to_write(self, changes: list[_Change]) -> list[int]:
        """Return the shards of the changed words; at first, all shards, so that no browser requests a missing shard."""
        if changes and self._site.find_version(_shard_path(SHARDS - 1)) is None:
            return list(range(SHARDS))
        return sorted(set[int]().union(*(shards_of({**each.had, **each.has}) for each in changes)))

    def _change_of(self, title_id: str) -> _Change | None:
        """Return what must be written about a title; None if its file is up to date."""
        path = _path_of(title_id)
        over = self._site.find_version(path)
        title = self._titles.get(title_id)
        if title and _is_growing(title):
            return None
        source = _source_of(title) if title and title.listed else ""
        if source == (over.notes.get("source", "") if over else ""):
            return None
        stored = self._site.read_file(path) if over else None
        had = decode_json(stored, TitleDialogue).words if stored else {}
        return _Change(title_id, over, had, self._read(title) if title and source else {}, source)

    def _read(self, title: Title) -> dict[str, tuple[int, ...]]:
        tracks = title.playback.subtitles[:MOST_TRACKS] if title.playback else ()
        job_id = title.playback.job_id if title.playback else ""
        texts = (self._subtitles.read_subtitles(title.id, job_id, track.name) for track in tracks)
        return dialogue_of(text for text in texts if text)

    def _write_title(self, change: _Change) -> None:
        path = _path_of(change.title_id)
        if not change.source:
            self._site.remove(path, over=change.over)
            return
        data = to_json(TitleDialogue(dict(change.has))).encode()
        self._site.write(
            path, data, kind="application/json", cache=NO_CACHE, over=change.over, notes={"source": change.source}
        )

    def _write_shard(self, number: int, changes: Iterable[_Change]) -> None:
        path = _shard_path(number)
        while True:
            over = self._site.find_version(path)
            stored = self._site.read_file(path) if over else None
            shard = decode_json(stored, DialogueShard) if stored else DialogueShard((), {})
            changed = to_json(_changed(shard, number, changes)).encode()
            if changed == stored:
                return
            if self._site.write(path, changed, kind="application/json", cache=NO_CACHE, over=over, notes={}):
                return


def _path_of(title_id: str) -> str:
    return f"{FOLDER}/{title_id}.json"


def _shard_path(number: int) -> str:
    return f"{FOLDER}/shards/{number}.json"


def _is_growing(title: Title) -> bool:
    return title.listed and title.playback is not None and not title.playback.complete


def _source_of(title: Title) -> str:
    """Return what identifies the subtitles of a complete title; empty if it has none."""
    if title.playback is None or not title.playback.subtitles:
        return ""
    names = [track.name for track in title.playback.subtitles]
    return hashlib.sha256(f"{INDEX_VERSION} {title.playback.job_id} {names}".encode()).hexdigest()[:32]


def _changed(shard: DialogueShard, number: int, changes: Iterable[_Change]) -> DialogueShard:
    """Return a shard in which the changed titles have the words that they have now."""
    titles: dict[str, set[str]] = {title_id: set() for title_id in shard.titles}
    for word, positions in shard.words.items():
        for position in positions:
            titles[shard.titles[position]].add(word)
    for change in changes:
        titles[change.title_id] = {word for word in change.has if shard_of(word) == number}
    kept = sorted(title_id for title_id, has in titles.items() if has)
    words: dict[str, list[int]] = {}
    for position, title_id in enumerate(kept):
        for word in titles[title_id]:
            words.setdefault(word, []).append(position)
    return DialogueShard(tuple(kept), {word: tuple(words[word]) for word in sorted(words)})
