"""The texts of all emails. Each is written once and rendered as plain text and as HTML that loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from functions.mail.model import Email, EmailKind

PRODUCT = "Notflix"
LINK_EXPIRES = "The link works once and expires after 30 minutes."

_STYLE = "font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;max-width:34em;margin:2em auto;padding:0 1em"


@dataclass(frozen=True, slots=True)
class _Words:
    """The texts of an email: the paragraphs before its link, the link's label, and the paragraphs after it."""

    subject: str
    before: tuple[str, ...]
    action: str = ""
    after: tuple[str, ...] = ()


_WORDS = {
    EmailKind.CONFIRM: _Words(
        f"Confirm your email address for {PRODUCT}",
        (
            f"Welcome to {PRODUCT}. An account was created with this email address.",
            "Please confirm that the address is yours:",
        ),
        "Confirm my address",
        (
            f"{LINK_EXPIRES} You can request a new one on your account page.",
            "Didn't create this account? You can ignore this email: the address stays unconfirmed. "
            "To take over the account, reset its password on the login page.",
        ),
    ),
    EmailKind.RESET: _Words(
        f"Reset your {PRODUCT} password",
        (
            f"We received a request to reset the password of your {PRODUCT} account.",
            "Choose a new password here:",
        ),
        "Choose a new password",
        (
            f"{LINK_EXPIRES} You can request a new one on the login page.",
            "Didn't request this? You can ignore this email: your password stays the same. "
            "Don't share the link; anyone who has it can change your password.",
        ),
    ),
    EmailKind.WELCOME_ADMIN: _Words(
        f"You are now an administrator of {PRODUCT}",
        (
            f"The owner of {PRODUCT} made you an administrator.",
            "Choose your password to get started:",
        ),
        "Choose a password",
        (
            f"{LINK_EXPIRES} You can request a new one on the login page.",
            "Weren't expecting this? Ignore this email and let the owner know. "
            "Don't share the link; anyone who has it can choose your password.",
        ),
    ),
    EmailKind.PASSWORD_CHANGED: _Words(
        f"Your {PRODUCT} password was changed",
        (
            f"The password of your {PRODUCT} account was just changed, and all other devices were logged out.",
            "If this was you, there is nothing to do.",
            "If it wasn't, reset your password on the login page right away. That logs everybody else out.",
        ),
    ),
    EmailKind.ACCOUNT_DELETED: _Words(
        f"Your {PRODUCT} account was deleted",
        (
            f"Your {PRODUCT} account was deleted together with its data.",
            "If this was you, there is nothing to do. You are welcome to come back at any time.",
            "If it wasn't, somebody knows your password: change it everywhere else you use it.",
        ),
    ),
}


def email_for(kind: EmailKind, link: str) -> Email:
    """Return the email of a kind; the link is included only in kinds whose purpose is to deliver a link."""
    words = _WORDS[kind]
    middle = (link,) if words.action else ()
    text = "\n\n".join((*words.before, *middle, *words.after, f"This is an automated message from {PRODUCT}.")) + "\n"
    return Email(words.subject, text, _html(words, link))


def _html(words: _Words, link: str) -> str:
    parts = [f"<h1 style='font-size:1.3em'>{escape(words.subject)}</h1>", *map(_paragraph, words.before)]
    if words.action:
        href = escape(link, quote=True)
        button = "display:inline-block;background:#b00020;color:#fff;padding:.6em 1.2em;border-radius:4px"
        parts.append(f'<p><a href="{href}" style="{button}">{escape(words.action)}</a></p>')
        parts.append(f'<p style="font-size:.85em;word-break:break-all">{href}</p>')
    parts.extend(map(_paragraph, words.after))
    parts.append(f'<p style="font-size:.85em;color:#595959">This is an automated message from {PRODUCT}.</p>')
    head = f'<meta charset="utf-8"><title>{escape(words.subject)}</title>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body style="{_STYLE}">\n{body}\n</body></html>\n'


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
