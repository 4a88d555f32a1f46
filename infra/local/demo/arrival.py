"""Draws, downloads, renders and uploads the demonstration titles, and reports the progress.

Blobs that exist are not uploaded again, so a second run completes an interrupted one.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from PIL import ImageOps

from infra.local.demo import films
from infra.local.demo.art.lettering import set_poster
from infra.local.demo.art.studio import BACKDROP, POSTER, draw_all
from infra.local.demo.library import Clip, DemoTitle, as_srt, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from azure.storage.blob import ContainerClient

    Report = Callable[[str, float], None]

TITLES_LABEL = "Demonstration titles"
_TYPES = {".json": "application/json", ".jpg": "image/jpeg", ".srt": "application/x-subrip", ".mp4": "video/mp4"}


def bring_in(endpoints: Mapping[str, str], home: Path, report: Report, *, packages: Path | None = None) -> None:
    """Upload the demonstration titles to the `uploads` container of `endpoints["storage_connection"]`.

    `report(label, fraction)` is called with the progress; a label that ends in a full stop is a sentence about a film
    that was left out. Files are created in `home`; `packages` is the site's node_modules, for the poster fonts.
    """
    from azure.storage.blob import ContainerClient

    uploads = Uploads(ContainerClient.from_connection_string(endpoints["storage_connection"], "uploads"))
    work = home / "demo"
    work.mkdir(parents=True, exist_ok=True)
    _Arrival(uploads, work, packages or home / "npm" / "web" / "node_modules", report).run(load())


class Uploads:
    """The container `uploads`, and the names of the blobs in it."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container
        self._there = set(container.list_blob_names())

    def has(self, name: str) -> bool:
        """Return whether the blob exists."""
        return name in self._there

    def put(self, name: str, content: bytes | Path, progress: Callable[[float], None] = lambda share: None) -> None:
        """Upload a blob unless it exists; `progress` is called with the uploaded fraction."""
        if name in self._there:
            return
        from azure.storage.blob import ContentSettings

        settings = ContentSettings(content_type=_TYPES[name[name.rfind(".") :]])
        blob = self._container.get_blob_client(name)

        def hook(done: int, whole: int | None) -> None:
            progress(done / whole if whole else 1.0)

        if isinstance(content, bytes):
            blob.upload_blob(content, overwrite=True, content_settings=settings, progress_hook=hook)
        else:
            with content.open("rb") as file:
                blob.upload_blob(file, overwrite=True, content_settings=settings, progress_hook=hook, max_concurrency=2)
        self._there.add(name)


class _Arrival:
    def __init__(self, uploads: Uploads, work: Path, packages: Path, report: Report) -> None:
        self._uploads = uploads
        self._work = work
        self._packages = packages
        self._report = report

    def run(self, titles: list[DemoTitle]) -> None:
        """Add the titles, then the films, while packages with clips are downloaded in the background."""
        with ThreadPoolExecutor(2) as pool:
            clips = {
                title.stem: pool.submit(self._fetched, title.stem, title.film)
                for title in titles
                if isinstance(title.film, Clip) and not self._uploads.has(f"{title.stem}.mp4")
            }
            self._bring_titles([title for title in titles if not self._uploads.has(f"{title.stem}.json")])
            waiting = [title for title in titles if title.film and not self._uploads.has(f"{title.stem}.mp4")]
            while waiting:
                waiting.sort(key=lambda title: _effort(clips.get(title.stem)))
                title = waiting.pop(0)
                self._bring_film(title, clips.get(title.stem))

    def _bring_titles(self, titles: list[DemoTitle]) -> None:
        """Upload metadata and artwork of the titles, except those whose artwork comes from their film."""
        drawn = {title.stem: title for title in titles if title.design is not None}
        wanted = [(stem, title.design, title.billing) for stem, title in drawn.items() if title.design is not None]
        if not wanted:
            return
        self._report(TITLES_LABEL, 0.0)
        for done, (stem, art) in enumerate(draw_all(wanted, self._work / "art", self._packages), 1):
            self._uploads.put(f"{stem}.jpg", art.poster.read_bytes())
            self._uploads.put(f"{stem}.backdrop.jpg", art.backdrop.read_bytes())
            self._describe(drawn[stem])
            self._report(TITLES_LABEL, done / len(wanted))

    def _describe(self, title: DemoTitle) -> None:
        """Upload the subtitles and the metadata; the pictures must exist before the metadata announces the title."""
        for language, cues in title.subtitles.items():
            self._uploads.put(f"{title.stem}.{language}.srt", as_srt(cues).encode())
        self._uploads.put(f"{title.stem}.json", json.dumps(title.sidecar, ensure_ascii=False, indent=2).encode())

    def _bring_film(self, title: DemoTitle, fetched: Future[Path] | None) -> None:
        self._report(title.name, 0.0)
        try:
            film = self._rendered(title) if fetched is None else fetched.result()
        except films.DownloadFailed as reason:
            self._report(f"{title.name} was left out, because {reason}.", 1.0)
            self._report(title.name, 1.0)
            return
        if isinstance(title.film, Clip):
            self._picture_from(title, film, title.film)
        self._report(title.name, 0.5)
        self._uploads.put(f"{title.stem}.mp4", film, lambda share: self._report(title.name, 0.5 + share / 2))
        self._report(title.name, 1.0)

    def _fetched(self, stem: str, clip: Clip) -> Path:
        target = self._work / f"{stem}.mp4"
        if not target.exists():
            films.fetch(clip, target)
        return target

    def _rendered(self, title: DemoTitle) -> Path:
        target = self._work / f"{title.stem}.mp4"
        if not target.exists() and title.film is not None and not isinstance(title.film, Clip):
            films.render(title.film, title.name, title.face, self._packages, target)
        return target

    def _picture_from(self, title: DemoTitle, film: Path, clip: Clip) -> None:
        """Upload metadata and artwork of a title whose artwork is a still of its film."""
        frame = films.still(film, clip.still_s)
        backdrop, poster = self._work / f"{title.stem}.backdrop.jpg", self._work / f"{title.stem}.jpg"
        ImageOps.fit(frame, BACKDROP).save(backdrop, quality=86)
        upright = ImageOps.fit(frame, (POSTER[0] * 2, POSTER[1] * 2), centering=(clip.still_x, 0.5))
        set_poster(upright, title.billing, self._packages, title.face, top=False).resize(POSTER).save(
            poster, quality=88
        )
        self._uploads.put(f"{title.stem}.jpg", poster.read_bytes())
        self._uploads.put(f"{title.stem}.backdrop.jpg", backdrop.read_bytes())
        self._describe(title)


def _effort(fetched: Future[Path] | None) -> int:
    """Return the sort key of a film: downloaded clips first, then films to render, then clips not yet downloaded."""
    if fetched is None:
        return 1
    return 0 if fetched.done() else 2
