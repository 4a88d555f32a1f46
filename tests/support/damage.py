"""Make invalid uploads: files that are not films, and damaged films."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.support.media import Film, make_film

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def make_secret(folder: Path) -> Path:
    """Create a film in place of a secret file; no upload must be able to make the encoder read it."""
    return make_film(Film("secret.mp4", frames=48), folder)


def _written(content: bytes) -> Callable[[Path], bytes]:
    return lambda folder: content


def _picture(suffix: str) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        path = folder / f"picture{suffix}"
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-y",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180",
            "-frames:v",
            "1",
            str(path),
        ]
        subprocess.run(command, check=True)
        return path.read_bytes()

    return make


def _sound_alone(folder: Path) -> bytes:
    path = folder / "sound.mp4"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "sine=duration=3", "-c:a", "aac", str(path)]
    subprocess.run(command, check=True)
    return path.read_bytes()


def _half(*mux: str) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        whole = make_film(Film("whole.mp4", frames=700, mux=mux), folder).read_bytes()
        return whole[: len(whole) // 2]

    return make


def _flipped(folder: Path) -> bytes:
    """Flip one bit in every 2,503 bytes of the encoded media; the index stays intact."""
    data = bytearray(make_film(Film("whole.mp4", frames=700, mux=("-movflags", "+faststart")), folder).read_bytes())
    for at in range(data.index(b"mdat") + 1000, len(data), 2503):
        data[at] ^= 1 << at % 8
    return bytes(data)


def _concat_script(folder: Path) -> bytes:
    return f"ffconcat version 1.0\nfile '{make_secret(folder)}'\n".encode()


def _playlist(folder: Path) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{make_secret(folder)}\n#EXT-X-ENDLIST\n".encode()


BAD_UPLOADS: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "empty file": (_written(b""), "is empty"),
    "text": (_written(b"Dear diary,\nthis is not a film.\n" * 40), "is text"),
    "random bytes": (_written(bytes(value * 7919 % 251 for value in range(20_000))), "cannot be read as a film"),
    "png": (_picture(".png"), "is a picture"),
    "jpeg": (_picture(".jpg"), "is a picture"),
    "sound without a picture": (_sound_alone, "has sound but no video"),
    "half an mp4 whose index is at the front": (_half("-movflags", "+faststart"), "cut off"),
    "half an mp4 whose index was at the end": (_half(), "cut off"),
    "flipped bits": (_flipped, "damaged"),
    "playlist": (_playlist, "is a playlist"),
    "concat script": (_concat_script, "is a playlist"),
}
"""For each case, a function that returns the bytes of `film.mp4`, and words that the error message must contain."""
