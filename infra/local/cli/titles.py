"""`titles` and `publish`: titles of the catalogue, listed for the owner, and drafts that are published."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table

from infra.local.cli.api import Api
from infra.local.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator


def show_titles(*, drafts: bool, as_json: bool) -> None:
    """Print the titles, newest first; with `drafts`, only those that are not published yet."""
    found = [title for title in titles_in(Api.of(Home.of())) if title["draft"] or not drafts]
    if as_json:
        sys.stdout.write(json.dumps({"titles": found}) + "\n")
        return
    console = Console()
    if not found:
        console.print("There are no drafts." if drafts else "There are no titles yet.", highlight=False)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("title", "name", "year", "state"):
        table.add_column(heading, overflow="fold")
    for title in found:
        state = f"{title['status']}, not published" if title["draft"] else title["status"]
        table.add_row(title["id"], title["name"], str(title["year"] or ""), state)
    console.print(table)


def titles_in(api: Api) -> Iterator[dict[str, Any]]:
    """Yield all titles, drafts included, newest first."""
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(f"/api/catalogue/titles?limit=100&cursor={quote(cursor)}")
        yield from page["titles"]
        cursor = page["cursor"]


def publish_title(title_id: str) -> None:
    """Publish a draft. Raises CannotRun if there is no such title."""
    title = Api.of(Home.of()).post(f"/api/titles/{quote(title_id, safe='')}/release", {})
    Console().print(f"{title['name']} is published; the site shows it within seconds.", highlight=False)
