"""Create short episodes with ffmpeg: different sound in each, and the tunes of their series at chosen seconds."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 100
TUNE_S = 20

_NOTES = (
    "0.25*sin(2*PI*t*220*pow(2,floor(mod(t*3.1+sin(floor(t*2.7)*{seed})*5,12))/12))"
    "+0.2*sin(2*PI*t*330*pow(2,floor(mod(t*1.7+cos(floor(t*1.1)*3.1)*{seed},12))/12))"
    "+0.1*sin(2*PI*t*880*pow(2,floor(mod(t*5.3,7))/12))"
)
_VOICE = (
    "0.3*sin(2*PI*(140+40*sin(2*PI*t*(0.31+{seed}/97))+20*sin(2*PI*t*(1.7+{seed}/53)))*t)"
    "*gt(sin(2*PI*t*(1.3+{seed}/71))*sin(2*PI*t*(0.23+{seed}/37)),0)"
)


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode of 100 s; `intro_at` and `credits_at` are the seconds at which the tunes of its series begin.

    `seed` determines the sound of the story: a voice that rises and falls, with pauses, over noise.
    """

    name: str
    seed: int
    intro_at: float | None = None
    credits_at: float | None = None
    sound: tuple[str, ...] = ("-c:a", "aac", "-b:a", "128k")


def make_episode(episode: Episode, folder: Path) -> Path:
    """Encode the episode into `folder` and return its path."""
    path = folder / episode.name
    tunes = [(number, at) for number, at in ((7, episode.intro_at), (3, episode.credits_at)) if at is not None]
    inputs = [
        *("-f", "lavfi", "-i", f"testsrc2=size=160x90:rate=12:duration={SECONDS}"),
        *("-f", "lavfi", "-i", f"anoisesrc=duration={SECONDS}:color=brown:seed={episode.seed}:r=48000:a=0.6"),
        *("-f", "lavfi", "-i", f"aevalsrc='{_VOICE.format(seed=episode.seed)}':d={SECONDS}:s=48000"),
    ]
    silent = "".join(f"*not(between(t,{at},{at + TUNE_S}))" for _, at in tunes)
    graph = f"[1:a][2:a]amix=inputs=2:normalize=0,volume='1{silent}':eval=frame[story]"
    mixed = ["[story]"]
    for place, (seed, at) in enumerate(tunes, 3):
        inputs += ["-f", "lavfi", "-i", f"aevalsrc='{_NOTES.format(seed=seed)}':d={TUNE_S}:s=48000"]
        graph += f";[{place}:a]adelay={round(at * 1000)}[tune{place}]"
        mixed.append(f"[tune{place}]")
    graph += f";{''.join(mixed)}amix=inputs={len(mixed)}:normalize=0:duration=first[sound]"
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *inputs, "-filter_complex", graph]
    command += ["-map", "0:v", "-map", "[sound]", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    done = subprocess.run(
        [*command, "-ac", "2", *episode.sound, str(path)], capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    return path
