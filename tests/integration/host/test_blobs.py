"""Blob triggers by event and by scanning, against a real blob service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceNotFoundError

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.integration.host.running import RunningHost

WEBHOOK = "/runtime/webhooks/blobs?functionName=Host.Functions.by_event"
KEY = "&code=the-blobs-key"
POISON = "webjobs-blobtrigger-poison"


def names(host: RunningHost, journal: str) -> list[str]:
    return [line["name"] for line in host.journal(journal)]


def created(host: RunningHost, name: str, **data: Any) -> dict[str, Any]:
    return {
        "eventType": "Microsoft.Storage.BlobCreated",
        "subject": f"/blobServices/default/containers/{host.prefix}-watched/blobs/{name}",
        "data": {"eTag": "0x8D1", "blobType": "BlockBlob", "contentLength": 4, **data},
    }


def test_a_new_blob_reaches_its_function_by_event(host: RunningHost) -> None:
    host.start()
    host.upload("watched", "notes.txt", b"not a film")
    host.upload("watched", "Some folder/A film.film", b"film")
    line = host.entries("by_event")[0]
    assert (line["container"], line["name"]) == (f"{host.prefix}-watched", "Some folder/A film.film")
    assert line["uri"].endswith(f"{host.prefix}-watched/Some%20folder/A%20film.film")
    host.upload("watched", "Another.film", b"film")
    eventually(lambda: names(host, "by_event") == ["Some folder/A film.film", "Another.film"])


def test_names_that_xml_cannot_hold_reach_their_function_and_stop_no_other(host: RunningHost) -> None:
    odd = ["a\x01b.film", "c\nd.film", "e\ufffe%41.film", "folder\x02/f.film"]
    for name in odd:
        host.upload("watched", name, b"film")
    host.upload("watched", "good.film", b"film")
    host.start()
    eventually(lambda: sorted(names(host, "by_event")) == sorted([*odd, "good.film"]))


def test_a_scanned_blob_is_handed_over_with_its_content(host: RunningHost) -> None:
    host.upload("scanned", "a/b.txt", b"hello")
    host.start()
    assert host.entries("by_scan") == [{"name": f"{host.prefix}-scanned/a/b.txt", "content": "hello", "length": 5}]


def test_a_restart_does_not_repeat_blobs(host: RunningHost) -> None:
    host.upload("watched", "one.film", b"1")
    host.upload("watched", "bad.film", b"2")
    host.upload("scanned", "three.txt", b"3")
    host.start()
    eventually(lambda: sorted(names(host, "by_event")) == ["bad.film", "bad.film", "one.film"])
    host.entries("by_scan")
    assert host.end() == 0
    host.upload("watched", "two.film", b"4")
    host.upload("scanned", "four.txt", b"5")
    host.start()
    eventually(lambda: "two.film" in names(host, "by_event") and len(host.journal("by_scan")) == 2)
    assert sorted(names(host, "by_event")) == ["bad.film", "bad.film", "one.film", "two.film"]


def test_a_new_version_of_a_blob_is_a_new_blob(host: RunningHost) -> None:
    host.upload("watched", "one.film", b"1")
    host.start()
    host.entries("by_event")
    host.upload("watched", "one.film", b"other")
    host.entries("by_event", 2)


def test_a_blob_that_keeps_failing_goes_to_the_poison_queue(host: RunningHost) -> None:
    host.upload("watched", "bad.film", b"1")
    host.start()

    def buried() -> list[dict[str, Any]]:
        bodies = (json.loads(body) for body in host.bodies(POISON))
        return [body for body in bodies if body["ContainerName"] == f"{host.prefix}-watched"]

    poison = eventually(buried)
    assert [(body["FunctionId"], body["BlobName"]) for body in poison] == [("Host.Functions.by_event", "bad.film")]
    assert len(host.journal("by_event")) == 2
    host.queues.get_queue_client(POISON).clear_messages()


def test_a_blob_that_is_gone_or_changed_before_its_turn_is_dropped(host: RunningHost) -> None:
    host.upload("scanned", "changed.txt", b"new")
    for name in ("gone.txt", "changed.txt"):
        message = {"FunctionId": "Host.Functions.by_scan", "ContainerName": f"{host.prefix}-scanned", "BlobName": name}
        host.send(f"azure-webjobs-blobtrigger-{host.prefix}", json.dumps(message | {"ETag": '"0xOLD"'}))
    host.start()
    eventually(lambda: host.log.count("was deleted or changed before it was processed") == 2)
    host.entries("by_scan")
    assert names(host, "by_scan") == [f"{host.prefix}-scanned/changed.txt"]


def test_a_large_film_does_not_pass_through_the_host(host: RunningHost) -> None:
    host.start()
    host.upload("watched", "small.film", b"1")
    host.entries("by_event")
    before = peak_mb(host)
    host.upload("watched", "large.film", bytes(96 * 1024 * 1024))
    host.entries("by_event", 2)
    assert peak_mb(host) - before < 30
    assert peak_mb(host) < 200


def peak_mb(host: RunningHost) -> float:
    assert host.process is not None
    status = Path(f"/proc/{host.process.pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def test_the_webhook_echoes_the_validation_code(shared_host: RunningHost) -> None:
    event = {"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "512d38b6"}}
    answer = shared_host.post(WEBHOOK + KEY, json=[event], headers={"aeg-event-type": "SubscriptionValidation"})
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "512d38b6"})


def test_the_webhook_takes_events_of_anyone_with_the_key(shared_host: RunningHost) -> None:
    assert shared_host.post(WEBHOOK, json=[created(shared_host, "a.film")]).status_code == 401
    assert shared_host.post(WEBHOOK + "&code=the-master-key", json=[]).status_code == 401
    assert shared_host.post(WEBHOOK + KEY, data=b"what").status_code == 400
    unknown = "/runtime/webhooks/blobs?functionName=Host.Functions.nothing&code=the-blobs-key"
    assert shared_host.post(unknown, json=[]).status_code == 404
    shared_host.upload("watched", "posted.film", b"film")
    event = created(shared_host, "posted.film")
    assert shared_host.post(WEBHOOK + KEY, json=[event, event]).status_code == 202
    eventually(lambda: names(shared_host, "by_event").count("posted.film") >= 2)


def test_receipts_lie_where_the_real_host_keeps_them(host: RunningHost) -> None:
    host.upload("watched", "one.film", b"1")
    host.start()
    container = host.blobs.get_container_client("azure-webjobs-hosts")

    def receipts() -> list[str]:
        try:
            prefix = f"blobreceipts/{host.prefix}/Host.Functions.by_event/"
            return [str(blob.name).removeprefix(prefix) for blob in container.list_blobs(name_starts_with=prefix)]
        except ResourceNotFoundError:
            return []

    receipt = eventually(receipts)[0]
    assert receipt.startswith("0x")
    assert receipt.endswith(f"/{host.prefix}-watched/one.film")


def test_a_message_that_is_no_blob_does_not_stay_hidden_for_ever(host: RunningHost) -> None:
    host.send(f"azure-webjobs-blobtrigger-{host.prefix}", "no blob")
    host.start("--lease", "1")
    eventually(lambda: "no blob" in host.bodies(POISON))
    host.queues.get_queue_client(POISON).clear_messages()
