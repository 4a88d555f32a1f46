"""What the letters say. Each is written once, and shown as plain text and as HTML that loads nothing from anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from functions.mail.model import Kind, Letter

PRODUCT = "Notflix"
LINK_ENDS = "The link works once, and for 30 minutes from when it was asked for."

_STYLE = "font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;max-width:34em;margin:2em auto;padding:0 1em"


@dataclass(frozen=True, slots=True)
class _Words:
    """A letter before it is set: what stands before the link, what the link does, what stands after it."""

    subject: str
    before: tuple[str, ...]
    action: str = ""
    after: tuple[str, ...] = ()


_WORDS = {
    Kind.CONFIRM: _Words(
        f"Confirm your address for {PRODUCT}",
        (
            f"An account was opened at {PRODUCT} with this address.",
            "To confirm that the address is yours, open this link:",
        ),
        "Confirm the address",
        (
            f"{LINK_ENDS} If it has ended, log in and ask for another on your account's page.",
            "If it was not you, do nothing: the address stays unconfirmed. To have the account for yourself, "
            "ask for a new password on the login page.",
        ),
    ),
    Kind.RESET: _Words(
        f"A new password for {PRODUCT}",
        (
            f"A new password was asked for, for the account at {PRODUCT} with this address.",
            "To choose one, open this link:",
        ),
        "Choose a new password",
        (
            f"{LINK_ENDS} If it has ended, ask for another on the login page.",
            "If it was not you, do nothing: your password stays as it is. Keep the link to yourself; "
            "whoever opens it can choose the password.",
        ),
    ),
    Kind.WELCOME_ADMIN: _Words(
        f"You are an administrator of {PRODUCT}",
        (
            f"The owner of {PRODUCT} made this address an administrator's.",
            "To choose your password, open this link:",
        ),
        "Choose a password",
        (
            f"{LINK_ENDS} If it has ended, ask for a new password on the login page.",
            "If you did not expect this, do nothing, and tell the owner. Keep the link to yourself; "
            "whoever opens it can choose the password.",
        ),
    ),
    Kind.PASSWORD_CHANGED: _Words(
        f"Your password for {PRODUCT} was changed",
        (
            f"The password of the account at {PRODUCT} with this address was changed just now, "
            "and every other session was logged out.",
            "If it was you, there is nothing to do.",
            "If it was not you, ask for a new password on the login page at once: that locks out whoever did it.",
        ),
    ),
    Kind.ACCOUNT_DELETED: _Words(
        f"Your account at {PRODUCT} is deleted",
        (
            f"The account at {PRODUCT} with this address was deleted, and what belonged to it goes with it.",
            "If it was you, there is nothing to do. You are welcome to open another at any time.",
            "If it was not you, somebody knew your password: change it wherever else you use it.",
        ),
    ),
}


def letter_for(kind: Kind, link: str) -> Letter:
    """Return the letter of a kind with its link, which only those kinds show that are there to bring one."""
    words = _WORDS[kind]
    middle = (link,) if words.action else ()
    text = "\n\n".join((*words.before, *middle, *words.after, f"This letter was sent by {PRODUCT} by itself.")) + "\n"
    return Letter(words.subject, text, _html(words, link))


def _html(words: _Words, link: str) -> str:
    parts = [f"<h1 style='font-size:1.3em'>{escape(words.subject)}</h1>", *map(_paragraph, words.before)]
    if words.action:
        href = escape(link, quote=True)
        button = "display:inline-block;background:#b00020;color:#fff;padding:.6em 1.2em;border-radius:4px"
        parts.append(f'<p><a href="{href}" style="{button}">{escape(words.action)}</a></p>')
        parts.append(f'<p style="font-size:.85em;word-break:break-all">{href}</p>')
    parts.extend(map(_paragraph, words.after))
    parts.append(f'<p style="font-size:.85em;color:#595959">This letter was sent by {PRODUCT} by itself.</p>')
    head = f'<meta charset="utf-8"><title>{escape(words.subject)}</title>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body style="{_STYLE}">\n{body}\n</body></html>\n'


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
