"""When many films become ready together, the publisher's work grows with their number."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from functions.catalogue.publisher import HOME, SEARCH, Publication
from functions.catalogue.site_pages import HOME_HTML
from tests.support.catalogue import World, make_playback, make_title
from tests.support.page_templates import built_templates

if TYPE_CHECKING:
    from collections.abc import Callable

TITLE_READS = ("get", "listed", "some", "unpublished", "outdated", "in_order", "best", "episodes")
SITE_READS = ("find_version", "read_file")


def counted(store: object, names: tuple[str, ...], count: Callable[[str, object], None]) -> None:
    """Call `count` with the name of each method of a store that is called, and with its result."""
    for name in names:
        method = getattr(store, name)

        def call(*arguments: Any, called: Callable[..., Any] = method, name: str = name, **named: Any) -> Any:
            result = called(*arguments, **named)
            count(name, result)
            return result

        setattr(store, name, call)


@pytest.mark.parametrize("films", [20, 80])
def test_work_for_films_that_become_ready_together_grows_with_their_number(films: int) -> None:
    """Each film requests a publication while the first publication runs."""
    world = World()
    for path, html in built_templates().items():
        world.site.files[path] = html.encode()
    world.with_titles(
        make_title(f"film-{n:02}", added_s=n, published=False, genres=(f"Genre {n // 4}",)) for n in range(films)
    )
    world.publisher.publish()
    writes: list[str] = []
    titles_read: Counter[str] = Counter()
    site_reads: Counter[str] = Counter()
    counted(world.titles, TITLE_READS, lambda name, found: titles_read.update({name: _rows(found)}))
    counted(world.site, SITE_READS, lambda name, _: site_reads.update({name: 1}))

    def become_ready(path: str) -> None:
        world.site.before_write = writes.append
        writes.append(path)
        for number in range(1, films):
            world.catalogue.mark_playable(f"film-{number:02}", make_playback(), complete=True)
            assert world.publisher.publish() == Publication(0, complete=False), "the running publisher does the work"

    world.site.before_write = become_ready
    world.catalogue.mark_playable("film-00", make_playback(), complete=True)
    assert world.publisher.publish() == Publication(films, complete=True)
    assert not world.titles.unpublished(limit=films)
    assert writes.count(HOME) == writes.count(SEARCH) == 2
    assert writes.count(HOME_HTML) <= 2
    assert len(writes) <= 4 * films + 10, "JSON and a page in each of two languages"
    assert titles_read.total() <= 8 * films, "the trailer is looked up with each title"
    assert site_reads.total() <= 4 * films + 50, "50 are for the lists and the templates, in two rounds"


def _rows(found: object) -> int:
    return len(found) if isinstance(found, list) else 1
