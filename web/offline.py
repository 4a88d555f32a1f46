"""What makes the site installable and lets it work without a connection: the web app manifest and the service worker.

The service worker stores lists of files that the build derives from the built pages. They are at the start of its
script, because a browser installs a new service worker only if the bytes of the script change.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from web.hashed_names import hash_in
from web.languages import LANGUAGES, language

if TYPE_CHECKING:
    from pathlib import Path

    from web.assets import Assets
    from web.languages import Language

SERVICE_WORKER = "sw.js"
"""The service worker is at the root of the site, because it can only control pages below its own address."""

SHELL = "downloads.html"
"""The page that is shown in place of any other page if there is no connection, in the language of that page."""
PLAYER = "watch.html"

BACKGROUND = "#0b0b0f"
ICONS = (("img/icon-192.png", 192, "any"), ("img/icon-512.png", 512, "any"), ("img/icon-maskable.png", 512, "maskable"))
"""The icons of the installed site with their sizes; a maskable one may be cut to a circle."""

_ADDRESS = re.compile(r'(?P<name>[a-z-]+)="(?P<address>/[^"?#]+)"')
_ONLINE_ONLY = frozenset({"data-minisearch", "data-suggestions", "data-download"})
"""The attributes with the addresses of the scripts for search and downloading, which need a connection."""


def add_manifest(assets: Assets, texts: Language) -> str:
    """Write the web app manifest in one language, and return its address."""
    icons = [
        {"src": assets.url(name), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for name, size, purpose in ICONS
    ]
    manifest = {
        "id": "/",
        "name": "Notflix",
        "short_name": "Notflix",
        "description": texts.texts["site.description"],
        "lang": texts.code,
        "start_url": f"{texts.prefix}/",
        "scope": "/",
        "display": "standalone",
        "background_color": BACKGROUND,
        "theme_color": BACKGROUND,
        "icons": icons,
        "shortcuts": [{"name": texts.texts["common.downloads"], "url": f"{texts.prefix}/{SHELL}"}],
    }
    content = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
    return assets.add(f"{texts.folder}manifest.webmanifest", content)


def write_service_worker(out: Path, worker: str) -> None:
    """Write the service worker with the script `worker` for the built pages in the folder `out`."""
    folders = [language(code).folder for code in LANGUAGES]
    lists = {
        name: list(dict.fromkeys(file for folder in folders for file in files_of(out, folder + page)))
        for name, page in (("shell", SHELL), ("player", PLAYER))
    }
    pages = {
        name: [f"/{folder}{page}" for folder in folders] for name, page in (("shells", SHELL), ("players", PLAYER))
    }
    # the pages themselves are part of the version, because their addresses contain no hash
    content = b"".join((out / path.lstrip("/")).read_bytes() for paths in pages.values() for path in paths)
    version = hashlib.sha256(json.dumps(lists).encode() + content).hexdigest()[:12]
    files = json.dumps({"version": version, **lists, **pages})
    (out / SERVICE_WORKER).write_text(f"self.notflixFiles = {files};\n{worker}", encoding="utf-8")


def files_of(out: Path, page: str) -> list[str]:
    """Return the address of a built page and those of all files that it needs without a connection."""
    html = (out / page).read_text(encoding="utf-8")
    found = ((match["name"], match["address"]) for match in _ADDRESS.finditer(html))
    return [
        f"/{page}",
        *dict.fromkeys(address for name, address in found if hash_in(address) and name not in _ONLINE_ONLY),
    ]
