"""Read the manifests of a published title, to compare them with the segments that are stored.

Only what a player needs to find segments and subtitles is read, so manifests of earlier versions are valid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree

_MPD = "{urn:mpeg:dash:schema:mpd:2011}"
_MOST_REPEATED = 1_000_000
_INIT = re.compile(r'^#EXT-X-MAP:URI="([^"]+)"', re.MULTILINE)
_SEGMENT = re.compile(r"^#EXTINF:([0-9.]+),[^\n]*\n([^#\n]+)$", re.MULTILINE)
_STRIP = re.compile(r"^(thumbnails/[^#\s]+)#xywh=", re.MULTILINE)


class MalformedManifest(ValueError):
    """A manifest cannot be read."""


@dataclass(frozen=True, slots=True)
class ListedTrack:
    """The segments of a track that an MPD lists: times in ticks of `timescale`, number and begin of the first one."""

    timescale: int
    durations: tuple[int, ...]
    first: int = 0
    begin: int = 0


@dataclass(frozen=True, slots=True)
class ListedPlaylist:
    """A media playlist: its init segment, its segments with their durations in seconds, and whether it has ended."""

    init: str | None
    segments: tuple[str, ...]
    durations_s: tuple[float, ...]
    ended: bool


def read_mpd(text: str) -> dict[str, ListedTrack]:
    """Return the tracks of picture and sound in a static MPD, by name. Raises MalformedManifest."""
    try:
        mpd = ElementTree.fromstring(text)
        if mpd.get("type") != "static":
            raise MalformedManifest("The MPD is not static.")
        return {
            representation.attrib["id"]: _listed(template)
            for representation in mpd.iter(f"{_MPD}Representation")
            if (template := representation.find(f"{_MPD}SegmentTemplate[{_MPD}SegmentTimeline]")) is not None
        }
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise MalformedManifest(f"The MPD cannot be read: {error}") from None


def texts_in(mpd: str) -> set[str]:
    """Return the names of the subtitle files that an MPD lists. Raises MalformedManifest."""
    try:
        sets = ElementTree.fromstring(mpd).iter(f"{_MPD}AdaptationSet")
    except ElementTree.ParseError as error:
        raise MalformedManifest(f"The MPD cannot be read: {error}") from None
    texts = (each for each in sets if each.get("contentType") == "text")
    return {base.text or "" for text in texts for base in text.iter(f"{_MPD}BaseURL")}


def read_playlist(text: str) -> ListedPlaylist:
    """Return the content of a media playlist. Raises MalformedManifest."""
    if not text.startswith("#EXTM3U\n"):
        raise MalformedManifest("It is not a playlist.")
    init = _INIT.search(text)
    found = _SEGMENT.findall(text)
    return ListedPlaylist(
        init.group(1) if init else None,
        tuple(name for _, name in found),
        tuple(float(duration) for duration, _ in found),
        "\n#EXT-X-ENDLIST\n" in text,
    )


def playlists_in(master: str) -> set[str]:
    """Return the names of the media playlists that a master playlist refers to."""
    lines = {line for line in master.splitlines() if line and not line.startswith("#")}
    return lines | set(re.findall(r'URI="([^"]+)"', master))


def strips_in(thumbnails: str) -> set[str]:
    """Return the names of the pictures that a WebVTT file of thumbnails refers to."""
    return set(_STRIP.findall(thumbnails))


def _listed(template: ElementTree.Element) -> ListedTrack:
    durations: list[int] = []
    begin = end = None
    for entry in template.iter(f"{_MPD}S"):
        repeated = int(entry.get("r", "0"))
        if not 0 <= repeated <= _MOST_REPEATED:
            raise MalformedManifest(f"A segment is repeated {repeated} times.")
        at = int(entry.get("t", end or 0))
        if end is not None and at != end:
            raise MalformedManifest(f"A segment begins at {at}, and the one before it ends at {end}.")
        begin = at if begin is None else begin
        durations += [int(entry.attrib["d"])] * (repeated + 1)
        end = at + int(entry.attrib["d"]) * (repeated + 1)
    first = int(template.get("startNumber", "1"))
    return ListedTrack(int(template.attrib["timescale"]), tuple(durations), first, begin or 0)
