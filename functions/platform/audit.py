"""Recording what owners do: each call of an owners' route that changes something.

The route's declaration determines whether its calls are recorded. A call is recorded twice, before it begins and after
it has ended, so a call that was interrupted is recorded too. If the first message is not accepted, nothing is changed.
The messages contain ids only: no address, no text and no secret of a request.
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any

from functions.platform.errors import NotflixError, StoreUnavailable
from functions.platform.http import Answer
from functions.platform.messages import RecordAction

if TYPE_CHECKING:
    from functions.platform.resources import Resources
    from functions.platform.triggers import Route

log = logging.getLogger(__name__)

DONE, INTERNAL = "done", "internal"
"""The outcomes besides the codes of errors; INTERNAL is an unexpected error."""

LONGEST_SUBJECT = 200


def call_recorded(resources: Resources, route: Route, arguments: dict[str, Any], *, owner: str) -> Any:
    """Call the route's handler, record that `owner` did it and how it ended, and return its answer.

    Raises what the handler raises. If the call cannot be recorded, raises StoreUnavailable without calling the handler.
    """
    entry_id, at, subject = uuid.uuid4().hex, resources.now(), str(arguments.get("id", ""))

    def record(outcome: str = "") -> None:
        message = RecordAction(entry_id, at, owner, route.name, subject[:LONGEST_SUBJECT], outcome)
        resources.interactive_queues().send(message)

    def end(outcome: str) -> None:
        try:
            record(outcome)
        except StoreUnavailable as error:  # not raised: the action is done; its entry has no outcome
            log.error("The outcome of %s by %s was not recorded: %s (%s)", route.name, owner, outcome, error.detail)

    record()
    try:
        returned = route.handler(**arguments)
    except NotflixError as error:
        end(error.code)
        raise
    except Exception:
        end(INTERNAL)
        raise
    if route.subject:
        subject = str(getattr(returned.body if isinstance(returned, Answer) else returned, route.subject))
    end(DONE)
    return returned
