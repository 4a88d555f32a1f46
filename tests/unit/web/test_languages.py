"""The texts of the site: every language has all of them, they are used, and templates contain no others."""

from __future__ import annotations

import ast
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import pytest
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from functions.platform import browsers
from web.accessibility import PAGE_TEXTS, Statement
from web.build import OWNERS_PAGES, PAGES, WEB
from web.languages import API, GENRE, LANGUAGES, PUBLISHED_TEXTS, SCRIPTS, STUDIO_API, keys_in, language

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
FIRST, *OTHERS = LANGUAGES
PLURALS = {"en": {"one", "other"}, "de": {"one", "other"}}
"""The plural categories of cardinal numbers (CLDR)."""

TEXT_ATTRIBUTES = ("aria-label", "title", "placeholder", "alt")
SAME_EVERYWHERE = {"Notflix", "N", "./notflix ingest film.mkv"}
IN_A_SENTENCE = {"{inside}": "{field}"}
"""English begins the name of a field in a sentence with a small letter."""

VALUES_LENGTH = 300
CURRENCY = re.compile(r"[A-Z]{3}")
_PART = re.compile(r"\{[a-z_]+\}|</?[a-z_]+>")
_KEY = re.compile(r"""\bt\(\s*['"](?P<key>[^'"]+)['"]""")


def messages(code: str, key: str) -> dict[str, str]:
    """Return the forms of a text by plural category; a text without a number has the form ""."""
    message = language(code).texts[key]
    return {"": message} if isinstance(message, str) else message


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_has_the_texts_of_the_first_one(code: str) -> None:
    assert language(code).texts.keys() == language(FIRST).texts.keys()


@pytest.mark.parametrize("code", LANGUAGES)
def test_texts_are_sorted_by_their_keys_and_not_empty(code: str) -> None:
    keys = list(language(code).texts)
    assert keys == sorted(keys)
    for key in keys:
        assert all(text.strip() for text in messages(code, key).values()), key


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_text_has_the_placeholders_and_the_plural_forms_of_the_first_language(code: str) -> None:
    for key in language(FIRST).texts:
        expected, found = messages(FIRST, key), messages(code, key)
        assert found.keys() == ({""} if "" in expected else PLURALS[code]), key
        parts, own = (
            {IN_A_SENTENCE.get(part, part) for text in forms.values() for part in _PART.findall(text)}
            for forms in (expected, found)
        )
        # one form of a number may spell it out, and a sentence of the API need not repeat everything
        assert own <= parts if key.startswith((API, STUDIO_API)) else own - {"{count}"} == parts - {"{count}"}, key
        assert "" in found or "{count}" in found["other"] or "{count}" not in expected["other"], key


def test_every_text_is_used_and_every_used_text_exists() -> None:
    known = set(language(FIRST).texts)
    templates = {
        found["key"]
        for path in (WEB / "templates").glob("*.html")
        for found in _KEY.finditer(path.read_text(encoding="utf-8"))
    }
    scripts = {path: path.read_text(encoding="utf-8") for path in SCRIPTS.rglob("*.js")}
    called = {found["key"] for text in scripts.values() for found in _KEY.finditer(text)}
    named = set().union(*map(keys_in, scripts.values()))
    others = {*PUBLISHED_TEXTS, *OWNERS_PAGES.values(), *PAGE_TEXTS.values(), "language.name"}
    assert (templates | called | others) - known == set()
    assert (
        known - templates - named - others - {key for key in known if key.startswith((API, GENRE, STUDIO_API))} == set()
    )


def test_scripts_fill_in_every_placeholder() -> None:
    for path in SCRIPTS.rglob("*.js"):
        source = path.read_text(encoding="utf-8")
        for call in re.finditer(r"""\bt\("(?P<key>[a-z0-9_.]+)"(?P<end>\)?)""", source):
            given = "" if call["end"] else source[call.end() : call.end() + VALUES_LENGTH]
            forms = messages(FIRST, call["key"])
            assert "" in forms or "count" in given, f"{path.name}: {call['key']} depends on a number"
            for text in forms.values():
                for name in re.findall(r"\{([a-z_]+)\}", text):
                    assert re.search(rf"\b{name}\b", given), f"{path.name}: {call['key']} needs {name}"


def test_the_publisher_finds_exactly_the_texts_that_it_writes() -> None:
    folder = ROOT / "functions/catalogue"
    source = "".join((folder / name).read_text(encoding="utf-8") for name in ("page_texts.py", "published_pages.py"))
    assert keys_in(source) == set(PUBLISHED_TEXTS)


def test_the_sentences_of_the_api_are_those_of_the_functions() -> None:
    """A sentence that the functions no longer say would have no translation."""
    said = {pattern for path in (ROOT / "functions").rglob("*.py") for pattern in _sentences(path)}
    for key, text in language(FIRST).texts.items():
        if key.startswith((API, STUDIO_API)):
            assert isinstance(text, str)
            names = re.findall(r"\{[a-z_]+\}", text)
            assert len(set(names)) == len(names), f"{key}: scripts find the parts of the sentence by their names"
            assert re.sub(r"\{[a-z_]+\}", "{}", text) in said, key


def _sentences(path: Path) -> Iterator[str]:
    """Return the texts of a module; variable parts are written as {}."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{[a-z_]+\}", "{}", node.value)
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


class VisibleTexts(HTMLParser):
    """The texts that a page shows or that assistive technology reads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [given[name] or "" for name in TEXT_ATTRIBUTES if name in given]
        if given.get("name") == "description":
            self.found.append(given.get("content") or "")

    def handle_data(self, data: str) -> None:
        self.found.append(data)


@pytest.mark.parametrize("page", [*PAGES, "page.html"])
def test_a_template_contains_no_text_of_its_own(page: str) -> None:
    """The page is rendered with empty texts; whatever remains would be the same in every language."""
    environment = Environment(loader=FileSystemLoader(WEB / "templates"), autoescape=True)
    markup = "<i>{}</i>"
    environment.globals.update(
        t=lambda key, /, **parts: Markup(" ".join(parts.values()) if parts else ""),
        asset=lambda name: "/asset",
        stylesheet=lambda names: "/sheet",
        modules=lambda name: [],
        icon=lambda name: Markup(markup.format("")),
        language=language(FIRST),
        languages=[],
        statement=Statement("", "", (), ()),
    )
    html = environment.get_template(page).render(page=page, name="help", heading="")
    outside = {" ".join(text.split()) for text in VisibleTexts(html).found} - SAME_EVERYWHERE
    assert {text for text in outside if re.search(r"[^\W\d_]{2}", text) and not CURRENCY.fullmatch(text)} == set()


def test_elements_of_a_text_get_the_tags_of_the_template() -> None:
    shown = language(FIRST).text(
        "register.already_registered_log_in", login='<a href="/login.html">', forgot='<a href="/forgot.html" data-x>'
    )
    assert shown == (
        'Already registered? <a href="/login.html">Log in</a> or '
        '<a href="/forgot.html" data-x>choose a new password</a>.'
    )


def test_a_text_is_escaped() -> None:
    assert "&lt;films@example.org&gt;" in language(FIRST).text("setup.set_mail_from_sender")


def test_links_of_a_page_stay_in_its_language() -> None:
    html = '<a href="/">a</a><form action="/login.html"><a href="/plans.html?a#b">b</a><link href="/css/a.css">'
    html += '<a href="/feed.xml">c</a><a href="/" hreflang="en">d</a><a href="https://x.example/a.html">e</a>'
    (german,) = (language(code) for code in OTHERS)
    assert german.with_links(html) == (
        '<a href="/de/">a</a><form action="/de/login.html"><a href="/de/plans.html?a#b">b</a>'
        '<link href="/css/a.css"><a href="/feed.xml">c</a><a href="/" hreflang="en">d</a>'
        '<a href="https://x.example/a.html">e</a>'
    )
    assert language(FIRST).with_links(html) == html


SHOWN = (
    *("BrokenPicture", "Conflict", "EncodeFault", "Finding", "Forbidden", "LinkExpired", "Missed", "PosterRefused"),
    *("SourceRefused", "TooManyAttempts", "Unsuitable", "WrongPassword"),
    *("outcome.error", "require", "reservation.error", "reserved.error"),  # of rate limits, with the time to wait
)
"""What pages describe by its own sentence; for other errors, they have a text for the code (js/net.js)."""

NEVER_ON_A_PAGE = {
    "Only the operator's key can do this: run `./notflix admin reset-second-factor`.",
    # German leaves out why a film cannot be watched during its upload, or is no longer the one that was planned
    "it has no stream {}",
    "its first seconds were not like what follows",
    # its index is then read as a whole, and only the log says so
    "its index is read at once",
    "its sound has to be encoded",
    "the file does not have exactly one video track",
    "the file has several audio tracks",
    "the loudness of its sound is changed",
    # the comparison is tried again, and only the log says so
    "The sound of an episode could not be compared.",
}
"""Only scripts call the routes that say this, or the translation does not need it."""

_NOTED = ("lifecycle", "copying/passthrough", "upkeep/repair", "tracks", "work_folders")
NOTED = tuple(f"encoding/{name}.py" for name in _NOTED)
"""Modules whose whole sentences are for the owner; the text of an error of a program, for instance, is not."""


def test_what_the_api_tells_people_is_translated() -> None:
    known = {
        re.sub(r"\{[a-z_]+\}", "{}", str(text))
        for key, text in language(FIRST).texts.items()
        if key.startswith((API, STUDIO_API))
    }
    said = {sentence: path for path in (ROOT / "functions").rglob("*.py") for sentence in _told(path)}
    for path in (ROOT / "functions" / name for name in NOTED):
        said |= dict.fromkeys(_notes(path), path)
    missing = {sentence: str(path) for sentence, path in said.items() if sentence not in known | NEVER_ON_A_PAGE}
    assert missing == {}
    assert "This account belongs to an administrator. Revoke the administrator's rights first." in said


@pytest.mark.parametrize("studio", [False, True])
def test_a_page_knows_whether_it_is_the_studio(*, studio: bool) -> None:
    script = language(FIRST).script((), studio=studio).decode()
    assert json.loads(script.removeprefix("globalThis.notflixTexts = ").rstrip(";\n"))["studio"] is studio


def test_devices_that_are_no_product_have_a_name_in_each_language() -> None:
    names = {name for _, name in (*browsers.BROWSERS, *browsers.SYSTEMS)} | {browsers.UNKNOWN}
    parts = {str(text) for key, text in language(FIRST).texts.items() if key.startswith("device.")}
    assert {name for name in names if name.startswith(("a ", "an "))} == parts - {"{browser} on {system}"}
    source = (SCRIPTS / "texts.js").read_text(encoding="utf-8")
    assert {name for name in parts if f'"{name}"' in source} == parts - {"{browser} on {system}"}


def _notes(path: Path) -> Iterator[str]:
    """Return the whole sentences of a module that are not its documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = {node.value.value for node in ast.walk(tree) if isinstance(node, ast.Expr) if _is_text(node.value)}
    texts = (part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values)
    parts = {part.value for part in texts if _is_text(part)}
    for sentence in set(_sentences(path)) - documented - parts:
        if re.fullmatch(r"[A-Z{][^\n]* [^\n]*\.", sentence):
            yield sentence


def _is_text(node: ast.expr) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _told(path: Path) -> Iterator[str]:
    """Return the literal sentences that a module gives to the errors and findings that pages show."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in SHOWN:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value
                elif isinstance(argument, ast.JoinedStr):
                    parts = argument.values
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
