"""The HTTP functions of profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.accounts.triggers import origin_of
from functions.platform.errors import (
    Busy,
    Conflict,
    NotFound,
    PinRequired,
    TooManyAttempts,
    WrongPassword,
    WrongPin,
)
from functions.platform.http import bearer
from functions.platform.triggers import VIEWER, SliceApp

if TYPE_CHECKING:
    import azure.functions as func

    from functions.accounts.model import Session
    from functions.accounts.profile_schemas import (
        ProfileChoice,
        ProfileEntry,
        ProfileForm,
        ProfileList,
        ProfileRemoval,
    )
    from functions.platform.field_types import ProfileId
    from functions.platform.viewer import Viewer

app = SliceApp(bootstrap, "functions.accounts.profile_schemas")


@app.get("profiles", caller=VIEWER)
def list_profiles(viewer: Viewer) -> ProfileList:
    """Return the profiles of the viewer's account, and which of them the session uses."""
    from functions.accounts.profile_schemas import ProfileList

    return ProfileList.of(bootstrap.accounts().profiles.overview(viewer))


@app.post("profiles", caller=VIEWER, status=201, raises=(WrongPassword, WrongPin, Conflict, TooManyAttempts, Busy))
def add_profile(request: func.HttpRequest, session: Session, body: ProfileForm) -> ProfileEntry:
    """Add a profile to the account."""
    from functions.accounts.profile_schemas import ProfileEntry

    profiles, origin = bootstrap.accounts().profiles, origin_of(request)
    return ProfileEntry.of(profiles.add(session, body.change(), body.proof(), origin))


@app.put("profiles/{id}", caller=VIEWER, raises=(WrongPassword, WrongPin, NotFound, TooManyAttempts, Busy))
def edit_profile(request: func.HttpRequest, session: Session, id: ProfileId, body: ProfileForm) -> ProfileEntry:
    """Change a profile of the account; a new limit applies at once on every device."""
    from functions.accounts.profile_schemas import ProfileEntry

    profiles, origin = bootstrap.accounts().profiles, origin_of(request)
    return ProfileEntry.of(profiles.edit(session, id, body.change(), body.proof(), origin))


@app.delete("profiles/{id}", caller=VIEWER, raises=(WrongPassword, WrongPin, NotFound, Conflict, TooManyAttempts, Busy))
def delete_profile(request: func.HttpRequest, session: Session, id: ProfileId, body: ProfileRemoval) -> None:
    """Delete a profile and its history, list and ratings; its other devices are logged out."""
    bootstrap.accounts().profiles.remove(bearer(request), session, id, body.proof(), origin_of(request))


@app.put("sessions/profile", caller=VIEWER, raises=(PinRequired, WrongPin, NotFound, TooManyAttempts, Busy))
def choose_profile(request: func.HttpRequest, session: Session, body: ProfileChoice) -> ProfileEntry:
    """Let this session use another profile of the account."""
    from functions.accounts.profile_schemas import ProfileEntry

    profiles = bootstrap.accounts().profiles
    return ProfileEntry.of(profiles.switch(bearer(request), session, body.profile_id, body.pin or ""))
