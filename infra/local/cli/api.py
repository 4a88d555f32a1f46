"""The admin calls of the command line to the running API app."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from infra.local.stores.home import CannotRun, Home

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Api:
    """The running product, by its endpoints."""

    endpoints: Mapping[str, str]

    @classmethod
    def of(cls, home: Home) -> Self:
        """Return the product of `home`; raise CannotRun if it does not run."""
        try:
            return cls(json.loads(home.endpoints_file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise CannotRun("Notflix is not running; start it with `./notflix up`.") from None

    def get(self, path: str) -> Any:
        """Return what GET answers; raise CannotRun with the API's own sentence if it refuses."""
        return self._call("GET", path, None)

    def find(self, path: str) -> Any:
        """Return what GET answers, None if there is no such thing."""
        return self._call("GET", path, None, none_if_missing=True)

    def post(self, path: str, body: object) -> Any:
        """Return what POST answers; raise CannotRun with the API's own sentence if it refuses."""
        return self._call("POST", path, body)

    def delete(self, path: str) -> None:
        """Have something deleted; raise CannotRun with the API's own sentence if it refuses."""
        self._call("DELETE", path, None)

    def watch_address(self, title_id: str) -> str:
        """Return where a person watches the title."""
        return f"{self.endpoints['site']}/watch.html?id={title_id}"

    def _call(self, method: str, path: str, body: object, *, none_if_missing: bool = False) -> Any:
        import requests

        url = self.endpoints["api"] + path
        headers = {"x-operator-key": self.endpoints["api_key"]}
        try:
            answer = requests.request(method, url, json=body, headers=headers, timeout=TIMEOUT_S)
        except requests.RequestException as error:
            raise CannotRun(f"{url} does not answer ({error}); look at `./notflix status`.") from None
        if none_if_missing and answer.status_code == 404:
            return None
        try:
            told = answer.json()
        except ValueError:
            told = {}
        if not answer.ok:
            raise CannotRun(
                told.get("detail") or f"{method} {url} answered {answer.status_code}; see `./notflix logs api`."
            )
        return told
