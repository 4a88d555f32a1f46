"""The HTTP functions of playback: titles, positions, licences of downloads, streams, playlists for native players."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.errors import (
    AgeLimited,
    EntitlementRequired,
    NotFound,
    NotPlayable,
    StreamStopped,
    TooManyAttempts,
    TooManyStreams,
)
from functions.platform.http import File, Text, client_of
from functions.platform.triggers import ANYONE, OWNER, SIGNED, VIEWER, SliceApp

if TYPE_CHECKING:
    import azure.functions as func

    from functions.accounts.model import Session
    from functions.platform.field_types import TitleId
    from functions.platform.viewer import Viewer
    from functions.playback.model import Device
    from functions.playback.schemas import (
        FilmParts,
        Licence,
        OpenPlayback,
        OpenStreams,
        PlaybackOpened,
        PlaylistName,
        PositionRequest,
        PreviewOpened,
        StreamId,
        StreamLeft,
        Ticket,
    )

app = SliceApp(bootstrap, "functions.playback.schemas")


@app.post(
    "titles/{id}/playback",
    caller=VIEWER,
    raises=[EntitlementRequired, AgeLimited, NotPlayable, TooManyStreams, StreamStopped],
)
def open_playback(request: func.HttpRequest, id: TitleId, body: OpenPlayback, session: Session) -> PlaybackOpened:
    """Return a title's addresses and the key for reading them; a page that renews its key sends its tickets."""
    from functions.playback.schemas import PlaybackOpened

    opened = bootstrap.playback().service.open_title(
        id,
        session.viewer,
        _device(request, session),
        ticket=body.usage_ticket or "",
        stream_ticket=body.stream_ticket or "",
        download=body.download,
    )
    return PlaybackOpened.of(opened)


@app.post("titles/{id}/trailer", caller=ANYONE, raises=[AgeLimited, NotFound, TooManyAttempts])
def open_trailer(request: func.HttpRequest, id: TitleId, viewer: Viewer | None) -> PlaybackOpened:
    """Return the addresses of a title's trailer and the key for reading it, whether somebody is logged in or not.

    The key permits nothing but the trailer. The name is that of the title.
    """
    from functions.playback.schemas import PlaybackOpened

    if viewer is None:
        settings = bootstrap.resources.settings()
        bootstrap.accounts().admit_guest(client_of(request, settings.front_hops).ip)
    return PlaybackOpened.of(bootstrap.playback().service.open_trailer(id, viewer))


@app.get("titles/{id}/licence", caller=VIEWER, raises=[EntitlementRequired, AgeLimited, NotPlayable])
def renew_licence(id: TitleId, viewer: Viewer) -> Licence:
    """Return until when a device of the viewer may play its download of a title."""
    from functions.playback.schemas import Licence

    return Licence(bootstrap.playback().service.licence_of(id, viewer))


@app.post("titles/{id}/playback/position", caller=SIGNED, raises=[TooManyAttempts])
def request_position(id: TitleId, body: PositionRequest) -> FilmParts:
    """Return the parts of a growing film that can be watched; a position that is in none of them is encoded next.

    The stream's ticket authorises the request. A player repeats the request until a part has its position.
    """
    from functions.playback.schemas import FilmParts

    positions = bootstrap.playback().positions
    return FilmParts.of(positions.request_position(id, body.job_id, body.position_s, stream_ticket=body.stream_ticket))


@app.get("titles/{id}/preview", caller=OWNER, raises=[NotPlayable])
def preview_title(id: TitleId) -> PreviewOpened:
    """Return the address of a title's film and the key for reading it, to show pictures of the film in the Studio."""
    from functions.playback.schemas import PreviewOpened

    return PreviewOpened.of(bootstrap.playback().service.preview_title(id))


@app.get("streams", caller=VIEWER)
def list_streams(request: func.HttpRequest, session: Session) -> OpenStreams:
    """Return what the account plays at the moment, and on which devices."""
    from functions.playback.schemas import OpenStreams

    streams = bootstrap.playback().streams
    found = streams.list_streams(session.viewer.user_id)
    return OpenStreams.of(found, streams.limit, _device(request, session))


@app.delete("streams/{id}", caller=VIEWER, raises=[NotFound])
def stop_stream(request: func.HttpRequest, id: StreamId, session: Session) -> None:
    """Stop a stream of the account: its player gets no new key, and shows that it was stopped."""
    bootstrap.playback().streams.stop(session.viewer.user_id, id, by=_device(request, session))


@app.post("streams/left", caller=SIGNED, any_media_type=True)
def leave_stream(body: StreamLeft) -> None:
    """End the stream of a page that was closed, so that it no longer counts towards the limit of the account."""
    bootstrap.playback().streams.leave(body.stream_ticket)


@app.get("hls/{ticket}/{playlist}", caller=SIGNED, media_type="application/vnd.apple.mpegurl")
def hls_playlist(ticket: Ticket, playlist: PlaylistName) -> Text:
    """Return a playlist whose addresses contain the key; the ticket in the URL authorises the request."""
    return Text(bootstrap.playback().playlists.read(ticket, playlist))


@app.get("film-keys/{ticket}", caller=SIGNED, media_type="application/octet-stream")
def film_key(ticket: Ticket) -> File:
    """Return the key of an encrypted film to a native player; the ticket of its playlists authorises the request."""
    return File(bootstrap.playback().playlists.read_key(ticket), "film.key")


def _device(request: func.HttpRequest, session: Session) -> Device:
    from functions.platform.browsers import browser_of
    from functions.playback.model import Device

    client = client_of(request, bootstrap.resources.settings().front_hops)
    return Device(session.session_id, browser_of(client.user_agent))
