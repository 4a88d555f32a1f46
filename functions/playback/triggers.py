"""The HTTP functions of playback: open a title for a viewer, and return playlists to native HLS players."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.errors import EntitlementRequired, NotPlayable
from functions.platform.http import Text
from functions.platform.triggers import SIGNED, VIEWER, SliceApp

if TYPE_CHECKING:
    from functions.platform.field_types import TitleId
    from functions.platform.viewer import Viewer
    from functions.playback.schemas import OpenPlayback, PlaybackOpened, PlaylistName, Ticket

app = SliceApp(bootstrap, "functions.playback.schemas")


@app.post("titles/{id}/playback", caller=VIEWER, raises=[EntitlementRequired, NotPlayable])
def open_playback(id: TitleId, body: OpenPlayback, viewer: Viewer) -> PlaybackOpened:
    """Return a title's addresses and the key for reading them; a player that renews its key sends its usage ticket."""
    from functions.playback.schemas import PlaybackOpened

    service = bootstrap.playback().service
    return PlaybackOpened.of(service.open_title(id, viewer, body.usage_ticket or ""))


@app.get("hls/{ticket}/{playlist}", caller=SIGNED, media_type="application/vnd.apple.mpegurl")
def hls_playlist(ticket: Ticket, playlist: PlaylistName) -> Text:
    """Return a playlist whose addresses contain the key; the ticket in the URL authorises the request."""
    return Text(bootstrap.playback().playlists.read(ticket, playlist))
