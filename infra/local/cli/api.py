"""The admin calls of the command line to the API app, local or deployed.

`NOTFLIX_API` and `NOTFLIX_OPERATOR_KEY` are the address and the key of a deployed app; `NOTFLIX_SITE` is only printed.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from infra.local.home import CannotRun, Home

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Api:
    """The API of the product with these endpoints."""

    endpoints: Mapping[str, str]

    @classmethod
    def of(cls, home: Home, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the API in the environment, otherwise that of `home`; raise CannotRun if it is not running."""
        if deployed := environment.get("NOTFLIX_API"):
            return cls(_deployed(deployed, environment))
        try:
            return cls(json.loads(home.endpoints_file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise CannotRun("Notflix is not running; start it with `./notflix up`.") from None

    def get(self, path: str) -> Any:
        """Return the response to a GET request; raise CannotRun with the API's message if the API refuses it."""
        return self._call("GET", path, None)

    def find(self, path: str) -> Any:
        """Return the response to a GET request, or None if its status is 404."""
        return self._call("GET", path, None, none_if_missing=True)

    def post(self, path: str, body: object) -> Any:
        """Return the response to a POST request; raise CannotRun with the API's message if the API refuses it."""
        return self._call("POST", path, body)

    def put(self, path: str, body: object) -> Any:
        """Return the response to a PUT request; raise CannotRun with the API's message if the API refuses it."""
        return self._call("PUT", path, body)

    def delete(self, path: str) -> Any:
        """Return the response to a DELETE request; raise CannotRun with the API's message if the API refuses it."""
        return self._call("DELETE", path, None)

    def watch_address(self, title_id: str) -> str:
        """Return the address of the title's watch page."""
        return f"{self.endpoints.get('site', '')}/watch.html?id={title_id}"

    def trailer_address(self, title_id: str) -> str:
        """Return the address that plays the title's trailer."""
        return f"{self.watch_address(title_id)}&trailer"

    def _call(self, method: str, path: str, body: object, *, none_if_missing: bool = False) -> Any:
        import requests

        url = self.endpoints["api"] + path
        headers = {"x-operator-key": self.endpoints["api_key"]}
        try:
            answer = requests.request(method, url, json=body, headers=headers, timeout=TIMEOUT_S)
        except requests.RequestException as error:
            raise CannotRun(f"{url} does not answer ({error}); {self._look('status')}.") from None
        if none_if_missing and answer.status_code == 404:
            return None
        try:
            content = answer.json()
        except ValueError:
            content = {}
        if not answer.ok:
            raise CannotRun(
                content.get("detail") or f"{method} {url} answered {answer.status_code}; {self._look('logs api')}."
            )
        return content

    def _look(self, command: str) -> str:
        """Return the advice on where to find details of an error."""
        return "look at Application Insights" if "deployed" in self.endpoints else f"look at `./notflix {command}`"


def _deployed(address: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the endpoints of a deployed product; raise CannotRun if the key is missing or the address is not https."""
    key = environment.get("NOTFLIX_OPERATOR_KEY", "")
    if not key:
        raise CannotRun(
            f"NOTFLIX_API names {address}, which requires an operator key: set NOTFLIX_OPERATOR_KEY to the secret "
            "operator-key of the deployment's vault."
        )
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise CannotRun(f"NOTFLIX_API must be an https address, not {address!r}: the operator key is sent to it.")
    site = environment.get("NOTFLIX_SITE", "").rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    return {"api": origin, "api_key": key, "deployed": "yes", **({"site": site} if site else {})}
