"""Every error that a person may meet: its code, its HTTP status, and a sentence that says what to do."""

from __future__ import annotations


class NotflixError(Exception):
    """Base of all errors that are answered rather than crashed on.

    `code` is the stable word that clients switch on, `status` the HTTP status, `retryable` whether a queue message
    that met it may be tried again with hope.
    """

    code = "internal"
    status = 500
    retryable = False

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def headers(self) -> dict[str, str]:
        """Return the HTTP headers that belong to the answer."""
        return {}


class Malformed(NotflixError):
    """The request or message does not have the form that the contract asks for."""

    code = "malformed"
    status = 422


class NotFound(NotflixError):
    """There is no such thing under that name."""

    code = "not_found"
    status = 404


class Conflict(NotflixError):
    """The thing exists but is in a state in which this cannot be done."""

    code = "conflict"
    status = 409


class NotPlayable(Conflict):
    """The title has no picture to show yet, or never will; the detail says which."""

    code = "not_playable"


class Unauthenticated(NotflixError):
    """Nobody is logged in, or no longer: the session is missing, unknown or has ended."""

    code = "unauthenticated"
    status = 401


class Forbidden(NotflixError):
    """Who is logged in may not do this."""

    code = "forbidden"
    status = 403


class TooManyAttempts(NotflixError):
    """A limit on attempts is reached; it opens again in `retry_after_s` seconds."""

    code = "too_many_attempts"
    status = 429

    def __init__(self, detail: str, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        """Return when to come back."""
        return {"Retry-After": str(self.retry_after_s)}


class EntitlementRequired(NotflixError):
    """The viewer may not play this title until they subscribe or are granted access."""

    code = "entitlement_required"
    status = 402


class StoreUnavailable(NotflixError):
    """A store does not answer; trying again later may help."""

    code = "store_unavailable"
    status = 503
    retryable = True


class SourceRefused(NotflixError):
    """The upload cannot become a film; the detail is the reason shown to whoever uploaded it."""

    code = "source_refused"
    status = 422


class EncodeFault(NotflixError):
    """An encode did not give what the plan asks for; the queue tries it again."""

    code = "encode_fault"
    status = 500
    retryable = True
