"""The texts of the published pages; `web/js/text.js`, `cards.js` and `title.js` write the same texts in the browser.

They are in the language of the page, which is the first argument of most functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from functions.catalogue.model import Status

if TYPE_CHECKING:
    from functions.catalogue.page_language import PageLanguage
    from functions.catalogue.schemas import Card
    from functions.catalogue.static_files import HomeRow, PublishedTitle

_KINDS = {"series": "text.series", "episode": "text.episode"}
_STATES = {
    Status.ANNOUNCED: "common.coming_soon",
    Status.ENCODING: "common.just_added",
    Status.FAILED: "common.not_available",
}
_SHELVES = {"new": "shelf.new", "encoding": "shelf.encoding", "soon": "common.coming_soon"}
_SHOWN_GENRES = 3
_BADGE_HEIGHTS = {"4K": 1441, "HD": 720}
_IMDB = "Internet Movie Database"


def title_path(title_id: str) -> str:
    """Return the address of a title's page."""
    return f"/title/{quote(title_id, safe='')}"


def watch_path(title_id: str) -> str:
    """Return the address of a title's watch page."""
    return f"/watch.html?id={quote(title_id, safe='')}"


def trailer_path(title_id: str) -> str:
    """Return the address that plays a title's trailer."""
    return f"{watch_path(title_id)}&trailer"


def genre_path(genre: str) -> str:
    """Return the address of a genre's page."""
    return f"/genre.html?name={quote(genre, safe='')}"


def person_path(person: str) -> str:
    """Return the address of a person's page."""
    return f"/person.html?name={quote(person, safe='')}"


def kind_name(language: PageLanguage, kind: str) -> str:
    """Return the name of a kind of title."""
    return language.text(_KINDS.get(kind, "common.film"))


def shelf_name(language: PageLanguage, row: HomeRow) -> str:
    """Return the heading of a shelf; that of a genre is the genre's name."""
    return language.text(_SHELVES[row.id]) if row.id in _SHELVES else language.genre(row.name)


def state_label(language: PageLanguage, status: Status) -> str:
    """Return the label on a card; empty for a title that is ready to be played."""
    return language.text(_STATES[status]) if status in _STATES else ""


def is_playable(status: Status) -> bool:
    """Return whether a title with this status can be played, perhaps only its beginning."""
    return status in (Status.READY, Status.ENCODING)


def runtime(language: PageLanguage, minutes: int | None) -> str:
    """Return the text for a running time: 97 -> "1 h 37 min"."""
    if not minutes:
        return ""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return language.text("text.minutes", minutes=rest)
    return language.text("text.hours_minutes" if rest else "text.hours", hours=hours, minutes=rest)


def length(language: PageLanguage, title: Card | PublishedTitle) -> str:
    """Return the text for a title's running time; a film of less than a minute gets its seconds."""
    playback = getattr(title, "playback", None)
    seconds = playback.duration_s if playback else 0.0
    if 0 < seconds < 59.5:
        return language.text("text.seconds", seconds=max(1, round(seconds)))
    return "" if title.runtime_min == 1 and not seconds else runtime(language, title.runtime_min)


def facts(
    language: PageLanguage, title: Card | PublishedTitle, *, genres: int = _SHOWN_GENRES
) -> list[tuple[str, bool]]:
    """Return the short facts under a name in reading order, each with whether it is drawn as a badge."""
    all_facts = [
        (str(title.year or ""), False),
        (title.rated or "", True),
        (length(language, title), False),
        (", ".join(map(language.genre, title.genres[:genres])), False),
    ]
    return [fact for fact in all_facts if fact[0]]


def quality_badge(title: PublishedTitle) -> str:
    """Return the badge for the best picture quality."""
    height = max((each.height for each in title.playback.renditions), default=0) if title.playback else 0
    return next((badge for badge, least in _BADGE_HEIGHTS.items() if height >= least), "")


def scores(title: PublishedTitle) -> list[tuple[str, str]]:
    """Return the ratings to show, as (source, value)."""
    given = [("IMDb" if each.source == _IMDB else each.source, each.value) for each in title.ratings]
    if title.imdb_rating and not any(source == "IMDb" for source, _ in given):
        given.insert(0, ("IMDb", f"{title.imdb_rating:g}/10"))
    return given


def credit_lines(language: PageLanguage, title: PublishedTitle) -> list[tuple[str, tuple[str, ...], bool]]:
    """Return the credits in reading order: role, names, and whether the names are people."""
    lines = [
        ("title.directors", title.directors, True),
        ("title.writers", title.writers, True),
        ("title.cast", title.actors, True),
        ("title.languages", title.languages, False),
        ("title.countries", title.countries, False),
    ]
    return [
        (language.text(role, count=len(names)), tuple(names), are_people) for role, names, are_people in lines if names
    ]
