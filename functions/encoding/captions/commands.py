"""Argument lists for ffmpeg and the transcriber; nothing is run here."""

from __future__ import annotations

from pathlib import Path

import ffmpeg

from functions.encoding.captions.pieces import RATE
from functions.encoding.ffmpeg import input_options
from functions.encoding.ffmpeg_commands import decryption, joined_arguments

TRANSCRIBER = Path(__file__).with_name("transcriber.py")


def samples_arguments(source: Path, target: Path, *, key: bytes | None = None) -> list[str]:
    """Return the arguments that decode segments of sound, joined to their init segment, into samples.

    `key` decrypts the segments; the arguments must then not be logged.
    """
    sound = ffmpeg.input(str(source), **decryption(key), **input_options(str(source))).audio
    return joined_arguments(ffmpeg.output(sound, str(target), ac=1, ar=RATE, f="f32le"))


def transcriber_command(python: str, *arguments: str, model: str) -> list[str]:
    """Return the command line of the transcriber; `-I` keeps it from importing anything of this app."""
    chosen = ["--model", model] if model else []
    return [python, "-I", str(TRANSCRIBER), *chosen, *arguments]
