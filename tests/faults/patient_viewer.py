"""A viewer of a product that may be failing, who repeats each request until it is acknowledged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

from tests.faults.patience import TIMEOUT_S, acknowledged, until
from tests.support.viewers import PASSWORD, as_owner

if TYPE_CHECKING:
    from collections.abc import Mapping

GRANTED_DAYS = 30
"""More than a clock jumps."""


class FromAddress(HTTPAdapter):
    """Sends requests from one of the loopback addresses, because the product limits registrations per network."""

    def __init__(self, number: int) -> None:
        self._source = (f"127.1.{number // 250 % 250}.{number % 250 + 1}", 0)
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """Create the connections."""
        super().init_poolmanager(*arguments, **named, source_address=self._source)


@dataclass
class PatientViewer:
    """A viewer on a network of their own; `network` is its number.

    After a request was acknowledged, `title_id` is the title that they have watched to its end and rated, and
    `has_left` is whether they have deleted the account.
    """

    endpoints: Mapping[str, str]
    email: str
    network: int
    user_id: str = ""
    title_id: str = ""
    has_left: bool = False
    _token: str = field(default="", repr=False)
    _http: requests.Session = field(default_factory=requests.Session, repr=False)

    def __post_init__(self) -> None:
        self._http.mount("http://", FromAddress(self.network))

    def register(self) -> None:
        """Create the account, and log in; 409 is the answer to a repetition whose first answer was lost."""
        credentials = {"email": self.email, "password": PASSWORD}
        answer = acknowledged(lambda: self.ask("POST", "accounts", credentials), what="a registration")
        assert answer.status_code in (201, 409), answer.text
        assert self.log_in(), f"{self.email} was registered, but cannot log in"

    def log_in(self) -> bool:
        """Log in; return whether the account and its password are accepted."""
        credentials = {"email": self.email, "password": PASSWORD}
        answer = acknowledged(lambda: self.ask("POST", "sessions", credentials), what="a login")
        if answer.ok:
            self.user_id, self._token = answer.json()["user_id"], answer.json()["token"]
        return answer.ok

    def watch(self, title_id: str) -> None:
        """Be given access, watch a title to its end, and rate it."""
        body = {"email": self.email, "days": GRANTED_DAYS}
        given = acknowledged(lambda: as_owner(self.endpoints, "POST", "grants", body), what="a grant")
        assert given.status_code == 201, given.text
        until(lambda: self._watched(title_id), what=f"a heartbeat for {title_id} is accepted")
        until(lambda: self.asked("PUT", f"ratings/{title_id}", {"rating": 1}).ok, what="a rating is accepted")
        self.title_id = title_id

    def leave(self) -> None:
        """Delete the account."""

        def is_gone() -> bool:
            answer = self.asked("DELETE", "me", {"password": PASSWORD})
            return answer.ok or not self._token  # the account of an earlier repetition is gone already

        until(is_gone, what=f"{self.email} is deleted")
        self.has_left = True

    def asked(self, method: str, path: str, body: object = None) -> requests.Response:
        """Repeat a request until it is acknowledged; log in before the next one if the session has ended.

        `_token` is empty afterwards if the account no longer exists.
        """
        answer = acknowledged(lambda: self.ask(method, path, body), what=f"{method} {path}")
        if answer.status_code == 401:
            self._token = ""
            self.log_in()
        return answer

    def ask(self, method: str, path: str, body: object = None) -> requests.Response:
        """Call the API once."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        address = f"{self.endpoints['api']}/api/{path}"
        return self._http.request(method, address, json=body, headers=headers, timeout=TIMEOUT_S)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _watched(self, title_id: str) -> bool:
        """Open a title and send the heartbeat of its end, as a player does; return whether it was accepted."""
        opened = self.asked("POST", f"titles/{title_id}/playback")
        if not opened.ok or not (ticket := opened.json()["usage_ticket"]):
            return False  # while a clock is wrong, access has not begun or has ended; usage may be unavailable
        duration_s = opened.json()["duration_s"]
        beat = {"ticket": ticket, "sequence": 1, "position_s": duration_s, "watched_s": duration_s}
        return acknowledged(lambda: self.ask("PUT", f"usage/{title_id}", beat), what="a heartbeat").ok
