"""Emails from their texts: each is rendered as plain text and as HTML that loads nothing."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from functions.mail.model import Email
from functions.mail.texts_de import GERMAN
from functions.mail.texts_en import ENGLISH
from functions.platform.languages import known_language

if TYPE_CHECKING:
    from functions.mail.model import EmailKind
    from functions.mail.texts import EmailText

TEXTS = {"en": ENGLISH, "de": GERMAN}
"""The texts of each language in `functions/platform/languages.py`."""

_STYLE = "font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;max-width:34em;margin:2em auto;padding:0 1em"


def email_for(kind: EmailKind, link: str, language: str = "") -> Email:
    """Return the email of a kind; the link is included only in kinds whose purpose is to deliver a link."""
    code = known_language(language)
    texts = TEXTS[code]
    words = texts.emails[kind]
    middle = (link,) if words.action else ()
    text = "\n\n".join((*words.before, *middle, *words.after, texts.automated)) + "\n"
    return Email(words.subject, text, _html(code, words, link))


def _html(code: str, words: EmailText, link: str) -> str:
    parts = [f"<h1 style='font-size:1.3em'>{escape(words.subject)}</h1>", *map(_paragraph, words.before)]
    if words.action:
        href = escape(link, quote=True)
        button = "display:inline-block;background:#b00020;color:#fff;padding:.6em 1.2em;border-radius:4px"
        parts.append(f'<p><a href="{href}" style="{button}">{escape(words.action)}</a></p>')
        parts.append(f'<p style="font-size:.85em;word-break:break-all">{href}</p>')
    parts.extend(map(_paragraph, words.after))
    parts.append(f'<p style="font-size:.85em;color:#595959">{escape(TEXTS[code].automated)}</p>')
    head = f'<meta charset="utf-8"><title>{escape(words.subject)}</title>'
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="{code}"><head>{head}</head>\n<body style="{_STYLE}">\n{body}\n</body></html>\n'
    )


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
