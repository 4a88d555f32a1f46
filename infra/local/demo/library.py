"""The demonstration titles in catalogue.json; a few of them have a film.

All are invented except for one openly licensed film, which has its real name and credits.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.local.demo.art.lettering import Billing
from infra.local.demo.art.studio import Design

CATALOGUE = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True, slots=True)
class Shot:
    """A few seconds of a rendered film: a painted scene and a camera move."""

    scene: str
    palette: str
    seed: int
    move: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered film: shots with cross-fades, and a chord given by its frequencies in hertz."""

    shots: tuple[Shot, ...]
    chord: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Clip:
    """A film in a package: the package with its version, and the member of its archive.

    The artwork is the still at `still_s`; the poster is cropped around `still_x`, a fraction of the width.
    """

    registry: str
    package: str
    member: str
    still_s: float
    still_x: float


@dataclass(frozen=True)
class DemoTitle:
    """One title: its metadata sidecar, the design of its artwork, and its film if it has one."""

    stem: str
    sidecar: dict[str, Any]
    face: str
    design: Design | None
    film: Rendered | Clip | None
    subtitles: dict[str, tuple[tuple[float, float, str], ...]]

    @property
    def name(self) -> str:
        """Return the name of the title."""
        name: str = self.sidecar["title"]
        return name

    @cached_property
    def billing(self) -> Billing:
        """Return the text on the poster."""
        return Billing(
            self.name, tuple(self.sidecar["actors"][:3]), f"A film by {' and '.join(self.sidecar['directors'])}"
        )


def load() -> list[DemoTitle]:
    """Return the titles, those with a film first."""
    return [_title(entry) for entry in json.loads(CATALOGUE.read_text(encoding="utf-8"))["titles"]]


def as_srt(cues: tuple[tuple[float, float, str], ...]) -> str:
    """Return cues of (start, end, text) as a SubRip file."""
    return "\n".join(
        f"{number}\n{_timestamp(start)} --> {_timestamp(end)}\n{text}\n"
        for number, (start, end, text) in enumerate(cues, 1)
    )


def _timestamp(seconds: float) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{milliseconds:03}"


def _title(entry: dict[str, Any]) -> DemoTitle:
    look, film = entry["look"], entry.get("film", {})
    return DemoTitle(
        stem=entry["stem"],
        sidecar=entry["sidecar"],
        face=look["face"],
        design=Design(**look) if "scene" in look else None,
        film=_film(film),
        subtitles={
            language: tuple((start, end, text) for start, end, text in cues)
            for language, cues in film.get("subtitles", {}).items()
        },
    )


def _film(film: dict[str, Any]) -> Rendered | Clip | None:
    if "rendered" in film:
        return Rendered(tuple(Shot(*shot) for shot in film["rendered"]["shots"]), tuple(film["rendered"]["chord"]))
    if "clip" in film:
        clip = film["clip"]
        registry = "pypi" if "pypi" in clip else "npm"
        return Clip(registry, clip[registry], clip["member"], clip["still_s"], clip["still_x"])
    return None
