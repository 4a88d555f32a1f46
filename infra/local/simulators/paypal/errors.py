"""PayPal's errors, in its words: name, message, debug_id, details, links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.local.simulators.paypal.shapes import debug_id

if TYPE_CHECKING:
    from infra.local.simulators.paypal.shapes import Document

_MESSAGES = {
    "INVALID_REQUEST": "Request is not well-formed, syntactically incorrect, or violates schema.",
    "AUTHENTICATION_FAILURE": (
        "Authentication failed due to missing authorization header, or invalid authentication credentials."
    ),
    "RESOURCE_NOT_FOUND": "The specified resource does not exist.",
    "RESOURCE_CONFLICT": "The server has detected a conflict while processing this request.",
    "METHOD_NOT_ALLOWED": "The server does not implement the requested HTTP method.",
    "UNSUPPORTED_MEDIA_TYPE": "The server does not support the request payload's media type.",
    "UNPROCESSABLE_ENTITY": (
        "The requested action could not be performed, semantically incorrect, or failed business validation."
    ),
    "RATE_LIMIT_REACHED": "Too many requests. Blocked due to rate limiting.",
    "INTERNAL_SERVER_ERROR": "An internal server error occurred.",
    "SERVICE_UNAVAILABLE": "Service Unavailable.",
    "WEBHOOK_URL_ALREADY_EXISTS": "Webhook URL already exists",
    "TRANSACTION_ALREADY_REFUNDED": "Refund transaction refused - this transaction has already been refunded.",
    "REFUND_EXCEEDED_TRANSACTION_AMOUNT": (
        "Refund refused - the requested refund amount would exceed the amount of transaction being refunded."
    ),
}

NAMES = {429: "RATE_LIMIT_REACHED", 500: "INTERNAL_SERVER_ERROR", 503: "SERVICE_UNAVAILABLE"}
"""The name of a failure that has nothing to do with the request, by status."""


class PayPalError(Exception):
    """An error as PayPal answers it."""

    def __init__(self, status: int, name: str, *details: Document) -> None:
        super().__init__(name)
        self.status = status
        self.name = name
        self.details = details

    def body(self) -> Document:
        """Return the answer's body."""
        about = f"https://developer.paypal.com/docs/api/v1/billing/subscriptions#{self.name}"
        body: Document = {"name": self.name, "message": _MESSAGES[self.name], "debug_id": debug_id()}
        if self.details:
            body["details"] = list(self.details)
        return {**body, "links": [{"href": about, "rel": "information_link", "method": "GET"}]}


def invalid(field: str, issue: str, description: str, *, value: object = "", location: str = "body") -> PayPalError:
    """Return the error for a request that is malformed."""
    detail = {"field": field, "value": str(value), "location": location, "issue": issue, "description": description}
    return PayPalError(400, "INVALID_REQUEST", detail)


def missing(field: str, *, location: str = "body") -> PayPalError:
    """Return the error for a field that is not there."""
    return invalid(field, "MISSING_REQUIRED_PARAMETER", "A required field is missing.", location=location)


def unprocessable(issue: str, description: str) -> PayPalError:
    """Return the error for a request that is well-formed and cannot be done."""
    return PayPalError(422, "UNPROCESSABLE_ENTITY", {"issue": issue, "description": description})


def not_found() -> PayPalError:
    """Return the error for an id that is unknown."""
    description = "Requested resource ID was not found."
    return PayPalError(404, "RESOURCE_NOT_FOUND", {"issue": "INVALID_RESOURCE_ID", "description": description})
