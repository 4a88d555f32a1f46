"""The set-up of this copy for its owner: what is configured, and tests that query the services themselves.

Nothing here returns the value of a setting. A test ends with a sentence about what happened, even if it failed.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions.platform.errors import NotflixError, TooManyAttempts
from functions.platform.finding import Finding
from functions.platform.signed_tokens import WeakKey
from functions.platform.time import wait_text
from functions.setup.model import Part, PartOverview, overview_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.platform.settings import Settings
    from functions.setup.ports import PauseStore

log = logging.getLogger(__name__)

PAUSE_S = 10
MAIL_PAUSE_S = 60
"""The minimum time between two tests of a service; longer for emails, because each one reaches an inbox."""


class Setup:
    """The parts of the set-up. `tests` has a function for each part, called with the id of the owner who tests it."""

    def __init__(self, settings: Settings, tests: Mapping[Part, Callable[[str], Finding]], pauses: PauseStore) -> None:
        self._settings = settings
        self._tests = tests
        self._pauses = pauses

    def overview(self) -> tuple[PartOverview, ...]:
        """Return the state of every part."""
        return tuple(overview_of(part, self._settings) for part in Part)

    def test(self, part: Part, *, by: str) -> Finding:
        """Query the service of a part and return what happened.

        Raises TooManyAttempts if the part was tested a moment ago, and StoreUnavailable.
        """
        missing = overview_of(part, self._settings).missing
        if missing:
            names = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
            return Finding(False, f"There is nothing to test until you set {names}.")
        wait_s = self._pauses.begin_test(part, pause_s=MAIL_PAUSE_S if part is Part.MAIL else PAUSE_S)
        if wait_s:
            raise TooManyAttempts(f"This was tested a moment ago. Try again in {wait_text(wait_s)}.", wait_s)
        try:
            found = self._tests[part](by)
        except (NotflixError, WeakKey) as error:
            found = Finding(False, str(error))
        log.info("%s was tested by %s: it %s.", part, by, "works" if found.works else "does not work")
        return found
