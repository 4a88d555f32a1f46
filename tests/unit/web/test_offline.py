"""The built site can be installed, and its service worker knows the files that pages need without a connection."""

from __future__ import annotations

import json
import re
import struct
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.web.test_build import API, BLOB, node_modules
from web.build import OWNERS_PAGES, PAGES, build
from web.offline import PLAYER, SERVICE_WORKER, SHELL, files_of, write_service_worker
from web.publish import content_type_of

if TYPE_CHECKING:
    from pathlib import Path

_LINK = re.compile(r'<link rel="(manifest|apple-touch-icon)" href="/([^"]+)">')


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


def matches(addresses: list[str], pattern: str) -> list[str]:
    """Return the addresses that match a pattern for file names."""
    return [address for address in addresses if fnmatch(address, pattern)]


def test_every_page_names_the_manifest_and_an_icon(site: Path) -> None:
    for page in (*PAGES, *(f"{name}.html" for name in OWNERS_PAGES)):
        found = dict(_LINK.findall((site / page).read_text(encoding="utf-8")))
        assert fnmatch(found["manifest"], "manifest.????????????.webmanifest"), page
        assert size_of((site / found["apple-touch-icon"]).read_bytes()) == (180, 180)
        assert content_type_of(found["manifest"]) == "application/manifest+json"


def test_the_icons_of_the_manifest_exist_in_their_sizes(site: Path) -> None:
    (path,) = site.glob("manifest.*.webmanifest")
    manifest = json.loads(path.read_bytes())
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        name = icon["src"].lstrip("/")
        assert "x".join(map(str, size_of((site / name).read_bytes()))) == icon["sizes"]
    assert (site / manifest["shortcuts"][0]["url"].lstrip("/")).is_file()


def test_the_service_worker_stores_files_that_exist_and_nothing_of_the_search(site: Path) -> None:
    lists = lists_of(site)
    assert (lists["shell"][0], lists["player"][0]) == (f"/{SHELL}", f"/{PLAYER}")
    assert all((site / name.lstrip("/")).is_file() for name in (*lists["shell"], *lists["player"]))
    shaka = "/vendor/shaka-player.*.js"
    assert matches(lists["player"], shaka) and not matches(lists["shell"], shaka)
    assert matches(lists["shell"], "/js/offline/downloads.*.js") and matches(lists["player"], "/js/offline/films.*.js")
    assert not matches(lists["shell"], "*search*")


def test_the_service_worker_stores_the_pages_in_each_language(site: Path) -> None:
    lists = lists_of(site)
    assert lists["shells"] == [f"/{SHELL}", f"/de/{SHELL}"] and lists["players"] == [f"/{PLAYER}", f"/de/{PLAYER}"]
    for pages, files in (("shells", "shell"), ("players", "player")):
        assert set(lists[pages]) <= set(lists[files])
        for code in ("en", "de"):
            assert matches(lists[files], f"/texts/site.{code}.*.js")


def test_the_shell_is_small(site: Path) -> None:
    paths = [site / address.lstrip("/") for address in lists_of(site)["shell"]]
    compressed = [path.with_name(f"{path.name}.br") for path in paths]
    sizes = [packed if packed.exists() else path for path, packed in zip(paths, compressed, strict=True)]
    assert sum(path.stat().st_size for path in sizes) < 130_000


def test_the_version_follows_from_the_pages_and_their_files(tmp_path: Path) -> None:
    def version_with(page: str) -> str:
        for name in (SHELL, PLAYER, f"de/{SHELL}", f"de/{PLAYER}"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text('<link href="/a.0123456789ab.css"><a href="/b.html">', encoding="utf-8")
        (tmp_path / SHELL).write_text(page, encoding="utf-8")
        write_service_worker(tmp_path, "")
        return str(lists_of(tmp_path)["version"])

    assert version_with("<p>One") == version_with("<p>One") != version_with("<p>Two")
    assert files_of(tmp_path, PLAYER) == [f"/{PLAYER}", "/a.0123456789ab.css"]
