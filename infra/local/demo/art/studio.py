"""Draws poster and backdrop of each demonstration title on all processors, unless the files exist."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from infra.local.demo.art.lettering import Billing, set_poster
from infra.local.demo.art.scenes import paint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from PIL.Image import Image

STYLE = 1  # increase it when the drawing code changes, so that existing files are drawn again
BACKDROP = (1920, 1080)
POSTER = (400, 600)
_POSTER_DRAWN = (800, 1200)


@dataclass(frozen=True, slots=True)
class Design:
    """The design of a title's artwork; `focus` is the position of the light in the backdrop, as a fraction."""

    scene: str
    palette: str
    face: str
    seed: int
    focus: float = 0.66
    top: bool = False


@dataclass(frozen=True, slots=True)
class Art:
    """The paths of a title's two pictures."""

    poster: Path
    backdrop: Path


def draw(design: Design, billing: Billing, folder: Path, packages: Path) -> Art:
    """Draw the pictures that `folder` does not contain, atomically."""
    mark = hashlib.sha256(repr((STYLE, asdict(design), asdict(billing))).encode()).hexdigest()[:16]
    art = Art(folder / f"{mark}.jpg", folder / f"{mark}.backdrop.jpg")
    if not art.backdrop.exists():
        canvas = paint(design.scene, design.palette, size=BACKDROP, seed=design.seed, focus=design.focus)
        _save(canvas.finish(), art.backdrop, quality=86)
    if not art.poster.exists():
        canvas = paint(design.scene, design.palette, size=_POSTER_DRAWN, seed=design.seed, focus=0.5)
        picture = set_poster(canvas.finish(), billing, packages, design.face, top=design.top)
        _save(picture.resize(POSTER, reducing_gap=2.0), art.poster, quality=88)
    return art


def draw_all(wanted: Iterable[tuple[str, Design, Billing]], folder: Path, packages: Path) -> Iterator[tuple[str, Art]]:
    """Yield (name, art) of each title when it is finished."""
    folder.mkdir(parents=True, exist_ok=True)
    # The processes are spawned, because a fork is not safe if the caller has threads.
    with ProcessPoolExecutor(os.process_cpu_count(), mp_context=get_context("spawn")) as pool:
        tasks = {pool.submit(draw, design, billing, folder, packages): name for name, design, billing in wanted}
        for task in as_completed(tasks):
            yield tasks[task], task.result()


def _save(picture: Image, path: Path, *, quality: int) -> None:
    fresh = path.with_suffix(f".{os.getpid()}.new")
    picture.save(fresh, "JPEG", quality=quality, optimize=True, progressive=True)
    fresh.replace(path)
