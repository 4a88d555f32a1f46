"""The form of the texts of emails in one language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.mail.model import EmailKind

PRODUCT = "Notflix"


@dataclass(frozen=True, slots=True)
class EmailText:
    """The text of an email: the paragraphs before its link, the link's label, and the paragraphs after it."""

    subject: str
    before: tuple[str, ...]
    action: str = ""
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EmailTexts:
    """All texts in one language; `automated` is the last line of every email."""

    automated: str
    emails: Mapping[EmailKind, EmailText]
