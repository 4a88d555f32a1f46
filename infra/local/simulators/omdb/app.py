"""The simulator's responses, with the same structure and texts as the real OMDb.

`POST /simulate?fault=NAME` makes all requests fail in one way until `fault=none`: `key`, `quota`, `slow`, `500`,
`garbage`, or `down`, the answer of the proxy in front of OMDb when OMDb itself does not answer.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from infra.local.simulators.omdb.posters import draw_poster

if TYPE_CHECKING:
    from starlette.requests import Request

KEY = "local"
"""The API key that the simulator accepts by default."""

FAULTS = ("none", "key", "quota", "slow", "500", "garbage", "down")
SLOW_S = 30.0
PAGE = 10
"""How many results of a search OMDb returns at once."""

_DEFAULTS = {"Metascore": "N/A", "imdbRating": "N/A", "imdbVotes": "N/A", "Ratings": [], "Response": "True"}


class OmdbSimulator:
    """OMDb for the films of `titles.json`."""

    def __init__(self, *, key: str = KEY, fault: str = "none") -> None:
        self._key = key
        self._fault = fault
        text = Path(__file__).with_name("titles.json").read_text(encoding="utf-8")
        self._films: list[dict[str, Any]] = json.loads(text)

    def app(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/", self._ask, methods=["GET"]),
                Route("/posters/{name}.jpg", self._poster, methods=["GET"]),
                Route("/simulate", self._set_fault, methods=["POST"]),
            ]
        )

    async def _ask(self, request: Request) -> Response:
        asked = request.query_params
        if self._fault == "slow":
            await asyncio.sleep(SLOW_S)
        if self._fault == "500":
            return PlainTextResponse("The service is unavailable.", status_code=500)
        if self._fault == "down":  # Cloudflare: "522: connection timed out", for clients that do not ask for HTML
            return PlainTextResponse("error code: 522", status_code=522)
        if self._fault == "garbage":
            return Response("<!doctype html><title>Just a moment</title>", media_type="text/html")
        if self._fault == "quota":
            return _failure("Request limit reached!", status=401)
        if self._fault == "key" or asked.get("apikey") != self._key:
            return _failure("Invalid API key!" if asked.get("apikey") else "No API key provided.", status=401)
        if "i" in asked:
            found = [film for film in self._films if film["imdbID"] == asked["i"] != "N/A"]
            return self._film(request, found, "Incorrect IMDb ID.")
        if "t" in asked:
            return self._film(request, self._by_name(asked["t"], asked.get("y"), asked.get("type")), None)
        if "s" in asked:
            return self._search(asked["s"], asked.get("y"))
        return _failure("Something went wrong.")

    def _search(self, words: str, year: str | None) -> Response:
        """Answer with the films whose names contain the words; OMDb refuses one or two letters as too many results."""
        text = words.strip().casefold()
        if len(text) < 3:
            return _failure("Too many results.")
        found = [
            {**{name: film[name] for name in ("Title", "Year", "imdbID", "Type")}, "Poster": "N/A"}
            for film in self._films
            if text in film["Title"].casefold() and (not year or film["Year"][:4] == year) and film["imdbID"] != "N/A"
        ]
        if not found:
            return _failure("Movie not found!")
        return JSONResponse({"Search": found[:PAGE], "totalResults": str(len(found)), "Response": "True"})

    def _by_name(self, name: str, year: str | None, kind: str | None) -> list[dict[str, Any]]:
        return [
            film
            for film in self._films
            if film["Title"].casefold() == name.strip().casefold()
            and (not year or film["Year"][:4] == year)
            and (not kind or film["Type"] == kind)
        ]

    def _film(self, request: Request, found: list[dict[str, Any]], error: str | None) -> Response:
        if not found:
            kind = "Series" if request.query_params.get("type") == "series" else "Movie"
            return _failure(error or f"{kind} not found!")
        film = found[0]
        poster = request.url_for("_poster", name=f"{self._films.index(film)}")
        return JSONResponse({**_DEFAULTS, **film, "Poster": str(poster)})

    async def _poster(self, request: Request) -> Response:
        name = request.path_params["name"]
        if not name.isdecimal() or int(name) >= len(self._films):
            return PlainTextResponse("There is no such poster.", status_code=404)
        film = self._films[int(name)]
        jpeg = await run_in_threadpool(draw_poster, film["Title"], film["Year"])
        return Response(jpeg, media_type="image/jpeg")

    async def _set_fault(self, request: Request) -> Response:
        fault = request.query_params.get("fault", "")
        if fault not in FAULTS:
            return PlainTextResponse(f"fault must be one of {', '.join(FAULTS)}.", status_code=422)
        self._fault = fault
        return Response(status_code=204)


def _failure(error: str, *, status: int = 200) -> Response:
    return JSONResponse({"Response": "False", "Error": error}, status_code=status)
