"""The built site can be installed, and its service worker knows the files that pages need without a connection."""

from __future__ import annotations

import json
import re
import struct
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.web.test_build import API, BLOB, node_modules
from web.build import OWNERS_PAGES, PAGES, build
from web.offline import PLAYER, SERVICE_WORKER, SHELL, files_of, write_service_worker
from web.publish import content_type_of

if TYPE_CHECKING:
    from pathlib import Path

_LINK = re.compile(r'<link rel="(manifest|apple-touch-icon)" href="/([^?"]+)\?v=[0-9a-f]{12}">')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    build(out, api_origin=API, blob_origin=BLOB, packages=node_modules())
    return out


def size_of(png: bytes) -> tuple[int, int]:
    """Return width and height of a PNG."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def lists_of(site: Path) -> dict[str, Any]:
    """Return the lists of files of the service worker."""
    first = (site / SERVICE_WORKER).read_text(encoding="utf-8").splitlines()[0]
    lists: dict[str, Any] = json.loads(first.removeprefix("self.notflixFiles = ").removesuffix(";"))
    return lists


def test_every_page_names_the_manifest_and_an_icon(site: Path) -> None:
    for page in (*PAGES, *(f"{name}.html" for name in OWNERS_PAGES)):
        found = dict(_LINK.findall((site / page).read_text(encoding="utf-8")))
        assert found["manifest"] == "manifest.webmanifest", page
        assert size_of((site / found["apple-touch-icon"]).read_bytes()) == (180, 180)
    assert content_type_of("manifest.webmanifest") == "application/manifest+json"


def test_the_icons_of_the_manifest_exist_in_their_sizes(site: Path) -> None:
    manifest = json.loads((site / "manifest.webmanifest").read_bytes())
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        name = icon["src"].partition("?")[0].lstrip("/")
        assert "x".join(map(str, size_of((site / name).read_bytes()))) == icon["sizes"]
    assert (site / manifest["shortcuts"][0]["url"].lstrip("/")).is_file()


def test_the_service_worker_stores_files_that_exist_and_nothing_of_the_search(site: Path) -> None:
    lists = lists_of(site)
    assert (lists["shell"][0], lists["player"][0]) == (f"/{SHELL}", f"/{PLAYER}")
    names = {name: [address.partition("?")[0].lstrip("/") for address in lists[name]] for name in ("shell", "player")}
    assert all((site / name).is_file() for name in (*names["shell"], *names["player"]))
    assert "vendor/shaka-player.js" in names["player"] and "vendor/shaka-player.js" not in names["shell"]
    assert "js/offline/downloads.js" in names["shell"] and "js/offline/films.js" in names["player"]
    assert not [name for name in names["shell"] if "search" in name]


def test_the_service_worker_stores_the_pages_in_each_language(site: Path) -> None:
    lists = lists_of(site)
    assert lists["shells"] == [f"/{SHELL}", f"/de/{SHELL}"] and lists["players"] == [f"/{PLAYER}", f"/de/{PLAYER}"]
    for pages, files in (("shells", "shell"), ("players", "player")):
        assert set(lists[pages]) <= set(lists[files])
        for code in ("en", "de"):
            assert any(file.startswith(f"/texts/site.{code}.js?v=") for file in lists[files])


def test_the_shell_is_small(site: Path) -> None:
    paths = [site / address.partition("?")[0].lstrip("/") for address in lists_of(site)["shell"]]
    compressed = [path.with_name(f"{path.name}.br") for path in paths]
    sizes = [packed if packed.exists() else path for path, packed in zip(paths, compressed, strict=True)]
    assert sum(path.stat().st_size for path in sizes) < 130_000


def test_the_version_follows_from_the_pages_and_their_files(tmp_path: Path) -> None:
    def version_with(page: str) -> str:
        for name in (SHELL, PLAYER, f"de/{SHELL}", f"de/{PLAYER}"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text('<link href="/a.css?v=0123456789ab"><a href="/other">', encoding="utf-8")
        (tmp_path / SHELL).write_text(page, encoding="utf-8")
        write_service_worker(tmp_path, "")
        return str(lists_of(tmp_path)["version"])

    assert version_with("<p>One") == version_with("<p>One") != version_with("<p>Two")
    assert files_of(tmp_path, PLAYER) == [f"/{PLAYER}", "/a.css?v=0123456789ab"]
