"""The pages of the site as templates: the published pages are filled in from the same markup that the scripts use.

The build of the site (`web.build`) stores the pages `home.html` and `title.html` in `templates/`. Each has two regions,
between `<!--head-->` and `<!--/head-->` and between `<!--content-->` and `<!--/content-->`, and elements `<template
data-piece="card">` with the markup of its parts. The elements inside a piece that are filled in have a `data-hook`. At
the end are the texts of the template's language.
"""

from __future__ import annotations

import hashlib
import re
from html import escape
from typing import TYPE_CHECKING

from functions.catalogue.page_language import PageLanguage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    Attributes = dict[str, str | None]

_PIECE = re.compile(r'<template data-piece="(?P<name>[a-z-]+)">\s*(?P<markup>.*?)\s*</template>', re.DOTALL)
_FIRST_TAG = re.compile(r"<(?P<element>[a-z][a-z0-9]*)\b[^>]*>")
_ATTRIBUTE = re.compile(r'\s+(?P<name>[a-z-]+)(?:="(?P<value>[^"]*)")?')


class Piece:
    """Markup with hooks. Each method returns a changed copy; texts and attribute values are escaped.

    Every method raises ValueError if the markup lacks the hook, or if an element to be filled is not empty. So parts
    that contain other pieces are filled in last, when no more hooks of the outer piece have to be found.
    """

    def __init__(self, markup: str) -> None:
        self.markup = markup

    def text(self, hook: str, text: str) -> Self:
        """Write text into the empty element of a hook."""
        return self.html(hook, escape(text, quote=False))

    def html(self, hook: str, markup: str) -> Self:
        """Write finished markup into the empty element of a hook."""
        tag = self._find(hook)
        if not self.markup.startswith(f"</{tag['element']}>", tag.end()):
            raise ValueError(f"The element of the hook {hook!r} is not empty.")
        return type(self)(self.markup[: tag.end()] + markup + self.markup[tag.end() :])

    def attributes(self, hook: str = "", **values: str) -> Self:
        """Set attributes of a hook's element, or of the first element; an underscore in a name stands for a hyphen."""
        new = {name.replace("_", "-"): escape(value) for name, value in values.items()}
        return self._changed(hook, lambda old: old | new)

    def add_class(self, name: str, hook: str = "") -> Self:
        """Add a class to a hook's element, or to the first element."""
        return self._changed(hook, lambda old: old | {"class": f"{old.get('class') or ''} {name}".strip()})

    def show(self, *hooks: str) -> Self:
        """Show elements that are hidden in the template."""
        shown = self
        for hook in hooks:
            shown = shown._changed(hook, lambda old: {name: value for name, value in old.items() if name != "hidden"})
        return shown

    def _find(self, hook: str) -> re.Match[str]:
        pattern = re.compile(rf'<(?P<element>[a-z][a-z0-9]*)\b[^>]*\bdata-hook="{hook}"[^>]*>') if hook else _FIRST_TAG
        found = pattern.search(self.markup)
        if found is None:
            raise ValueError(f"The template lacks the hook {hook!r}.")
        return found

    def _changed(self, hook: str, change: Callable[[Attributes], Attributes]) -> Self:
        tag = self._find(hook)
        old = {found["name"]: found["value"] for found in _ATTRIBUTE.finditer(tag[0])}
        new = "".join(f" {name}" if value is None else f' {name}="{value}"' for name, value in change(old).items())
        start, end = tag.span()
        return type(self)(f"{self.markup[:start]}<{tag['element']}{new}>{self.markup[end:]}")


class PageTemplate:
    """A page of the site in one language, with its pieces. Raises ValueError without the texts of the language."""

    def __init__(self, html: str) -> None:
        self.language, self._html = PageLanguage.of_template(html)
        self._pieces: Mapping[str, str] = {found["name"]: found["markup"] for found in _PIECE.finditer(self._html)}
        self.digest = hashlib.sha256(html.encode()).hexdigest()[:16]

    def piece(self, name: str) -> Piece:
        """Return a piece that is not filled in yet. Raises KeyError."""
        return Piece(self._pieces[name])

    def page(self, *, head: str, content: str) -> bytes:
        """Return the page with markup in its two regions."""
        return _filled(_filled(self._html, "head", head), "content", content).encode()


def _filled(html: str, region: str, markup: str) -> str:
    before, start, rest = html.partition(f"<!--{region}-->")
    _, end, after = rest.partition(f"<!--/{region}-->")
    if not start or not end:
        raise ValueError(f"The template lacks the region {region!r}.")
    return f"{before}{markup}{after}"
