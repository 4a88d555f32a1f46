"""Sentences for the uploader about files that cannot become a film: what the file is, and what to do.

A file is recognised by its first bytes (file signatures; ISO 9660 and ECMA-167 have theirs at byte 32,769), and by what
ffprobe reports about a file that it can open. No sentence contains a path, a program's message or a technical name.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from functions.platform.errors import SourceRefused

HEAD_BYTES = 36 << 10
"""How much of a file is read to recognise it; includes the descriptors of a disc image."""

MOST_PICTURES_PER_S = 1000
"""The highest average frame rate that is accepted; high-speed cameras record up to this rate."""

_MP4_BEGINNINGS = {b"ftyp", b"mdat", b"free", b"skip", b"wide"}
_STILL_BRANDS = {b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis"}
_DISC_VOLUMES = {b"CD001", b"BEA01", b"NSR02", b"NSR03"}
_ENCRYPTED = "Encryption info"
"""What ffprobe calls the side data of packets with Common Encryption (ISO/IEC 23001-7)."""
_FAIRPLAY = {"drmi", "drms"}
"""Sample entries of films and sound with FairPlay protection."""

_ARCHIVES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"\x28\xb5\x2f\xfd",
)
_DOCUMENTS = (b"%PDF-", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf", b"%!PS")
_PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\x00asm",
    b"#!",
)
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"8BPS", b"\x00\x00\x01\x00", b"\xff\x0a")
_SEQUENCE_PICTURES = (b"SDPX", b"XPDS", b"v/1\x01", b"\x80\x2a\x5f\xd7", b"II*\x00", b"MM\x00*")
"""DPX, OpenEXR, Cineon and TIFF: one picture of an image sequence."""
_SOUNDS = (b"ID3", b"fLaC", b"#!AMR", b"MThd", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1", b"\xff\xf9")
_DISC_FILES = (b"DVDVIDEO-", b"INDX0", b"MOBJ0", b"MPLS0", b"HDMV0")
"""The index files in the folders VIDEO_TS and BDMV."""
_OFFICE = re.compile(rb"\[Content_Types\]\.xml|mimetypeapplication/(?:vnd\.oasis|epub)|_rels/\.rels")
_PLAYLISTS = re.compile(rb"#EXTM3U|ffconcat|\[playlist\]|<asx|<smil|(?:<\?xml[^>]*\?>\s*)?<MPD", re.IGNORECASE)
_PAGE = re.compile(rb"(?:<!doctype html|<html)", re.IGNORECASE)
_DRAWING = re.compile(rb"<svg[\s>]", re.IGNORECASE)
_CUES = re.compile(r"\s*WEBVTT|\s*\d+\s*\n\d+:\d\d:\d\d[,.]\d", re.ASCII)

FILM_ITSELF = "Upload the film itself."


def why_unreadable(name: str, head: bytes, errors: str) -> str:
    """Return the sentence about a file that ffprobe cannot open; `head` are its first bytes, `errors` its messages."""
    known = _sentence_about(name, head)
    if known is not None:
        return known
    if head[4:8] in _MP4_BEGINNINGS and "moov atom not found" in errors:
        return f"{name} is cut off: the index of the MP4 file is missing. Upload the whole file again."
    return f"{name} cannot be read as a film. Upload an MP4, MOV, MKV, WebM, AVI, MXF or MPEG-TS file."


def check_track_count(name: str, errors: str) -> None:
    """Raise SourceRefused for a file with more than a thousand tracks, which is all that ffprobe reads.

    ffprobe reports the limit in its messages; it does not open such an MP4, but opens a Matroska file without the rest.
    """
    if "max_streams" in errors:
        raise SourceRefused(f"{name} declares more than a thousand tracks. Upload a version with fewer tracks.")


def check_kind(name: str, head: bytes) -> None:
    """Raise SourceRefused for a file that is not a film although ffprobe might open it as one."""
    if head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS:
        raise SourceRefused(f"{name} is a picture, not a film. {FILM_ITSELF}")
    if _CUES.match(head[:200].decode("utf-8", "replace").removeprefix("\ufeff")):
        raise SourceRefused(
            f"{name} contains only subtitles. Name it after its film, such as film.en.srt, and upload the film too."
        )


def check_protection(name: str, found: dict[str, Any]) -> None:
    """Raise SourceRefused for a copy-protected film; `found` is ffprobe's description with its first packets."""
    packets = found.get("packets", [])
    kinds = {data.get("side_data_type") for packet in packets for data in packet.get("side_data_list", [])}
    if _ENCRYPTED in kinds or any(s.get("codec_tag_string") in _FAIRPLAY for s in found.get("streams", [])):
        raise SourceRefused(
            f"{name} is copy-protected (DRM), so it cannot be played here. Upload a version without protection."
        )


def check_streams(name: str, streams: list[dict[str, Any]], decodable: frozenset[str]) -> dict[str, Any]:
    """Return the video stream among ffprobe's streams. Raises SourceRefused if none can be shown."""
    pictures = [stream for stream in streams if stream.get("codec_type") == "video"]
    videos = [stream for stream in pictures if not stream["disposition"]["attached_pic"]]
    if not videos:
        has_sound = any(stream.get("codec_type") == "audio" for stream in streams)
        what = "has sound but no video" if has_sound else "contains neither video nor sound"
        raise SourceRefused(f"{name} {what}. Upload a film with a video track.")
    video = next((stream for stream in videos if stream.get("codec_name") in decodable), None)
    if video is None:
        raise SourceRefused(
            f"The video of {name} cannot be decoded. Upload a version in a common format such as H.264 or HEVC."
        )
    _check_rate(name, video)
    return video


def _check_rate(name: str, video: dict[str, Any]) -> None:
    try:
        rate = Fraction(video.get("avg_frame_rate") or 0)
    except (ValueError, ZeroDivisionError):
        return
    if rate > MOST_PICTURES_PER_S:
        raise SourceRefused(
            f"{name} shows {float(rate):,.0f} frames per second; the limit is {MOST_PICTURES_PER_S:,}. "
            f"Export it again at 24 to 60 frames per second."
        )


def _sentence_about(name: str, head: bytes) -> str | None:
    """Return what a file is and what to do; None if its kind is unknown."""
    if head.startswith(_ARCHIVES):
        if head.startswith(b"PK") and _OFFICE.search(head[:4096]):
            return f"{name} is a document, not a film. {FILM_ITSELF}"
        return f"{name} is an archive. Unpack it and upload the film inside."
    if head[257:262] == b"ustar":
        return f"{name} is an archive. Unpack it and upload the film inside."
    if head[32_769:32_774] in _DISC_VOLUMES:
        return f"{name} is a disc image. Convert its main film to MP4 or MKV, and upload that."
    if head.startswith(_DISC_FILES):
        return (
            f"{name} is an index file of a DVD or Blu-ray disc. Convert the disc's main film to MP4 or MKV, "
            f"and upload that."
        )
    if head.startswith(_SEQUENCE_PICTURES):
        return (
            f"{name} is a single frame of an image sequence. Export the sequence as one film, such as MOV with ProRes."
        )
    if head.startswith(_PICTURES) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return f"{name} is a picture, not a film. {FILM_ITSELF}"
    is_riff_sound = head.startswith((b"RIFF", b"RF64", b"FORM")) and head[8:12] in (b"WAVE", b"AIFF", b"AIFC")
    if is_riff_sound or head.startswith(_SOUNDS):
        return f"{name} has sound but no video. Upload a film with a video track."
    if head.startswith(_DOCUMENTS):
        return f"{name} is a document, not a film. {FILM_ITSELF}"
    if head.startswith(_PROGRAMS):
        return f"{name} is a program, not a film. {FILM_ITSELF}"
    if head and not head.strip(b"\0"):
        return f"{name} contains only zeros; it may be an unfinished download. Upload the complete film."
    return _sentence_about_text(name, head)


def _sentence_about_text(name: str, head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _PLAYLISTS.match(text):
        return f"{name} is a playlist, not a film. Upload the film that it points to."
    if _PAGE.match(text):
        return f"{name} is a web page, not a film. Download the film itself and upload it."
    if text.startswith(b"<"):
        if _DRAWING.search(text):
            return f"{name} is a drawing (SVG), not a film. {FILM_ITSELF}"
        return f"{name} is an XML document, not a film. {FILM_ITSELF}"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _is_text(head):
        return f"{name} is text, not a film. {FILM_ITSELF}"
    return None


def _is_text(head: bytes) -> bool:
    """Return whether bytes are text in UTF-8 or an 8-bit encoding; the last character may be cut."""
    return bool(head) and not re.search(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]", head)
