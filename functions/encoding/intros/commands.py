"""Argument lists for ffmpeg that make fingerprints of sound; nothing is run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ffmpeg

from functions.encoding.ffmpeg import input_options
from functions.encoding.ffmpeg_commands import decryption, joined_arguments
from functions.encoding.intros.fingerprint import SAMPLE_RATE

if TYPE_CHECKING:
    from pathlib import Path


def fingerprint_arguments(source: Path, target: Path, *, key: bytes | None = None) -> list[str]:
    """Return the arguments that write the points of the sound in a file, as integers of 32 bits.

    `key` decrypts the file; the arguments must then not be logged.
    """
    sound = ffmpeg.input(str(source), **decryption(key), **input_options(str(source))).audio
    options = {"ac": 1, "ar": SAMPLE_RATE, "f": "chromaprint", "fp_format": "raw"}
    return joined_arguments(ffmpeg.output(sound, str(target), **options))
