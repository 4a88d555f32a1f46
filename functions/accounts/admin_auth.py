"""Who may do what is the owner's: a script with the operator's key, or an administrator who is logged in.

The routes are open at the Functions host, since a key of the host would shut out administrators before any of our code
runs; each of them asks here first. The key alone needs no store, so the owner gets in while Redis or MySQL is away.
"""

from __future__ import annotations

import hmac
import logging
from typing import TYPE_CHECKING

from functions.platform.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.accounts.model import Viewer

log = logging.getLogger(__name__)

KEY_CHARACTERS = 32
"""The least an operator's key may have: 128 bits where it is written in hexadecimal."""

OPERATOR = "operator"


class Owners:
    """Lets in whoever shows the operator's key or an administrator's session; `administrator` looks a session up."""

    def __init__(self, operator_key: str, administrator: Callable[[str], Viewer]) -> None:
        self._key = operator_key.encode()
        self._administrator = administrator

    def admit(self, session: str, key: str) -> str:
        """Return who it is, for records: the administrator's user id, or OPERATOR.

        Raise Unauthenticated for a wrong key, an ended session or neither, Forbidden for a viewer's session. A key that
        is shown must be right, whatever session comes with it.
        """
        if key:
            if len(self._key) < KEY_CHARACTERS:
                log.error("OPERATOR_KEY is missing or shorter than %d characters, so no key is right.", KEY_CHARACTERS)
            elif hmac.compare_digest(key.encode("utf-8", "surrogatepass"), self._key):
                return OPERATOR
            raise Unauthenticated("The operator's key in x-operator-key is not right.")
        if not session:
            raise Unauthenticated("Only the owner may do this: log in as an administrator, or send x-operator-key.")
        return self._administrator(session).user_id
