"""The demonstration titles, read from catalogue.json: two dozen, a handful of them with a film.

All are invented but the open film among them, which goes by its own name and credits.
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
    """A few seconds of a generated film: a painted scene and how the camera moves over it."""

    scene: str
    palette: str
    seed: int
    move: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A film made here: shots that melt into each other over a chord, given by its tones in hertz."""

    shots: tuple[Shot, ...]
    chord: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Clip:
    """A film inside a package: the package with its version, and the member of its archive.

    The still at `still_s` is its picture; a poster shows the part of it around `still_x`, a share of the width.
    """

    registry: str
    package: str
    member: str
    still_s: float
    still_x: float


@dataclass(frozen=True)
class DemoTitle:
    """One title: what its sidecar says, how its art looks, and its film if it has one."""

    stem: str
    sidecar: dict[str, Any]
    face: str
    design: Design | None
    film: Rendered | Clip | None
    subtitles: dict[str, tuple[tuple[float, float, str], ...]]

    @property
    def name(self) -> str:
        """Return the title as people say it."""
        name: str = self.sidecar["title"]
        return name

    @cached_property
    def billing(self) -> Billing:
        """Return what stands on the poster."""
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
