"""The exception tree: each error has a stable code, an HTTP status, and a sentence for the person who sees it.

NotflixError
├── Malformed ── WeakPassword, PayloadTooLarge, UnsupportedMediaType
├── NotFound
├── Conflict ── NotPlayable, TooManyStreams, StreamStopped, AddressTaken, AlreadySubscribed, ListFull, ProcedureRefused,
│               AccountStillExists (retryable)
├── Unauthenticated ── WrongCredentials, WrongSecondFactor
├── Forbidden ── WrongPassword, SecondFactorRequired, AddressNotConfirmed, WrongPin, PinRequired, AgeLimited
├── LinkExpired, EntitlementRequired, TooManyAttempts
├── StoreUnavailable ── Busy, ContainerMissing, DiskUnavailable; MailUnavailable   retryable
├── SourceRefused, MailRefused, NotFromPayPal, PayPalRefused
├── EncodeFault                                            retryable
└── SettingMissing, DatabaseUrlInvalid, ProcedureFailed
"""

from __future__ import annotations


class NotflixError(Exception):
    """Base of all errors that result in an error response instead of a crash.

    `code` is the stable word by which clients distinguish errors, `status` the HTTP status. If handling a queue message
    raises a `retryable` error, the message is delivered again; any other error moves it to the dead letters at once.
    """

    code = "internal"
    status = 500
    retryable = False

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def headers(self) -> dict[str, str]:
        """Return the HTTP headers of the answer."""
        return {}


class Malformed(NotflixError):
    """The request or message does not have the form that the contract requires."""

    code = "malformed"
    status = 422


class WeakPassword(Malformed):
    """The password is too easy to guess."""

    code = "weak_password"


class PayloadTooLarge(Malformed):
    """The body is larger than the route accepts."""

    code = "payload_too_large"
    status = 413


class UnsupportedMediaType(Malformed):
    """The body is not declared as JSON."""

    code = "unsupported_media_type"
    status = 415


class NotFound(NotflixError):
    """There is nothing with that id."""

    code = "not_found"
    status = 404


class Conflict(NotflixError):
    """The request does not fit the current state."""

    code = "conflict"
    status = 409


class NotPlayable(Conflict):
    """The title cannot be played yet, or never will be; the detail says which."""

    code = "not_playable"


class TooManyStreams(Conflict):
    """The account already watches on as many devices as it may; the detail names them."""

    code = "too_many_streams"


class StreamStopped(Conflict):
    """Another device of the account has stopped this playback session."""

    code = "stream_stopped"


class AddressTaken(Conflict):
    """An account with that address exists already."""

    code = "address_taken"


class AlreadySubscribed(Conflict):
    """The viewer has a subscription that has not ended."""

    code = "already_subscribed"


class ListFull(Conflict):
    """The watch list is full."""

    code = "list_full"


class AccountStillExists(Conflict):
    """The data of an account should be deleted, but the account itself has not been deleted yet."""

    retryable = True


class ProcedureRefused(Conflict):
    """A stored procedure refused the call with SIGNAL; `number` is its MYSQL_ERRNO."""

    code = "refused"

    def __init__(self, number: int, detail: str) -> None:
        super().__init__(detail)
        self.number = number


class Unauthenticated(NotflixError):
    """No valid proof of identity: the session is missing, unknown or expired, or the key is wrong."""

    code = "unauthenticated"
    status = 401


class WrongCredentials(Unauthenticated):
    """No account has this address and password; the answer does not reveal which of the two is wrong."""

    code = "wrong_credentials"


class WrongSecondFactor(Unauthenticated):
    """The code or passkey is wrong, has expired or was used before."""

    code = "wrong_second_factor"


class Forbidden(NotflixError):
    """The caller is known but not allowed to do this."""

    code = "forbidden"
    status = 403


class WrongPassword(Forbidden):
    """The password that confirms a change is wrong."""

    code = "wrong_password"


class SecondFactorRequired(Forbidden):
    """Administrators must log in with a second factor; this session began with the password alone."""

    code = "second_factor_required"


class AddressNotConfirmed(Forbidden):
    """The email address of the account is not confirmed yet."""

    code = "address_not_confirmed"


class WrongPin(Forbidden):
    """The PIN of the profile is wrong."""

    code = "wrong_pin"


class PinRequired(Forbidden):
    """The profile has a PIN, and the request has none."""

    code = "pin_required"


class AgeLimited(Forbidden):
    """The profile may not do this: the title is for older people or of an unknown age, or it concerns the account."""

    code = "age_limited"


class LinkExpired(NotflixError):
    """A mailed link was already used, has expired, is unknown, or is a reset link from before a password change."""

    code = "link_over"
    status = 410


class EntitlementRequired(NotflixError):
    """The viewer needs a subscription, or access granted by the owner, to play this title."""

    code = "entitlement_required"
    status = 402


class TooManyAttempts(NotflixError):
    """A rate limit has been reached; the caller can try again after `retry_after_s` seconds."""

    code = "too_many_attempts"
    status = 429

    def __init__(self, detail: str, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        """Return `Retry-After`."""
        return {"Retry-After": str(self.retry_after_s)}


class StoreUnavailable(NotflixError):
    """A store does not answer or is busy; the request can be repeated."""

    code = "store_unavailable"
    status = 503
    retryable = True
    retry_after_s = 5

    @property
    def headers(self) -> dict[str, str]:
        """Return `Retry-After`."""
        return {"Retry-After": str(self.retry_after_s)}


class Busy(StoreUnavailable):
    """As many passwords are being hashed as memory allows; the caller can retry in a few seconds."""

    code = "busy"


class ContainerMissing(StoreUnavailable):
    """A blob cannot be written, because storage has lost its container; the container must be created again."""


class DiskUnavailable(StoreUnavailable):
    """The local disk of this process is full or fails; another attempt may succeed."""


class MailUnavailable(NotflixError):
    """The mail server is unreachable, busy or misconfigured. The detail contains no address."""

    code = "mail_unavailable"
    status = 503
    retryable = True


class MailRefused(NotflixError):
    """The mail server permanently refuses the email. The detail contains no address."""

    code = "mail_refused"
    status = 422


class SourceRefused(NotflixError):
    """The upload cannot become a film; the detail is the reason shown to the uploader."""

    code = "source_refused"
    status = 422


class EncodeFault(NotflixError):
    """The output of an encode does not match the plan."""

    code = "encode_fault"
    status = 500
    retryable = True


class NotFromPayPal(NotflixError):
    """A webhook without a valid signature of PayPal."""

    code = "not_paypal"
    status = 400


class PayPalRefused(NotflixError):
    """PayPal understood a request and refused it; the detail is PayPal's own message."""

    code = "paypal_refused"
    status = 502


class SettingMissing(NotflixError):
    """A required setting is absent or invalid."""

    code = "setting_missing"


class DatabaseUrlInvalid(SettingMissing):
    """The URL of a database does not have the form mysql://user:password@host:port/database."""


class ProcedureFailed(NotflixError):
    """A stored procedure failed with an error that it does not handle; the detail has the server's error number."""

    code = "procedure_failed"
