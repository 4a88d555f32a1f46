"""Upload events reach the app: the steps wake the host, wait for its key, and create the subscription once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.azure import uploads
from infra.azure.tools import Environment
from infra.local.home import CannotRun
from tests.support.azure import NO_KEY, NOT_VALIDATED
from tests.support.web_server import serving

if TYPE_CHECKING:
    from tests.support.azure import Programs

GIVEN = {
    "AZURE_RESOURCE_GROUP": "rg-films",
    "NOTFLIX_API_NAME": "func-x",
    "NOTFLIX_EVENT_TOPIC": "evgt-x",
    "NOTFLIX_STORAGE_NAME": "stx",
}
KEYS = ("az", "functionapp", "keys", "list")
MAKE = ("az", "deployment", "group", "create", "--name", "events")
SHOW = ("az", "eventgrid", "system-topic", "event-subscription", "show")


def shown(key: str = "key", dead: str | None = "dead-events") -> dict[str, Any]:
    """Return the output of az for a subscription."""
    url = f"https://func-x.azurewebsites.net/runtime/webhooks/blobs?functionName=Host.Functions.start_title&code={key}"
    place = {"deadLetterDestination": {"endpointType": "StorageBlob", "blobContainerName": dead}} if dead else None
    return {
        "provisioningState": "Succeeded",
        "destination": {"endpointUrl": url},
        "deadLetterWithResourceIdentity": place,
    }


def no_pause(seconds: float) -> None:
    assert seconds > 0


def subscribe(programs: Programs, *, patience_s: float = 60.0) -> bool:
    programs.keep(GIVEN)
    return uploads.subscribe(Environment(), pause=no_pause, patience_s=patience_s)


def test_the_subscription_leads_to_the_app_that_was_deployed(programs: Programs) -> None:
    programs.answer(*KEYS, body={"systemKeys": {"blobs_extension": "key"}})
    programs.answer(*MAKE, body={})
    assert subscribe(programs)
    (call,) = programs.asked_for(*MAKE)
    assert {"apiName=func-x", "topicName=evgt-x", "storageName=stx"} <= set(call)


def test_a_key_that_is_not_there_yet_is_waited_for(programs: Programs) -> None:
    programs.answer_in_turn(
        *KEYS,
        bodies=["(BadRequest) the host is not running", {"systemKeys": {}}, {"systemKeys": {"blobs_extension": "k"}}],
    )
    programs.answer(*MAKE, body={})
    assert subscribe(programs)
    assert len(programs.asked_for(*KEYS)) == 3


def test_a_refused_subscription_is_tried_again(programs: Programs) -> None:
    programs.answer(*KEYS, body={"systemKeys": {"blobs_extension": "key"}})
    programs.answer_in_turn(*MAKE, bodies=[NO_KEY, NOT_VALIDATED, {}])
    assert subscribe(programs)
    assert len(programs.asked_for(*MAKE)) == 3


def test_a_second_run_changes_nothing(programs: Programs) -> None:
    programs.answer(*KEYS, body={"systemKeys": {"blobs_extension": "key"}})
    programs.answer(*SHOW, body=shown())
    assert not subscribe(programs)
    assert not programs.asked_for(*MAKE)


@pytest.mark.parametrize("there", [shown(key="old"), shown(dead=None), {**shown(), "provisioningState": "Failed"}])
def test_a_subscription_that_is_not_right_is_made_anew(programs: Programs, there: dict[str, Any]) -> None:
    programs.answer(*KEYS, body={"systemKeys": {"blobs_extension": "key"}})
    programs.answer(*SHOW, body=there)
    programs.answer(*MAKE, body={})
    assert subscribe(programs)


def test_a_person_is_told_what_is_wrong_and_how_to_go_on(programs: Programs) -> None:
    programs.answer(*KEYS, body={"systemKeys": {"blobs_extension": "key"}})
    programs.refuse(*MAKE, words=NOT_VALIDATED)
    with pytest.raises(CannotRun, match=r"waits until that works.*azure deployed.*validation handshake failed"):
        subscribe(programs, patience_s=0)
    programs.answer(*KEYS, body={"systemKeys": {}})
    with pytest.raises(CannotRun, match="has no key for blob events"):
        subscribe(programs, patience_s=0)


def test_the_host_is_called_until_it_answers() -> None:
    up = json.dumps({"status": "down", "stores": {"mysql": {"up": True}, "redis": {"up": False}}})
    with serving([(502, "starting"), 404, (503, "Function host is not running."), (503, up)]) as url:
        assert uploads.warm(url, pause=no_pause) == ["redis"]


def test_a_host_that_never_answers_is_named() -> None:
    with serving([(503, "no host")]) as url, pytest.raises(CannotRun, match=r"did not answer at .*HTTP 503"):
        uploads.warm(url, pause=no_pause, patience_s=0)
