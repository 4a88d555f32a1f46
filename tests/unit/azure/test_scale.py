"""The encoder scales by our own rules, one for each queue that it serves, and takes one message of each at a time."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.cli.product import ENCODER_QUEUES
from infra.local.home import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

INFRA = REPOSITORY / "infra"
ENCODER = (INFRA / "encoder.bicep").read_text(encoding="utf-8")
STORAGE = (INFRA / "modules" / "storage.bicep").read_text(encoding="utf-8")


def triggers(app: Any) -> Iterator[tuple[str, str]]:
    """Yield the queue triggers of an app as pairs of function and queue."""
    for function in app.get_functions():
        binding = function.get_trigger().get_dict_repr()
        if binding["type"] == "queueTrigger":
            yield function.get_function_name(), binding["queueName"]


@pytest.fixture(scope="module")
def served() -> dict[str, str]:
    """Return the queue of each function that the worker finds in the encoder app."""
    sys.path.insert(0, str(REPOSITORY))
    import encoder_app

    return dict(triggers(encoder_app.app))


def rules() -> dict[str, str]:
    """Return the queue length in each scale rule of the template, by queue; those that are chosen too."""
    return dict(re.findall(r"\{ name: '([\w-]+)', length: ([^}]+) \}", ENCODER))


def test_there_is_a_rule_for_each_queue_that_the_encoder_serves_and_none_for_dead_letters(
    served: dict[str, str],
) -> None:
    """Each rule polls its queue all month; only a running encoder writes dead letters, and it handles them itself."""
    assert set(rules()) == {queue for queue in served.values() if not queue.endswith("-poison")}


def test_the_queues_of_what_follows_a_ready_title_are_polled_only_if_they_are_chosen() -> None:
    listed = ENCODER.split("var queues = [")[1].split("\n]")[0]
    chosen = {"encode-av1", "encode-renditions", "make-captions"}
    assert set(re.findall(r"name: '([\w-]+)'", listed)) == set(rules()) - chosen
    assert dict(re.findall(r"^var (also\w+|polled) = (.+)$", ENCODER, re.MULTILINE)) == {
        "alsoAv1": "contains(chosenSettings, 'ENCODE_AV1=') ? concat(queues, [ av1 ]) : queues",
        "alsoCaptions": "contains(chosenSettings, 'AUTOMATIC_CAPTIONS=') ? concat(alsoAv1, [ captions ]) : alsoAv1",
        "polled": "contains(chosenSettings, 'ENCODE_RENDITIONS=') ? concat(alsoCaptions, [ onDemand ]) : alsoCaptions",
    }


def test_each_queue_of_the_encoder_is_made_by_the_template(served: dict[str, str]) -> None:
    """A rule for a missing queue stops all scaling of the app."""
    made = set(re.findall(r"'([\w-]+)'", STORAGE.split("var encoderQueues = [")[1].split("]")[0]))
    assert made == set(served.values())


def test_rules_are_read_under_the_identity_of_the_encoder() -> None:
    rule = ENCODER.split("rules: [for queue in polled: {")[1].split("}]")[0]
    for line in ("accountName: storageName", "queueName: queue.name", "identity: encoderIdentityId"):
        assert line in rule
    assert "connection" not in rule and "auth" not in rule


def test_each_function_of_the_encoder_has_a_thread_so_that_plans_and_fronts_do_not_wait_for_chunks(
    served: dict[str, str],
) -> None:
    """The host receives one message at a time for each function, and those of poison queues share one thread."""
    host = json.loads((INFRA / "encoder" / "host.json").read_text(encoding="utf-8"))
    assert (host["extensions"]["queues"]["batchSize"], host["extensions"]["queues"]["newBatchThreshold"]) == (1, 0)
    (threads,) = re.findall(r"name: 'PYTHON_THREADPOOL_THREAD_COUNT', value: '(\d+)'", ENCODER)
    functions = [function for function, queue in served.items() if not queue.endswith("-poison")]
    assert int(threads) == len(functions) + 1
    assert ENCODER_QUEUES["PYTHON_THREADPOOL_THREAD_COUNT"] == threads


def test_all_replicas_are_one_host() -> None:
    (host,) = re.findall(r"name: 'AzureFunctionsWebHost__hostid', value: '([^']+)'", ENCODER)
    assert re.fullmatch(r"[a-z0-9](?:[a-z0-9]|-(?!-)){0,30}[a-z0-9]", host)


def test_a_poison_function_is_named_so_that_the_alert_finds_it(served: dict[str, str]) -> None:
    for function, queue in served.items():
        assert function.endswith("_poison") == queue.endswith("-poison")
    observability = (INFRA / "modules" / "observability.bicep").read_text(encoding="utf-8")
    assert 'Name contains "_poison"' in observability
