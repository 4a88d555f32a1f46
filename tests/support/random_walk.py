"""A walk of random actions through a running product in Chromium, in which every page must stay sound.

The actions follow from the seed and from what the pages offer. The control is chosen whose name, hashed with
seed and step, has the smallest value, so a control that appears earlier or later in another run changes few choices.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Error, TimeoutError

from tests.support.page_state import Traffic, element_of, settled
from tests.support.pages import PATIENCE_MS, is_complaint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, ElementHandle, FileChooser, Page, Response

    from tests.support.page_state import Control, PageState
    from tests.support.random_people import Cast

SIZES = ((390, 844), (820, 1180), (1440, 900))
CLICK_MS = 30_000
KEYS = (*("Escape", "Tab", "Shift+Tab", "Enter", " ", "ArrowLeft", "ArrowRight", "Home"), *("k", "m", "c", "?", "5"))
TEXTS = ("", "a", "sea", "Évening  ", "<b>bold</b> & “quotes”", "日本語の映画", "wide" * 40, "12", "0", "-1", "9999999")
GONE = ("not attached to the DOM", "Execution context was destroyed", "Cannot find context", "JSHandle is disposed")
"""What Playwright says about an element that the page has replaced, or whose page has been left."""

DAYS = ("2020-01-31", "2031-12-31")
WEIGHTS = {
    "click": 60,
    "type": 14,
    "key": 5,
    "history": 6,
    "resize": 3,
    "visit": 7,
    "become": 4,
    "subscribe": 1,
}
"""How often each kind of action is chosen, in percent."""

ROLES = ("guest", "viewer", "subscriber", "administrator", "administrator")


@dataclass(frozen=True, slots=True)
class Service:
    """The product under test: the addresses of its services, the pages to visit, and the files to upload."""

    endpoints: Mapping[str, str]
    pages: Sequence[str]
    files: Sequence[Path]

    @property
    def site(self) -> str:
        """Return the address of the site."""
        return self.endpoints["site"]

    def is_ours(self, address: str) -> bool:
        """Return whether an address belongs to the site, or to PayPal's simulator, in which viewers pay."""
        return address.startswith((f"{self.site}/", f"{self.endpoints['paypal']}/"))


@dataclass
class Walk:
    """A walk in a new browser profile; `trace` are its actions as sentences, `faults` what is wrong since the last."""

    seed: int
    service: Service
    cast: Cast
    page: Page
    trace: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)
    opened: dict[str, str] = field(default_factory=dict)
    """The tokens of the sessions for which the API has opened titles for playback, by title."""

    @classmethod
    def begin(cls, browser: Browser, service: Service, cast: Cast, seed: int) -> Walk:
        """Open the home page in a new profile, as a guest."""
        width, height = Random(seed).choice(SIZES)
        context = browser.new_context(viewport={"width": width, "height": height}, has_touch=bool(seed % 2))
        context.set_default_timeout(PATIENCE_MS)
        walk = cls(seed, service, cast, context.new_page())
        walk._listen(context)
        walk.page.goto(service.site)
        walk.trace.append(f"open the home page, {width} px wide")
        return walk

    def close(self) -> None:
        """Close the browser profile."""
        self.page.context.close()

    def go(self, actions: int) -> None:
        """Do random actions; raise AssertionError with the trace as soon as something is wrong."""
        traffic = Traffic.of(self.page)
        state = self._checked(settled(self.page, traffic))
        for step in range(actions):
            self._act(state, step, Random(f"{self.seed}/{step}"))
            state = self._checked(settled(self.page, traffic))

    # Invariants

    def _listen(self, context: BrowserContext) -> None:
        devtools = context.new_cdp_session(self.page)
        devtools.send("WebAuthn.enable")
        agreeing = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        options = {**agreeing, "isUserVerified": True, "automaticPresenceSimulation": True}
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        page = self.page
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.faults.append(f"a script failed: {error}"))
        page.on("response", self._see)
        page.on("filechooser", self._choose_file)
        page.on("dialog", lambda dialog: dialog.accept())
        context.on("page", lambda other: other.close())

    def _hear(self, message: ConsoleMessage) -> None:
        if is_complaint(message):
            self.faults.append(f"console: {message.text}")

    def _see(self, response: Response) -> None:
        request, parts = response.request, urlsplit(response.url)
        if response.status >= 500:
            self.faults.append(f"{request.method} {parts.path} is answered with {response.status}")
        if parts.path.endswith("/playback") and request.method == "POST" and response.ok:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            self.opened[parts.path.split("/")[-2]] = token

    def _checked(self, state: PageState) -> PageState:
        """Return the state of the page if everything about it is right, otherwise raise AssertionError."""
        self.faults += state.faults()
        if state.played_s:
            self._check_player(state)
        if self.faults:
            lines = "\n".join(f"{number:4} {line}" for number, line in enumerate(self.trace))
            raise AssertionError(f"seed {self.seed}, {state.address}:\n{'\n'.join(self.faults)}\nafter\n{lines}")
        return state

    def _check_player(self, state: PageState) -> None:
        """Check that the API has opened the film that plays, for somebody who has paid or been given access."""
        title = parse_qs(urlsplit(state.address).query).get("id", [""])[0]
        if title not in self.opened:
            self.faults.append("a film plays that the API has not opened")
        elif not self.cast.may_watch(self.opened[title]):
            self.faults.append("a film plays for somebody who has neither paid nor been given access")

    # Actions

    def _act(self, state: PageState, step: int, random: Random) -> None:
        """Do one action; an action that the page does not offer any more is left out."""
        [kind] = random.choices(list(WEIGHTS), list(WEIGHTS.values()))
        fields = [control for control in state.controls if control.kind == "text"]
        usable = [control for control in state.controls if control.kind != "text" and self._is_usable(control)]
        if kind == "type" and fields:
            self._type(self._chosen(fields, state, step), random)
        elif kind in ("click", "type") and usable:
            self._use(self._chosen(usable, state, step), random)
        elif kind == "key":
            self._say(f"press {(key := random.choice(KEYS))!r}")
            self.page.keyboard.press(key)
        elif kind == "history":
            self._travel(random.choice(("back", "forward", "reload")))
        elif kind == "resize":
            width, height = random.choice(SIZES)
            self._say(f"make the window {width} px wide")
            self.page.set_viewport_size({"width": width, "height": height})
        elif kind == "become":
            self._become(random.choice(ROLES))
        elif kind == "subscribe":
            self._subscribe()
        else:
            self._visit(random.choice(self.service.pages))

    def _say(self, action: str) -> None:
        self.trace.append(action)

    def _is_usable(self, control: Control) -> bool:
        return control.kind != "link" or self.service.is_ours(control.href)

    def _chosen(self, controls: Sequence[Control], state: PageState, step: int) -> Control:
        """Return a control of the page; those that the walk has used least are chosen more often."""

        def score(control: Control) -> float:
            text = f"{self.seed}/{step}/{control.key}".encode()
            chance = int.from_bytes(hashlib.sha256(text).digest()[:6]) / 2**48
            return chance * (1 + self.used[f"{state.path} {control.key}"])

        best = min(controls, key=score)
        self.used[f"{state.path} {best.key}"] += 1
        return best

    def _use(self, control: Control, random: Random) -> None:
        """Click a control, or choose one of its values."""
        self._say(f"use {control.key} on {urlsplit(self.page.url).path}")
        if not (element := self._element(control)):
            return
        with unless_gone():
            if control.kind == "select" and control.options:
                element.select_option(random.choice(control.options))
            elif control.kind == "range" and (box := element.bounding_box()):
                element.click(position={"x": box["width"] * random.random(), "y": box["height"] / 2}, timeout=CLICK_MS)
            else:
                self._click(element, control)

    def _click(self, element: ElementHandle, control: Control) -> None:
        if "/watch.html" in self.page.url:
            self.page.mouse.move(100, 200)  # the player's controls appear when the mouse moves
            self.page.mouse.move(110, 210)
        try:
            element.click(timeout=CLICK_MS)
        except TimeoutError as error:
            still_there = element.evaluate("element => element.isConnected && element.checkVisibility()")
            if still_there:
                self.faults.append(f"{control.key} is visible but cannot be clicked: {_reason(error)}")

    def _type(self, control: Control, random: Random) -> None:
        text = random.choice(list(self._texts(control)))
        self._say(f"type {text[:30]!r} into {control.key} on {urlsplit(self.page.url).path}")
        if element := self._element(control):
            with unless_gone():
                element.fill(text, timeout=CLICK_MS)
                if random.random() < 0.4:
                    self._say("press Enter")
                    element.press("Enter")

    def _texts(self, control: Control) -> Iterable[str]:
        """Return texts for a field; those that lead further are more frequent."""
        emails = [email for role in ("viewer", "subscriber") if (email := self.cast.email_of(role))]
        if control.type == "email":
            return (*emails, *emails, f"walk-{self.seed}@example.org", "nobody@example", "")
        if control.type == "password":
            return ("correct horse battery staple", "correct horse battery staple", "wrong horse battery", "short")
        return DAYS if control.type == "date" else TEXTS

    def _element(self, control: Control) -> ElementHandle | None:
        try:
            return element_of(self.page, control)
        except Error:  # the page is being left
            return None

    def _travel(self, how: str) -> None:
        self._say(f"go {how}" if how != "reload" else how)
        self._load({"back": self.page.go_back, "forward": self.page.go_forward, "reload": self.page.reload}[how])
        if not self.page.url.startswith("http"):
            self._visit("/")

    def _visit(self, path: str) -> None:
        self._say(f"visit {path}")
        self._load(lambda: self.page.goto(self.service.site + path))

    def _load(self, load: Callable[[], object]) -> None:
        """Load another document; the page itself may be on its way to one, which then wins or loses."""
        try:
            load()
        except Error as error:
            if not any(reason in str(error) for reason in ("interrupted by another navigation", "ERR_ABORTED")):
                raise

    def _become(self, role: str) -> None:
        """Log out, and log in as another person, whose session is put into the browser's storage."""
        self._say(f"become a {role}")
        session = "" if role == "guest" else json.dumps(dict(self.cast.logged_in(role).session))
        if not self.page.url.startswith(self.service.site):
            self._load(lambda: self.page.goto(f"{self.service.site}/404.html"))
        self.page.evaluate(
            "session => { for (const store of [sessionStorage, localStorage]) store.removeItem('notflix.session');"
            " if (session) localStorage.setItem('notflix.session', session); }",
            session,
        )
        self._visit("/studio.html" if role == "administrator" else "/")

    def _subscribe(self) -> None:
        """As the viewer who has no access, choose a plan, and go to PayPal's page that asks for approval."""
        self._become("viewer")
        self._visit("/plans.html")
        self._say("choose a plan")
        with suppress(TimeoutError):  # an owner may have retired all plans, and the viewer may have subscribed before
            self.page.get_by_role("button", name="Subscribe with PayPal").first.click(timeout=CLICK_MS)

    def _choose_file(self, chooser: FileChooser) -> None:
        number = len(self.trace) % len(self.service.files)
        chooser.set_files(self.service.files[number])


@contextmanager
def unless_gone() -> Iterator[None]:
    """Leave an action out if its element has gone since it was found: replaced, or with the page itself."""
    try:
        yield
    except Error as error:
        if not any(reason in str(error) for reason in GONE):
            raise


def _reason(error: Error) -> str:
    """Return the line of Playwright's log that says what covers the element; its last one if there is none."""
    lines = str(error).strip().splitlines()
    return next((line for line in reversed(lines) if "intercepts" in line), lines[-1]).strip(" -")
