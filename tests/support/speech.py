"""A film in which somebody speaks, and how many of the words are found in its captions.

`speech.opus` was made from SPOKEN with Debian's flite 2.2 (a free speech synthesizer with a licence like MIT's) and
ffmpeg: `flite -voice slt -f spoken.txt -o spoken.wav`, `ffmpeg -i spoken.wav -ac 1 -c:a libopus -b:a 24k speech.opus`.
"""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.local.home import Home
from infra.local.stores.packages import captions_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

SPEECH = Path(__file__).with_name("speech.opus")
SPOKEN = """\
The old lighthouse stood at the end of the harbour, and nobody had climbed its stairs for twenty years.
When the storm came, the fishermen looked for its light, but there was only darkness over the water.
My grandmother kept the key in a wooden box beside her bed.
She said that one day somebody would need it again.
"""
LASTS_S = 17.9
WORD_ERROR_RATE = 0.15
"""How many of the words may be wrong; 3 of 58 are, and the spelling of harbour."""

PYTHON = str(captions_folder(Home.of()) / "bin" / "python")


@cache
def _works() -> bool:
    if not os.access(PYTHON, os.X_OK):
        return False
    return subprocess.run([PYTHON, "-c", "import faster_whisper"], check=False, capture_output=True).returncode == 0


needs_transcriber = pytest.mark.skipif(
    not _works(), reason="the packages of infra/captions/requirements.txt are not installed; `./notflix test` does that"
)


def make_spoken_film(folder: Path, *, begins_s: Sequence[float], lasts_s: float, language: str = "eng") -> Path:
    """Create a film in which the same is spoken at each of these seconds, and return its path."""
    path = folder / "spoken.mp4"
    picture = f"color=gray:size=128x72:rate=6:duration={lasts_s}"
    silence = f"anullsrc=r=48000:cl=mono:d={lasts_s}"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", silence]
    delays = []
    for number, begin in enumerate(begins_s):
        inputs += ["-i", str(SPEECH)]
        delays.append(f"[{number + 2}:a]adelay={round(begin * 1000)}:all=1[s{number}]")
    names = "".join(f"[s{number}]" for number in range(len(begins_s)))
    mixed = f"[1:a]{names}amix=inputs={len(begins_s) + 1}:duration=first:normalize=0[sound]"
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", ";".join([*delays, mixed])),
            *("-map", "0:v", "-map", "[sound]", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
            *("-c:a", "aac", "-metadata:s:a:0", f"language={language}", str(path)),
        ],
        check=True,
        timeout=300,
    )
    return path


def word_error_rate(said: str, heard: str) -> float:
    """Return how many words must be inserted, deleted or replaced to get from one text to the other, per word said."""
    one, other = (re.findall(r"[a-z0-9']+", text.lower()) for text in (said, heard))
    row = list(range(len(other) + 1))
    for at, word in enumerate(one, start=1):
        before, row[0] = row[0], at
        for index, found in enumerate(other, start=1):
            change = before + (word != found)
            before = row[index]
            row[index] = min(change, row[index] + 1, row[index - 1] + 1)
    return row[-1] / len(one)
