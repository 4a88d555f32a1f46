"""The languages of the site. All texts of a language are in one file, `texts/<language>.json`, by their keys.

A text can have placeholders, `{name}`, and elements, `<login>Log in</login>`, whose tags the template provides. A text
that depends on a number is an object with a form for each plural category of the language (CLDR), among which
`Intl.PluralRules` chooses; its number is the placeholder `count`.

The pages of the first language are at the root of the site, those of another in a folder: `/de/plans.html`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TEXTS = Path(__file__).parent / "texts"
SCRIPTS = Path(__file__).parent / "js"
LANGUAGES = ("en", "de")

PUBLISHED_TEXTS = (
    *("common.coming_soon", "common.film", "common.just_added", "common.not_available", "common.play"),
    *("common.watch_now", "home.notflix_films_watch_in", "shelf.encoding", "shelf.new", "site.description"),
    *("site.page_title", "text.episode", "text.hours", "text.hours_minutes", "text.minutes", "text.seconds"),
    *("text.series", "title.cast", "title.countries", "title.directors", "title.languages"),
    *("title.no_description_yet", "title.on_notflix", "title.poster", "title.writers"),
)
"""The texts that the publisher of the catalogue writes into pages; it finds them in the pages' templates."""

GENRE = "genre."
"""The keys that begin so are the names of genres; scripts and the publisher find them by the English name."""

API = "api."
"""The keys that begin so are sentences of the API: the English text is the API's, with its variable parts."""

STUDIO_API = "api_studio."
"""The keys that begin so are sentences of the API that only owners see, in the Studio."""

_KEY = re.compile(r'"(?P<key>[a-z0-9_]+\.[a-z0-9_]+)"')
_TAG = re.compile(r"&lt;(?P<slash>/?)(?P<name>[a-z_]+)&gt;")
_PLACEHOLDER = re.compile(r"\{(?P<name>[a-z_]+)\}")
_PLAIN_ELEMENTS = frozenset({"code", "strong"})
_PAGE_LINK = re.compile(r'\b(?P<before>(?:href|action)=")(?P<path>/(?:[a-z0-9]+\.html)?(?:[?#][^"]*)?")(?! hreflang)')

type Message = str | dict[str, str]


def folder_of(code: str) -> str:
    """Return the folder of a language's pages, with a slash, or "" for the root of the site."""
    return "" if code == LANGUAGES[0] else f"{code}/"


@dataclass(frozen=True, slots=True)
class Language:
    """A language with its texts."""

    code: str
    texts: Mapping[str, Message]

    @property
    def folder(self) -> str:
        """Return the folder of the language's pages, with a slash, or "" for the root of the site."""
        return folder_of(self.code)

    @property
    def prefix(self) -> str:
        """Return what the addresses of the language's pages begin with: "" or "/de"."""
        return f"/{self.folder}".rstrip("/")

    @property
    def name(self) -> str:
        """Return the name of the language in this language."""
        return str(self.texts["language.name"])

    def text(self, key: str, /, **parts: str) -> Markup:
        """Return the text of a key as HTML.

        `parts` are the markup of its placeholders and the opening tags of its elements. Raises KeyError.
        """
        message = self.texts[key]
        if not isinstance(message, str):
            raise TypeError(f"{key} depends on a number, so only scripts can use it")

        def tag(found: re.Match[str]) -> str:
            name = found["name"]
            if name in _PLAIN_ELEMENTS and name not in parts:
                return f"<{found['slash']}{name}>"
            opening = parts[name]
            return f"</{opening[1:].split(maxsplit=1)[0].rstrip('>')}>" if found["slash"] else opening

        html = _TAG.sub(tag, str(escape(message)))
        return Markup(_PLACEHOLDER.sub(lambda found: str(parts[found["name"]]), html))

    def with_links(self, html: str) -> str:
        """Return a page whose links lead to pages in the same language; addresses of assets stay as they are."""
        return _PAGE_LINK.sub(rf"\g<before>{self.prefix}\g<path>", html) if self.prefix else html

    def script(self, keys: Iterable[str], *, studio: bool = False) -> bytes:
        """Return the script that makes texts available to the modules of pages or of the Studio (js/texts.js)."""
        chosen = {key: self.texts[key] for key in sorted(keys)}
        content = self._head() | {"studio": studio, "texts": chosen, "sentences": self._sentences(studio=studio)}
        return f"globalThis.notflixTexts = {_json(content)};\n".encode()

    def _sentences(self, *, studio: bool) -> list[tuple[str, Message]]:
        """Return the translated sentences of the API with their originals; there are none in the API's own language."""
        original = language(LANGUAGES[0])
        if self.code == original.code:
            return []
        begin = (API, STUDIO_API) if studio else API
        pairs = [(str(text), self.texts[key]) for key, text in original.texts.items() if key.startswith(begin)]
        return sorted(pairs, key=lambda pair: -len(pair[0]))  # "Also with {name}" before "Also {genre}"

    def comment(self) -> str:
        """Return the comment that makes texts available to the publisher (functions/catalogue/page_template.py)."""
        chosen = {key: self.texts[key] for key in (*PUBLISHED_TEXTS, *_genres())}
        content = self._head() | {"folders": {code: folder_of(code) for code in LANGUAGES}, "texts": chosen}
        return f"<!--texts {_json(content).replace('--', '\\u002d-')}-->\n"

    def _head(self) -> dict[str, object]:
        return {"language": self.code, "prefix": self.prefix}


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


@cache
def language(code: str) -> Language:
    """Read the texts of a language. Raises FileNotFoundError."""
    return Language(code, json.loads((TEXTS / f"{code}.json").read_text(encoding="utf-8")))


def keys_in(source: str) -> set[str]:
    """Return the keys of texts that a script names."""
    return {found["key"] for found in _KEY.finditer(source)} & language(LANGUAGES[0]).texts.keys()


def _genres() -> list[str]:
    return [key for key in language(LANGUAGES[0]).texts if key.startswith(GENRE)]


@cache
def script_keys(*, studio: bool) -> frozenset[str]:
    """Return the keys that the site's scripts use, with or without those of the Studio."""
    used = {"language.locale", *_genres()}
    for path in SCRIPTS.rglob("*.js"):
        if studio or "studio" not in path.relative_to(SCRIPTS).parts:
            used |= keys_in(path.read_text(encoding="utf-8"))
    return frozenset(used)
