"""The HTTP functions that open a title for a viewer, and return playlists to native HLS players."""

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
    """Return what plays a title and the key to read it with; a player that renews its key sends its usage ticket."""
    from functions.playback.schemas import PlaybackOpened

    service = bootstrap.playback().service
    return PlaybackOpened.of(service.open_title(id, viewer, body.usage_ticket or ""))


@app.get("hls/{ticket}/{playlist}", caller=SIGNED, media_type="application/vnd.apple.mpegurl")
def hls_playlist(ticket: Ticket, playlist: PlaylistName) -> Text:
    """Return a playlist whose addresses carry the key; the ticket in the address is the proof."""
    return Text(bootstrap.playback().playlists.read(ticket, playlist))
