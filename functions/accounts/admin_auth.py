"""Authentication of the owner: a script with the operator's key, or a logged-in administrator.

The routes need no host key: if they did, the Functions host would reject administrators before any of our code runs.
Verifying the operator's key requires no store, so the owner has access while Redis or MySQL is unreachable.
"""

from __future__ import annotations

import hmac
import logging
from typing import TYPE_CHECKING

from functions.platform.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.platform.viewer import Viewer

log = logging.getLogger(__name__)

KEY_CHARACTERS = 32
"""The minimum length of an operator's key: 128 bits if it is written in hexadecimal."""

OPERATOR = "operator"


class AdminAuth:
    """Admits callers with the operator's key or an administrator's session.

    `administrator` returns the administrator to whom a session token belongs, or raises Unauthenticated or Forbidden.
    """

    def __init__(self, operator_key: str, administrator: Callable[[str], Viewer]) -> None:
        self._key = operator_key.encode()
        self._administrator = administrator

    def admit(self, session: str, key: str) -> str:
        """Return the id under which the call is recorded: the administrator's user id, or OPERATOR.

        Raises Unauthenticated for a wrong key, for an expired session, or without key and session; Forbidden for a
        viewer's session. A wrong key is refused even together with a valid session.
        """
        if key:
            if len(self._key) < KEY_CHARACTERS:
                log.error("OPERATOR_KEY is missing or shorter than %d characters: no key is accepted.", KEY_CHARACTERS)
            elif hmac.compare_digest(key.encode("utf-8", "surrogatepass"), self._key):
                return OPERATOR
            raise Unauthenticated("The operator's key in x-operator-key is wrong.")
        if not session:
            raise Unauthenticated("Log in as an administrator, or send the operator's key in x-operator-key.")
        return self._administrator(session).user_id
