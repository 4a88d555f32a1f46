"""Files that cannot become a film, named film.mp4: what each is, and what the reason must say."""

from __future__ import annotations

import io
import subprocess
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.countless_tracks import make_matroska, make_mp4
from tests.support.media import Film, Sound, make_film
from tests.support.mp4_damage import repeated_track

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Trap:
    """What a hostile file refers to: a pipe whose reader would wait forever, and an address that must stay unused."""

    folder: Path
    pipe: Path
    address: str


type Maker = Callable[[Trap], bytes]


def _bytes(content: bytes) -> Maker:
    return lambda trap: content


def _naming(text: str) -> Maker:
    """Return the maker of a text in which the trap's values replace {pipe} and {address}."""
    return lambda trap: text.format(pipe=trap.pipe, address=trap.address).encode()


def _made(name: str, *arguments: str) -> Maker:
    def make(trap: Trap) -> bytes:
        path = trap.folder / name
        subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments, str(path)], check=True, timeout=60)
        return path.read_bytes()

    return make


def _zipped(*names: str) -> Maker:
    def make(trap: Trap) -> bytes:
        del trap
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, b"application/vnd.oasis.opendocument.text" if name == "mimetype" else b"content")
        return file.getvalue()

    return make


def _patched(old: bytes, new: bytes, *, sounds: tuple[Sound, ...] = ()) -> Maker:
    """Return the maker of a film in which one name of four letters is replaced by another."""

    def make(trap: Trap) -> bytes:
        film = Film(frames=24, width=64, height=36, sounds=sounds)
        return make_film(film, trap.folder).read_bytes().replace(old, new)

    return make


def _halved(*mux: str) -> Maker:
    def make(trap: Trap) -> bytes:
        whole = make_film(Film(frames=240, width=64, height=36, mux=mux), trap.folder).read_bytes()
        return whole[: len(whole) // 2]

    return make


def _external(trap: Trap) -> bytes:
    """Return a QuickTime movie whose pictures are in another file, to which its data reference points."""
    film = Film("film.mov", frames=24, width=64, height=36, sounds=(), mux=("-movflags", "+faststart"))
    data = bytearray(make_film(film, trap.folder).read_bytes())
    at = data.index(b"url ")
    data[at : at + 8] = b"alis\0\0\0\0"
    return bytes(data[: data.index(b"mdat") + 4])


def _countless_tracks_in_mp4(trap: Trap) -> bytes:
    del trap
    return make_mp4(COUNTLESS)


def _countless_tracks_in_matroska(trap: Trap) -> bytes:
    film = make_film(Film(frames=24, width=64, height=36, sounds=()), trap.folder)
    return make_matroska(film.read_bytes(), COUNTLESS)


def _many_tracks(trap: Trap) -> bytes:
    film = make_film(Film(frames=24, width=64, height=36), trap.folder)
    return repeated_track(film.read_bytes(), 1, times=1200)


PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=64x36", "-frames:v", "1")
TONE = ("-f", "lavfi", "-i", "sine=duration=2")
FILM = ("-f", "lavfi", "-i", "testsrc2=size=64x36:rate=24:duration=1")
KEY = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "00" * 16, "-encryption_kid", "11" * 16)
BILLION = (
    *("-vf", "settb=1/1000000000,setpts=N", "-enc_time_base", "1/1000000000"),
    *("-video_track_timescale", "1000000000"),
)
COUNTLESS = 100_000
DISC = bytes(32_768) + b"\x01CD001\x01" + bytes(2041)

PICTURE_WORDS, SOUND_WORDS = "is a picture, not a film", "has sound but no video"
PLAYLIST_WORDS, ARCHIVE_WORDS = "is a playlist, not a film", "is an archive. Unpack it"
DOCUMENT_WORDS, PROGRAM_WORDS = "is a document, not a film", "is a program, not a film"
SEQUENCE_WORDS, DISC_WORDS = "is a single frame of an image sequence", "is an index file of a DVD or Blu-ray disc"
TRACKS_WORDS = "declares more than a thousand tracks"

HOSTILE: dict[str, tuple[Maker, str]] = {
    "empty file": (_bytes(b""), "is empty"),
    "only zeros": (_bytes(bytes(70_000)), "contains only zeros"),
    "random bytes": (_bytes(bytes(value * 7919 % 251 for value in range(20_000))), "cannot be read as a film"),
    "text": (_bytes(b"Dear diary,\nthis is not a film.\n" * 40), "is text, not a film"),
    "text in latin 1": (_bytes("Größe, Übung, Äpfel\n".encode("latin-1") * 40), "is text, not a film"),
    "text in utf-16": (_bytes("Dear diary".encode("utf-16") * 40), "is text, not a film"),
    "web page": (_bytes(b"\n<!DOCTYPE html><html><body>404</body></html>"), "is a web page, not a film"),
    "xml": (_bytes(b'<?xml version="1.0"?><project><clip/></project>'), "is an XML document, not a film"),
    "svg": (_bytes(b'<svg xmlns="http://www.w3.org/2000/svg"/>'), "is a drawing (SVG), not a film"),
    "svg that names a file": (
        _naming('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{pipe}"/></svg>'),
        "is a drawing (SVG), not a film",
    ),
    "xml that includes a file": (
        _naming('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file://{pipe}">]><a>&b;</a>'),
        "is an XML document, not a film",
    ),
    "dash manifest": (
        _naming('<?xml version="1.0"?>\n<MPD><Period><BaseURL>{address}</BaseURL></Period></MPD>'),
        PLAYLIST_WORDS,
    ),
    "hls playlist of a file": (
        _naming("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{pipe}\n#EXT-X-ENDLIST\n"),
        PLAYLIST_WORDS,
    ),
    "hls playlist of an address": (
        _naming("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{address}\n#EXT-X-ENDLIST\n"),
        PLAYLIST_WORDS,
    ),
    "concat script": (_naming("ffconcat version 1.0\nfile '{pipe}'\n"), PLAYLIST_WORDS),
    "pls playlist": (_naming("[playlist]\nFile1={address}\n"), PLAYLIST_WORDS),
    "windows media playlist": (
        _naming('<ASX version="3"><Entry><Ref href="{address}"/></Entry></ASX>'),
        PLAYLIST_WORDS,
    ),
    "sdp": (_naming("v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"), "is text"),
    "quicktime movie in another file": (_external, ""),
    "subtitles": (_bytes(b"1\n00:00:00,000 --> 00:00:01,000\nHello.\n"), "contains only subtitles"),
    "webvtt": (_bytes(b"\xef\xbb\xbfWEBVTT\n\n00:00.000 --> 00:01.000\nHello.\n"), "contains only subtitles"),
    "png": (_made("a.png", *PICTURE), PICTURE_WORDS),
    "jpeg": (_made("a.jpg", *PICTURE), PICTURE_WORDS),
    "gif": (_made("a.gif", *PICTURE), PICTURE_WORDS),
    "webp": (_made("a.webp", *PICTURE), PICTURE_WORDS),
    "bmp": (_made("a.bmp", *PICTURE), PICTURE_WORDS),
    "avif": (_made("a.avif", *PICTURE, "-c:v", "libaom-av1", "-still-picture", "1"), PICTURE_WORDS),
    "tiff": (_made("a.tiff", *PICTURE), SEQUENCE_WORDS),
    "dpx": (_made("a.dpx", *PICTURE), SEQUENCE_WORDS),
    "exr": (_made("a.exr", *PICTURE), SEQUENCE_WORDS),
    "film of one picture": (_made("a.mp4", *PICTURE, "-pix_fmt", "yuv420p"), "has only one frame, so it is not a film"),
    "mp3": (_made("a.mp3", *TONE), SOUND_WORDS),
    "wav": (_made("a.wav", *TONE), SOUND_WORDS),
    "flac": (_made("a.flac", *TONE), SOUND_WORDS),
    "aac": (_made("a.aac", *TONE), SOUND_WORDS),
    "aiff": (_made("a.aiff", *TONE), SOUND_WORDS),
    "ogg": (_made("a.ogg", *TONE), SOUND_WORDS),
    "mp4 with sound alone": (_made("a.mp4", *TONE), SOUND_WORDS),
    "matroska with sound alone": (_made("a.mka", *TONE), SOUND_WORDS),
    "zip": (_zipped("film.mkv"), ARCHIVE_WORDS),
    "rar": (_bytes(b"Rar!\x1a\x07\x01\x00" + bytes(range(256))), ARCHIVE_WORDS),
    "7z": (_bytes(b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(range(256))), ARCHIVE_WORDS),
    "gzip": (_bytes(b"\x1f\x8b\x08\x00" + bytes(range(256))), ARCHIVE_WORDS),
    "tar": (_bytes(b"film.mkv".ljust(257, b"\0") + b"ustar\x0000" + bytes(300)), ARCHIVE_WORDS),
    "word document": (_zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"), DOCUMENT_WORDS),
    "open document": (_zipped("mimetype", "content.xml"), DOCUMENT_WORDS),
    "old word document": (_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), DOCUMENT_WORDS),
    "pdf": (_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"1 0 obj\n" * 50), DOCUMENT_WORDS),
    "windows program": (_bytes(b"MZ\x90\x00\x03" + bytes(600)), PROGRAM_WORDS),
    "linux program": (_bytes(b"\x7fELF\x02\x01\x01" + bytes(600)), PROGRAM_WORDS),
    "script": (_bytes(b"#!/bin/sh\nexit 0\n"), PROGRAM_WORDS),
    "disc image": (_bytes(DISC), "is a disc image"),
    "udf disc image": (_bytes(DISC.replace(b"CD001", b"BEA01")), "is a disc image"),
    "dvd index": (_bytes(b"DVDVIDEO-VMG" + bytes(2048)), DISC_WORDS),
    "blu-ray index": (_bytes(b"INDX0200" + bytes(400)), DISC_WORDS),
    "blu-ray playlist": (_bytes(b"MPLS0200" + bytes(400)), DISC_WORDS),
    "protected mp4": (_made("a.mp4", *FILM, "-pix_fmt", "yuv420p", *KEY), "is copy-protected (DRM)"),
    "protected sound": (_made("a.mp4", *FILM, *TONE, "-pix_fmt", "yuv420p", *KEY), "is copy-protected (DRM)"),
    "film with fairplay protection": (_patched(b"avc1", b"drmi"), "is copy-protected (DRM)"),
    "sound with fairplay protection": (_patched(b"mp4a", b"drms", sounds=(Sound(),)), "is copy-protected (DRM)"),
    "unknown picture format": (_patched(b"avc1", b"zzzz"), "The video of film.mp4 cannot be decoded"),
    "a billion pictures per second": (
        _made("a.mp4", *FILM, "-pix_fmt", "yuv420p", *BILLION),
        "frames per second; the limit is 1,000",
    ),
    "more than a thousand tracks": (_many_tracks, TRACKS_WORDS),
    "a hundred thousand tracks in mp4": (_countless_tracks_in_mp4, TRACKS_WORDS),
    "a hundred thousand tracks in matroska": (_countless_tracks_in_matroska, TRACKS_WORDS),
    "too many pixels": (
        _made("a.mkv", "-f", "lavfi", "-i", "color=size=16386x16:rate=24:duration=1", "-c:v", "ffv1"),
        "the limit is 8192x4320",
    ),
    "half an mp4 whose index is at the front": (_halved("-movflags", "+faststart"), "cut off"),
    "half an mp4 whose index was at the end": (_halved(), "cut off: the index of the MP4 file is missing"),
}
"""For each case, the function that makes its bytes, and words that the reason must contain, if any."""
