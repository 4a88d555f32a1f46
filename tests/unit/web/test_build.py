"""The built site: all pages, a strict policy that they satisfy, and content-hashed addresses."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from infra.local.home import Home
from infra.local.site import blob_name_for, policy_header
from infra.local.stores.packages import web_folder
from web.assets import Assets
from web.build import PAGES, WEB, build, content_security_policy
from web.publish import content_type_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

API, BLOB = "http://127.0.0.1:7071", "http://127.0.0.1:7080/account"


def node_modules() -> Path:
    """Return the folder of the site's installed packages, wherever `./notflix` or npm installed them."""
    places = [web_folder(Home.of()) / "node_modules", WEB / "node_modules"]
    found = next((place for place in places if (place / "shaka-player").is_dir()), None)
    assert found, "the site's packages are not installed; ./notflix test does it"
    return found


class Page(HTMLParser):
    """All elements of a page with their attributes, and the text of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and data.strip():
            self.inline.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    build(out, api_origin=API, blob_origin=BLOB, packages=node_modules())
    return out


def pages(site: Path) -> Iterator[tuple[str, Page]]:
    for name in PAGES:
        yield name, Page((site / name).read_text(encoding="utf-8"))


def test_every_page_carries_the_policy_and_the_addresses(site: Path) -> None:
    for name, page in pages(site):
        root = dict(page.elements)["html"]
        assert (root["data-api"], root["data-blob"]) == (API, "http://127.0.0.1:7080"), name
        policies = [attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv")]
        assert policies == [content_security_policy(API, BLOB)], name


def test_the_policy_allows_no_inline_code_and_no_stranger() -> None:
    policy = dict(rule.split(" ", 1) for rule in content_security_policy(API, BLOB).split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' {API} http://127.0.0.1:7080"
    assert not any("unsafe" in rule or "*" in rule for rule in policy.values())


def test_no_page_has_inline_script_or_style(site: Path) -> None:
    for name, page in pages(site):
        assert page.inline == [], name
        for tag, attrs in page.elements:
            assert "style" not in attrs, (name, tag)
            assert not [attribute for attribute in attrs if attribute.startswith("on")], (name, tag)


def test_every_asset_that_a_page_names_exists_under_its_hash(site: Path) -> None:
    for name, page in pages(site):
        for _, attrs in page.elements:
            address = attrs.get("src") or attrs.get("href") or ""
            if not address.startswith("/") or address.endswith((".html", ".json", "/")):
                continue
            path, _, query = address.partition("?")
            assert (site / path.lstrip("/")).is_file(), (name, address)
            assert re.fullmatch(r"v=[0-9a-f]{12}", query), (name, address)


def test_modules_import_each_other_by_hashed_addresses(site: Path) -> None:
    home = (site / "js/home.js").read_text(encoding="utf-8")
    imports = re.findall(r'^import (?:.* from )?"([^"]+)"', home, re.MULTILINE)
    assert imports
    for address in imports:
        path, _, query = address.partition("?")
        assert (site / path.lstrip("/")).is_file()
        assert query.startswith("v=")


def test_a_change_deep_down_changes_the_address_of_all_above(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "top.js").write_text('import { a } from "./middle.js";\n')
    (source / "middle.js").write_text('export { a } from "./deep.js";\n')
    addresses = []
    for number in (1, 2):
        (source / "deep.js").write_text(f"export const a = {number};\n")
        addresses.append(Assets(source, tmp_path, tmp_path / f"out{number}").url("top.js"))
    assert addresses[0] != addresses[1]


def test_types_imported_in_a_comment_are_no_module(tmp_path: Path) -> None:
    text = '/** @import { Title } from "./types.js" */\nexport const a = 1;\n'
    (tmp_path / "a.js").write_text(text)
    Assets(tmp_path, tmp_path, tmp_path / "out").url("a.js")
    assert (tmp_path / "out" / "a.js").read_text() == text


def test_modules_that_import_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text('import "./b.js";\n')
    (tmp_path / "b.js").write_text('import "./a.js";\n')
    with pytest.raises(ValueError, match="imports itself"):
        Assets(tmp_path, tmp_path, tmp_path / "out").url("a.js")


def test_two_builds_give_the_same_bytes(site: Path, tmp_path: Path) -> None:
    build(tmp_path / "again", api_origin=API, blob_origin=BLOB, packages=node_modules())
    for path in site.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(site)).read_bytes()


def test_missing_packages_are_told_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="npm ci"):
        build(tmp_path / "out", api_origin=API, blob_origin=BLOB, packages=tmp_path)
    assert not (tmp_path / "out").exists()


def test_the_header_repeats_the_policy_of_the_page_and_forbids_frames(site: Path) -> None:
    header = policy_header((site / "index.html").read_bytes())
    assert header == f"{content_security_policy(API, BLOB)}; frame-ancestors 'none'"
    assert policy_header(b"<html>") == "frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("path", "blob"),
    [
        ("", "index.html"),
        ("/watch.html", "watch.html"),
        ("docs/", "docs/index.html"),
        ("../secrets.json", None),
        ("a/../b", None),
        ("a//b", None),
        ("a\\b", None),
        ("a\0b", None),
    ],
)
def test_an_address_names_a_blob_or_nothing(path: str, blob: str | None) -> None:
    assert blob_name_for(path) == blob


def test_files_go_out_under_types_that_browsers_accept() -> None:
    types = [content_type_of(name) for name in ("a.js", "a.css", "a.html", "a.woff2", "a.svg", "a.bin")]
    assert types[:3] == ["text/javascript; charset=utf-8", "text/css; charset=utf-8", "text/html; charset=utf-8"]
    assert types[3:] == ["font/woff2", "image/svg+xml", "application/octet-stream"]
