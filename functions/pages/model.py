"""The pages whose texts the owner writes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class PageName(StrEnum):
    """A page; its address is `/<name>.html`. The footer shows the pages in this order."""

    HELP = "help"
    CONTACT = "contact"
    TERMS = "terms"
    PRIVACY = "privacy"
    IMPRINT = "imprint"


@dataclass(frozen=True, slots=True)
class OwnerText:
    """The text of a page in Markdown; `version` changes with every change of the text."""

    name: PageName
    markdown: str
    updated_at: datetime
    version: str
