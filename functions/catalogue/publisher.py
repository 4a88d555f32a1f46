"""Publishing: the static JSON that the site reads, made anew from the store whenever a title is unpublished.

A title's document is the outbox: it is marked unpublished together with its change, and published once the files show
it. So one run publishes whatever waits, any number of requests for one collapse into it, and a request that is lost is
made up for by the next, or by the timer. Each file is looked at before the store is read, and written only over that
version: of two publishers at once the slower one reads again, and an older list never covers a newer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.catalogue.lists import Likeness, home, search_list
from functions.catalogue.model import Status
from functions.catalogue.site import NO_CACHE
from functions.catalogue.views import card, public_title

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.catalogue.repository import Titles
    from functions.catalogue.site import Site, Version

BATCH = 500
HOME = "catalogue/home.json"
SEARCH = "catalogue/search.json"


class Publisher:
    """Writes the static catalogue; `tell` is called with the id of each title before its change counts as published."""

    def __init__(self, titles: Titles, site: Site, now: Callable[[], datetime], *, tell: Callable[[str], None]) -> None:
        self._titles = titles
        self._site = site
        self._now = now
        self._tell = tell

    def publish(self) -> int:
        """Bring the static catalogue up to the store; return how many titles waited for it."""
        published = 0
        while waiting := self._titles.unpublished(limit=BATCH):
            listed = self._publish_lists()
            self._publish_titles(waiting, Likeness(listed))
            for title in waiting:
                self._tell(title.id)
                self._titles.mark_published(title.id, title.revision)
            published += len(waiting)
        if not published and self._site.look(HOME) is None:
            self._publish_lists()
        return published

    def _publish_lists(self) -> list[Title]:
        """Write home and search, each from what the store held after looking at the file; return the listed titles."""
        while True:
            versions = self._site.look(HOME), self._site.look(SEARCH)
            listed = self._titles.listed()
            written = self._write(HOME, home(listed, self._now()), versions[0])
            if written and self._write(SEARCH, search_list(listed), versions[1]):
                return listed

    def _publish_titles(self, waiting: list[Title], likeness: Likeness) -> None:
        """Write the pages of the titles and of those most like them, which may list them from now on."""
        touched = {title.id for title in waiting}
        touched.update(other.id for title in waiting for other in likeness.more_like(title))
        for title_id in sorted(touched):
            self._publish_title(title_id, likeness)

    def _publish_title(self, title_id: str, likeness: Likeness) -> None:
        path = f"catalogue/titles/{title_id}.json"
        while True:
            version = self._site.look(path)
            title = self._titles.get(title_id)
            if title is None or title.status is Status.WITHDRAWN:
                self._site.remove(path)
                return
            page = {**public_title(title), "more": [card(other) for other in likeness.more_like(title)]}
            if self._write(path, page, version):
                return

    def _write(self, path: str, body: dict[str, Any], over: Version | None) -> bool:
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return self._site.write(path, data, kind="application/json", cache=NO_CACHE, over=over, notes={})
