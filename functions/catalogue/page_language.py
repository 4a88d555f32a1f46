"""The language of a published page: its texts, and where the pages in this language are.

The build of the site appends them to each template as a comment, `<!--texts {…}-->` (web/languages.py).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from functions.platform.decoding import decode_json

if TYPE_CHECKING:
    from typing import Self

_COMMENT = re.compile(r"<!--texts (?P<content>\{.*\})-->\n?\Z", re.DOTALL)
_NO_LETTERS = re.compile(r"[^a-z]+")
_PLACEHOLDER = re.compile(r"\{(?P<name>[a-z_]+)\}")


class PageLanguage(msgspec.Struct, frozen=True):
    """A language with the texts that the publisher writes.

    The addresses of its pages begin with `prefix`, which is "" or such as "/de". `folders` are those of the pages in
    all languages, by the code of the language: "" for the root of the site, or such as "de/".
    """

    language: str
    prefix: str
    folders: dict[str, str]
    texts: dict[str, str | dict[str, str]]

    @classmethod
    def of_template(cls, html: str) -> tuple[Self, str]:
        """Return the language of a template, and the template without its texts. Raises ValueError."""
        found = _COMMENT.search(html)
        if found is None:
            raise ValueError("The template lacks the texts of its language.")
        return decode_json(found["content"], cls), html[: found.start()]

    def genre(self, name: str) -> str:
        """Return the name of a genre, which the catalogue has in English; one of the owner's own stays."""
        key = f"genre.{_NO_LETTERS.sub('_', name.lower())}"
        known = self.texts.get(key)
        return known if isinstance(known, str) and self.language != "en" else name

    def text(self, key: str, /, *, count: int | None = None, **values: str | int) -> str:
        """Return a text with its placeholders filled in; `count` chooses its plural form. Raises KeyError.

        English and German have one form for 1 and another for all other numbers.
        """
        message = self.texts[key]
        text = message if isinstance(message, str) else message["one" if count == 1 else "other"]
        return _PLACEHOLDER.sub(lambda found: str(values[found["name"]]), text)
