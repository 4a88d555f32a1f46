"""Play published films with Shaka, dash.js and hls.js, and let them grow meanwhile.

A film is served from a folder. Its manifests are served as the encoder wrote them, one version after the other, as far
as the film has been released to the player.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from infra.local.stores.packages import players_folder, web_folder
from tests.support.pages import POLL_MS, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from playwright.sync_api import Browser, Page

    from infra.local.home import Home

SCRIPTS = {
    "shaka": (web_folder, "shaka-player/dist/shaka-player.compiled-es2021.js"),
    "dash": (players_folder, "dashjs/dist/modern/umd/dash.all.min.js"),
    "hls": (players_folder, "hls.js/dist/hls.min.js"),
}
"""The script of each player: where its package is installed, and the file in it."""

_PAGE = (
    '<!doctype html><title>{player}</title><link rel="icon" href="data:,">'
    '<video muted width="640" height="360"></video><script src="/scripts/{player}.js"></script>'
    '<script src="/scripts/film.js"></script>'
)
_KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mpd": "application/dash+xml",
    ".m3u8": "application/vnd.apple.mpegurl",
}


@dataclass
class Release:
    """A film in a folder for one player, which sees the first `count` of the versions of its manifests.

    `keys` has the key of an encrypted film by its id, both in hexadecimal.
    """

    folder: Path
    versions: Sequence[tuple[Path, str]]
    count: int
    keys: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def growing(cls, folder: Path, versions: Sequence[tuple[Path, str]]) -> Release:
        """Return a film that is visible only up to its first manifest."""
        return cls(folder, versions, 1 + next(n for n, (path, _) in enumerate(versions) if path.name == "manifest.mpd"))

    def grow(self, *, share: float) -> None:
        """Make a share of all versions visible, from 0 to 1; versions that were visible stay visible."""
        self.count = max(self.count, int(min(share, 1) * len(self.versions)))

    def read(self, name: str) -> bytes | None:
        """Return a file as it is visible now, or None."""
        path = self.folder / name
        if path.suffix in (".mpd", ".m3u8"):
            texts = [text for at, text in self.versions[: self.count] if at == path]
            return texts[-1].encode() if texts else None
        return path.read_bytes() if path.is_file() else None


@contextmanager
def served(films: Mapping[str, Release], home: Home) -> Iterator[str]:
    """Serve a page for each player, at `/<player>.html`, and its film at `/<player>/`; yield the server's address."""
    scripts = {
        f"/scripts/{player}.js": folder(home) / "node_modules" / name for player, (folder, name) in SCRIPTS.items()
    }
    scripts["/scripts/film.js"] = Path(__file__).with_name("players.js")

    def content_of(path: str) -> bytes | None:
        if path in scripts:
            return scripts[path].read_bytes()
        if path.endswith(".html"):
            return _PAGE.format(player=path[1:-5]).encode()
        player, _, name = path[1:].partition("/")
        return films[player].read(name) if player in films else None

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            content = content_of(path)
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Type", _KINDS.get(Path(path).suffix, "video/mp4"))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(content or b"")))
            with suppress(ConnectionError):  # the player no longer wants it
                self.end_headers()
                self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:
            assert format and args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Show:
    """A film that is playing in a page."""

    player: str
    page: Page
    release: Release

    def state(self) -> dict[str, Any]:
        """Return how far the film has been played, and what the page noticed."""
        state: dict[str, Any] = self.page.evaluate("film.state()")
        return state

    def pictures(self) -> list[dict[str, Any]]:
        """Return all pictures that were shown: the time of each, the number in it, and its height."""
        shown: list[dict[str, Any]] = self.page.evaluate("film.shown")
        return shown

    def wait(self) -> None:
        """Let the film play for a moment."""
        self.page.wait_for_timeout(POLL_MS)


@contextmanager
def shows(browser: Browser, films: Mapping[str, Release], home: Home) -> Iterator[list[Show]]:
    """Play a film with each player that is named, all at the same time."""
    with ExitStack() as stack:
        address = stack.enter_context(served(films, home))
        playing = []
        for player, release in films.items():
            page, _ = stack.enter_context(opened(browser, f"{address}/{player}.html"))
            page.evaluate("([player, keys]) => film.start(player, `/${player}`, keys)", [player, dict(release.keys)])
            playing.append(Show(player, page, release))
        yield playing


def folders_read(show: Show) -> set[str]:
    """Return the folders from which a player has read segments."""
    read: list[str] = show.page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    return {address.split("/")[-2] for address in read if address.endswith(".m4s")}
