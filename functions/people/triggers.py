"""The functions of people: HTTP routes for the owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap, bootstrap_studio
from functions.platform.errors import Conflict, NotFound
from functions.platform.triggers import OWNER, SliceApp

if TYPE_CHECKING:
    from functions.people.schemas import PersonFound, PersonSearch
    from functions.platform.field_types import UserId

app = SliceApp(bootstrap, "functions.people.schemas")


@app.post("people/search", caller=OWNER, raises=[NotFound], changes=False)
def find_person(body: PersonSearch) -> PersonFound:
    """Return the account of an email address, with its access and its subscription."""
    from functions.people.schemas import PersonFound

    return PersonFound.of(bootstrap_studio.people().find(body.email), bootstrap.resources.now())


@app.delete("people/{id}/sessions", caller=OWNER)
def end_sessions(id: UserId, owner: str) -> None:
    """Log an account out on all devices."""
    bootstrap_studio.people().end_sessions(id, by=owner)


@app.delete("people/{id}", caller=OWNER, raises=[Conflict])
def erase_person(id: UserId, owner: str) -> None:
    """Delete an account with its data, and cancel its subscription; 409 for an administrator's account."""
    bootstrap_studio.people().erase(id, by=owner)
