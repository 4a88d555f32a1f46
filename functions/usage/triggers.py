"""The HTTP functions of usage: heartbeats, authenticated by ticket; history, watch list and ratings, by session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.errors import Forbidden, ListFull, NotFound
from functions.platform.triggers import OWNER, SIGNED, VIEWER, SliceApp

if TYPE_CHECKING:
    from functions.platform.field_types import TitleId
    from functions.platform.viewer import Viewer
    from functions.usage.schemas import (
        HeartbeatReport,
        HistoryPage,
        HistoryQuery,
        MarkQuery,
        RatingPage,
        RatingRequest,
        TitleUsage,
        ViewingQuery,
        ViewingReport,
        WatchListPage,
    )

app = SliceApp(bootstrap, "functions.usage.schemas")


@app.put("usage/{id}", caller=SIGNED, raises=[Forbidden])
def record_usage(id: TitleId, body: HeartbeatReport) -> None:
    """Record a heartbeat.

    Its ticket identifies the viewer and the viewing session, so no login session has to be looked up.
    """
    bootstrap.usage().record_heartbeat(id, body.ticket, body.heartbeat())


@app.post("usage/{id}", caller=SIGNED, raises=[Forbidden], any_media_type=True)
def record_usage_on_leaving(id: TitleId, body: HeartbeatReport) -> None:
    """Record the heartbeat of a page that the viewer is leaving.

    This is a separate route because `navigator.sendBeacon` can only POST and cannot set headers.
    """
    bootstrap.usage().record_heartbeat(id, body.ticket, body.heartbeat())


@app.get("usage", caller=VIEWER, raises=[Forbidden, NotFound])
def list_usage(viewer: Viewer, query: HistoryQuery) -> HistoryPage:
    """Return a page of the viewer's history, latest first.

    A profile with an age limit gets only titles that it may play.
    """
    from functions.usage.schemas import HistoryPage

    watcher_id = _watcher(viewer, query.profile)
    page = bootstrap.usage().history(
        watcher_id,
        unfinished=query.unfinished,
        age_limit=viewer.age_limit,
        cursor=query.cursor,
        limit=query.limit,
    )
    return HistoryPage.of(page)


@app.delete("usage", caller=VIEWER)
def clear_usage(viewer: Viewer) -> None:
    """Clear the viewer's whole history."""
    bootstrap.usage().clear_history(viewer.watcher_id)


@app.get("usage/{id}", caller=VIEWER)
def get_title_usage(viewer: Viewer, id: TitleId) -> TitleUsage:
    """Return the viewer's state of a title: their position, whether it is on their list, and their rating."""
    from functions.usage.schemas import TitleUsage

    return TitleUsage.of(bootstrap.usage().title_state(viewer.watcher_id, id))


@app.delete("usage/{id}", caller=VIEWER)
def clear_title_usage(viewer: Viewer, id: TitleId) -> None:
    """Remove a title from the viewer's history."""
    bootstrap.usage().clear_view(viewer.watcher_id, id)


@app.get("list", caller=VIEWER, raises=[Forbidden, NotFound])
def get_list(viewer: Viewer, query: MarkQuery) -> WatchListPage:
    """Return a page of the viewer's watch list, latest first.

    A profile with an age limit gets only titles that it may play.
    """
    from functions.usage.schemas import WatchListPage

    watcher_id = _watcher(viewer, query.profile)
    page = bootstrap.usage().watch_list(watcher_id, age_limit=viewer.age_limit, cursor=query.cursor, limit=query.limit)
    return WatchListPage.of(page)


@app.put("list/{id}", caller=VIEWER, raises=[ListFull])
def add_to_list(viewer: Viewer, id: TitleId) -> None:
    """Put a title on the viewer's watch list."""
    bootstrap.usage().list_title(viewer.watcher_id, id)


@app.delete("list/{id}", caller=VIEWER)
def remove_from_list(viewer: Viewer, id: TitleId) -> None:
    """Remove a title from the viewer's watch list."""
    bootstrap.usage().unlist_title(viewer.watcher_id, id)


@app.get("ratings", caller=VIEWER, raises=[Forbidden, NotFound])
def list_ratings(viewer: Viewer, query: MarkQuery) -> RatingPage:
    """Return a page of the viewer's ratings, latest first.

    A profile with an age limit gets only titles that it may play.
    """
    from functions.usage.schemas import RatingPage

    watcher_id = _watcher(viewer, query.profile)
    page = bootstrap.usage().ratings(watcher_id, age_limit=viewer.age_limit, cursor=query.cursor, limit=query.limit)
    return RatingPage.of(page)


@app.put("ratings/{id}", caller=VIEWER, raises=[NotFound])
def rate_title(viewer: Viewer, id: TitleId, body: RatingRequest) -> None:
    """Store the viewer's rating of a title."""
    bootstrap.usage().rate_title(viewer.watcher_id, id, body.rating)


@app.delete("ratings/{id}", caller=VIEWER)
def unrate_title(viewer: Viewer, id: TitleId) -> None:
    """Remove the viewer's rating of a title."""
    bootstrap.usage().unrate_title(viewer.watcher_id, id)


@app.get("reports/viewing", caller=OWNER)
def report_viewing(query: ViewingQuery) -> ViewingReport:
    """Return what all viewers together watched on each of the last days, and how well it played."""
    from functions.usage.schemas import ViewingReport

    return ViewingReport.of(bootstrap.usage().viewing(query.days))


def _watcher(viewer: Viewer, profile_id: str) -> str:
    """Return the id under which a profile's usage is stored; "" is the viewer's profile. Raises Forbidden, NotFound."""
    return bootstrap.accounts().profiles.watcher_of(viewer, profile_id) if profile_id else viewer.watcher_id
