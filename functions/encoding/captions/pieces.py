"""Where a long film is divided so that no word is cut: at the quietest moment near the end of each piece."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RATE = 16_000
"""Samples per second, mono, as 32-bit floats: what Whisper expects."""

STEP = RATE // 50
QUIET_STEPS = 15
"""The quietest moment lasts for 15 steps of 20 ms, as long as a pause between two sentences."""


def read_samples(path: Path) -> array[float]:
    """Return the samples in a file."""
    samples = array("f")
    content = path.read_bytes()
    samples.frombytes(content[: len(content) - len(content) % samples.itemsize])
    return samples


def quietest_s(samples: array[float]) -> float:
    """Return the middle of the quietest moment, in seconds; the first one if several are equally quiet.

    Both neighbours of a division call this with the same samples, so they divide at the same moment.
    """
    steps = [sum(map(abs, samples[at : at + STEP])) for at in range(0, len(samples) - STEP + 1, STEP)]
    if len(steps) <= QUIET_STEPS:
        return len(samples) / RATE / 2
    loudness = [sum(steps[at : at + QUIET_STEPS]) for at in range(len(steps) - QUIET_STEPS + 1)]
    quietest = min(range(len(loudness)), key=loudness.__getitem__)
    return (quietest + QUIET_STEPS / 2) * STEP / RATE
