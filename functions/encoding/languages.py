"""The languages of tracks: a code in any form that containers and file names use, as a BCP 47 tag and as a name.

Containers use ISO 639-2 in its bibliographic form ("ger", Matroska and AVI) or its terminology form ("deu", MP4), ISO
639-3 ("yue"), ISO 639-1 ("de"), and BCP 47 ("zh-Hans", "es-419"). Withdrawn codes ("iw", "scc") still occur.
"""

from __future__ import annotations

from functools import cache

from babel import Locale
from langcodes import Language
from langcodes.tag_parser import LanguageTagError

UNKNOWN = "und"

_WITHOUT_MEANING = {"und", "mis"}
_LOCAL = ("qaa", "qtz")
"""The first and last code for local use (ISO 639-2), which have no meaning outside of the place that uses them."""

_LONGEST_CODE = 35
"""The longest tag that software must be able to store (RFC 5646, 4.4.1)."""


def language_tag(code: str) -> str:
    """Return the shortest BCP 47 tag of a language, with script and region if the code has them; "und" if unknown."""
    text = code.strip().replace("_", "-")
    if not text or len(text) > _LONGEST_CODE:
        return UNKNOWN
    try:
        found = Language.get(text)
    except LanguageTagError:
        return UNKNOWN
    name = found.language or ""
    if not name.isalpha() or name in _WITHOUT_MEANING or (len(name) == 3 and _LOCAL[0] <= name <= _LOCAL[1]):
        return UNKNOWN
    plain = Language.make(language=name, script=found.script, territory=found.territory)
    return plain.to_tag() if plain.is_valid() else UNKNOWN


@cache
def language_name(tag: str) -> str:
    """Return the English name of a language: "pt-BR" is "Portuguese (Brazil)"; a rare language is named by its tag."""
    found, english = Language.get(tag), Locale("en")
    general = found.prefer_macrolanguage().language  # CLDR names Chinese, but not Mandarin
    name = english.languages.get(found.language) or english.languages.get(general) or tag
    parts = [english.scripts.get(found.script), english.territories.get(found.territory)]
    details = ", ".join(part for part in parts if part)
    return f"{name} ({details})" if details else name
