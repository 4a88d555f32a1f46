"""The built site: all pages, a strict policy that they satisfy, and content-hashed addresses."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import msgspec
import pytest

from functions.catalogue.lists import home_page
from functions.catalogue.page_template import PageTemplate
from functions.catalogue.site_pages import HOME_TEMPLATE, TITLE_TEMPLATE, PageTemplates, SitePages
from functions.catalogue.static_files import PublishedTitle
from functions.pages.documents import PageIndex
from functions.pages.model import PageName
from functions.pages.repository import INDEX
from infra.local.home import Home
from infra.local.site import blob_name_for
from infra.local.stores.packages import web_folder
from tests.support.catalogue import make_playback, make_title
from tests.support.clock import NOON
from web.assets import Assets
from web.build import INSIDE, OWNERS_PAGES, PAGE_INDEX, PAGES, WEB, build, content_security_policy, inside
from web.hashed_names import hash_in
from web.languages import LANGUAGES, folder_of
from web.publish import WRITTEN_BY_FUNCTIONS, content_type_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUBLISHED = ("index.html", "title.html")
"""The pages that guests see complete without any script."""
FOR_MEMBERS = ("watch.html",)
"""The pages that send guests to the login page before they load anything."""
STARTS_LATE = (*PUBLISHED, *FOR_MEMBERS)
"""The pages whose modules js/start.js loads."""
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
    for name in (*PAGES, *(f"{name}.html" for name in OWNERS_PAGES)):
        yield name, Page((site / name).read_text(encoding="utf-8"))


def test_every_page_carries_the_policy_and_the_addresses(site: Path) -> None:
    for name, page in pages(site):
        root = dict(page.elements)["html"]
        assert (root["data-api"], root["data-blob"]) == (API, "http://127.0.0.1:7080"), name
        policies = [attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv")]
        assert policies == [content_security_policy(API, BLOB)], name


def test_the_policy_allows_the_three_inline_scripts_and_no_stranger() -> None:
    policy = dict(rule.split(" ", 1) for rule in content_security_policy(API, BLOB).split("; "))
    digests = [base64.b64encode(hashlib.sha256(inside(name).encode()).digest()).decode() for name in INSIDE]
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert policy["script-src"].split() == ["'self'", *(f"'sha256-{digest}'" for digest in digests)]
    assert policy["connect-src"] == f"'self' {API} http://127.0.0.1:7080"
    assert not any("unsafe" in rule or "*" in rule for rule in policy.values())


def test_no_page_has_inline_style_or_another_inline_script(site: Path) -> None:
    for name, page in pages(site):
        first, guests, start = (inside(script) for script in INSIDE)
        assert page.inline == [first, *[guests] * (name in FOR_MEMBERS), *[start] * (name in STARTS_LATE)], name
        for tag, attrs in page.elements:
            assert "style" not in attrs, (name, tag)
            assert not [attribute for attribute in attrs if attribute.startswith("on")], (name, tag)


def test_every_asset_that_a_page_names_exists_under_its_hash(site: Path) -> None:
    for name, page in pages(site):
        for _, attrs in page.elements:
            address = attrs.get("src") or attrs.get("href") or ""
            if not address.startswith("/") or address.partition("#")[0].endswith((".html", ".json", ".xml", "/")):
                continue
            content = (site / address.lstrip("/")).read_bytes()
            assert hash_in(address) == hashlib.sha256(content).hexdigest()[:12], (name, address)


def test_a_page_has_one_stylesheet_with_only_the_rules_of_bootstrap_that_are_used(site: Path) -> None:
    for name, page in pages(site):
        sheets = [attrs["href"] or "" for tag, attrs in page.elements if attrs.get("rel") == "stylesheet"]
        assert len(sheets) == 1, name
        text = (site / sheets[0].lstrip("/")).read_text(encoding="utf-8")
        assert ".btn-light" in text and ".visually-hidden" in text and "--nf-ground" in text, name
        assert ".carousel-item" not in text and ".navbar-expand" not in text, name


def test_what_only_some_visits_need_is_not_loaded_with_a_page(site: Path) -> None:
    for name, page in pages(site):
        loaded = [
            attrs.get("src") or attrs.get("href") or "" for tag, attrs in page.elements if tag in ("script", "link")
        ]
        assert not [address for address in loaded if "vendor/shaka" in address or "vendor/mini" in address], name


def test_each_text_file_is_also_stored_compressed(site: Path) -> None:
    large = [path for path in site.rglob("*") if path.suffix in (".js", ".css") and path.stat().st_size >= 1024]
    assert large
    for path in large:
        packed, best = path.with_name(f"{path.name}.gz"), path.with_name(f"{path.name}.br")
        assert gzip.decompress(packed.read_bytes()) == path.read_bytes()
        assert 0 < best.stat().st_size < packed.stat().st_size
    assert not list(site.rglob("*.woff2.*"))


def test_the_published_pages_are_filled_in_from_the_built_templates(site: Path) -> None:
    templates = [
        PageTemplate((site / path.format(folder="")).read_text(encoding="utf-8"))
        for path in (HOME_TEMPLATE, TITLE_TEMPLATE)
    ]
    written = SitePages("https://films.example.org", PageTemplates("", *templates))
    title = make_title("a", name="Ringfall", genres=("Drama",), playback=make_playback())
    home = written.of_lists(home_page([title], NOON), [title])[0].data.decode()
    (page,) = written.of_title(PublishedTitle.with_similar(title, [title]))
    for html in (home, page.data.decode()):
        assert "Ringfall" in html[: html.index("<template data-piece")]
        assert "<svg" in html[html.index("<main") : html.index("<template data-piece")], "the icons of the buttons"
        assert "skeleton" not in html


def test_every_language_has_all_pages_and_templates(site: Path) -> None:
    names = {path.name for path in site.glob("*.html")}
    for code in LANGUAGES:
        folder = folder_of(code)
        assert {path.name for path in (site / folder).glob("*.html")} == names
        assert f"{folder}index.html" in WRITTEN_BY_FUNCTIONS
        for template in (HOME_TEMPLATE, TITLE_TEMPLATE):
            html = (site / template.format(folder=folder)).read_text(encoding="utf-8")
            assert PageTemplate(html).language.prefix == f"/{folder}".rstrip("/")
        for name in names:
            page = Page((site / folder / name).read_text(encoding="utf-8"))
            assert dict(page.elements)["html"]["lang"] == code
            others = {attrs["hreflang"] for tag, attrs in page.elements if tag == "a" and "data-language" in attrs}
            assert others >= set(LANGUAGES) - {code} or name == "watch.html", name
            targets = [
                attrs.get("href") or "" for tag, attrs in page.elements if tag == "a" and "hreflang" not in attrs
            ]
            inside = [target for target in targets if target == "/" or target.partition("?")[0].endswith(".html")]
            assert all(target.startswith(f"/{folder}") for target in inside), name


def test_the_texts_of_a_page_come_before_its_modules(site: Path) -> None:
    for name, page in pages(site):
        scripts = [attrs for tag, attrs in page.elements if tag == "script"]
        kind = "studio" if name == "studio.html" else "site"
        assert scripts.pop(0) == {}, name  # the language is chosen before anything is loaded
        if name in FOR_MEMBERS:
            assert scripts.pop(0) == {}, name  # then guests are sent to the login page
        assert (scripts[0]["src"] or "").startswith(f"/texts/{kind}.en."), name
        assert ("defer" in scripts[0]) == (name not in PUBLISHED), name  # js/start.js keeps the order of those it loads
        classic = [attrs for attrs in scripts[1:] if attrs.get("type") != "module"]
        assert classic == [{}] * (name in STARTS_LATE), name


def test_modules_import_each_other_by_hashed_addresses(site: Path) -> None:
    (home,) = (site / "js").glob("home.*.js")
    imports = re.findall(r'^import (?:.* from )?"([^"]+)"', home.read_text(encoding="utf-8"), re.MULTILINE)
    assert imports
    for address in imports:
        assert (site / address.lstrip("/")).is_file()
        assert hash_in(address)


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
    address = Assets(tmp_path, tmp_path, tmp_path / "out").url("a.js")
    assert (tmp_path / "out" / address.lstrip("/")).read_text() == text


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


def test_the_pages_of_the_owner_are_those_that_the_functions_publish(site: Path) -> None:
    assert set(OWNERS_PAGES) == {name.value for name in PageName}
    assert PAGE_INDEX in WRITTEN_BY_FUNCTIONS and PAGE_INDEX == INDEX
    assert msgspec.json.decode((site / PAGE_INDEX).read_bytes(), type=PageIndex) == PageIndex(())


def test_text_keeps_its_height_when_its_font_arrives(site: Path) -> None:
    styles = next((site / "css" / "pages").glob("site-browse.*.css")).read_text(encoding="utf-8")
    (*_, stack) = re.findall(r"--bs-body-font-family:([^;}]+)", styles)
    families = re.findall(r"Inter in \w+", stack)
    assert len(families) == 3
    for family in families:
        faces = [face for face in re.findall(r"@font-face ?\{[^}]*\}", styles) if family in face]
        assert len(faces) == 2, "regular and bold"
        for face in faces:
            share = {name: float(value) / 100 for name, value in re.findall(r"([a-z-]+): ?([\d.]+)%", face)}
            height = [share["size-adjust"] * share[f"{part}-override"] for part in ("ascent", "descent")]
            assert height == pytest.approx([0.96875, 0.2412], abs=0.002), "those of Inter"
            assert share["line-gap-override"] == 0
