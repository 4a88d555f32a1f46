"""The public form of titles: the JSON that the site and the API show, with nothing of the inside in it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from functions.catalogue.model import Title

CARD_PLOT_LENGTH = 240


def public_title(title: Title) -> dict[str, Any]:
    """Return all that the public may know of a title."""
    return {
        "id": title.id,
        **_listed_values(asdict(title.details)),
        "runtime_min": title.runtime_min,
        "metadata": {
            "source": title.metadata.source.value,
            "matched": title.metadata.matched,
            "reason": title.metadata.reason,
        },
        "artwork": asdict(title.artwork),
        "status": title.status.value,
        "failure": title.failure,
        "playback": _listed_values(asdict(title.playback)) if title.playback and title.watchable else None,
        "added_at": f"{title.added_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def card(title: Title) -> dict[str, Any]:
    """Return what a shelf shows of a title."""
    details = title.details
    return {
        "id": title.id,
        "name": details.name,
        "year": details.year,
        "kind": details.kind,
        "rated": details.rated,
        "runtime_min": title.runtime_min,
        "genres": list(details.genres),
        "plot": _shortened(details.plot),
        "status": title.status.value,
        "artwork": asdict(title.artwork),
    }


def search_entry(title: Title) -> dict[str, Any]:
    """Return what the search page looks through: a card and the people."""
    return {**card(title), "people": list(title.details.people)}


class EncodeProgress(Protocol):
    """How far an encode is, as encoding tells it; times in seconds, `eta_s` None while nobody can say."""

    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def percent(self) -> float: ...
    @property
    def front_s(self) -> float: ...
    @property
    def duration_s(self) -> float | None: ...
    @property
    def eta_s(self) -> float | None: ...


def public_progress(progress: EncodeProgress) -> dict[str, Any]:
    """Return what the title page shows of an encode under way."""
    names = ("status", "reason", "percent", "front_s", "duration_s", "eta_s")
    return {name: getattr(progress, name) for name in names}


def _shortened(plot: str | None) -> str | None:
    if plot is None or len(plot) <= CARD_PLOT_LENGTH:
        return plot
    return plot[:CARD_PLOT_LENGTH].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def _listed_values(values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` with lists for tuples, as JSON has them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
