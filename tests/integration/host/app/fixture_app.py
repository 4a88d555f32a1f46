"""The app that the host's tests run; each function writes entries, which tests read, to the container `…-journal`."""

import atexit
import json
import logging
import os
import time
import uuid
from typing import List  # noqa: UP035

import azure.functions as func
from azure.functions.timer import TimerRequest
from azure.storage.blob import BlobServiceClient
from azurefunctions.extensions.base import Datum, InConverter, SdkType

app = func.FunctionApp()
log = logging.getLogger("fixture")


def write_down(journal: str, **facts: object) -> None:
    """Add an entry to the journal."""
    connection = os.environ["AzureWebJobsStorage"]  # noqa: SIM112 - Azure defines this name
    with BlobServiceClient.from_connection_string(connection) as service:
        container = service.get_container_client(f"{os.environ['PREFIX']}-journal")
        container.upload_blob(f"{journal}/{time.time_ns()}-{uuid.uuid4()}", json.dumps(facts))


def entries_of(journal: str) -> int:
    """Return the number of entries in the journal."""
    connection = os.environ["AzureWebJobsStorage"]  # noqa: SIM112 - Azure defines this name
    with BlobServiceClient.from_connection_string(connection) as service:
        container = service.get_container_client(f"{os.environ['PREFIX']}-journal")
        return sum(1 for _ in container.list_blobs(name_starts_with=f"{journal}/"))


def work(text: str) -> None:
    """Sleep for as many seconds as a text says; if it is "held", until a test writes `let_go` into the journal."""
    if text != "held":
        time.sleep(float(text))
        return
    while not entries_of("let_go"):
        time.sleep(0.1)


atexit.register(print, "The app has been left.", flush=True)


class BlobReference(SdkType):  # type: ignore[misc]
    """The address of a blob, without its content."""

    def __init__(self, container: str, name: str, uri: str) -> None:
        super().__init__()
        self.container, self.name, self.uri = container, name, uri

    def get_sdk_type(self) -> "BlobReference":
        return self


class BlobReferenceConverter(InConverter, binding="blob", trigger="blobTrigger"):  # type: ignore[misc, call-arg]
    """Converts the reference that the host sends to a function with a blob trigger."""

    @classmethod
    def check_input_type_annotation(cls, pytype: type) -> bool:
        return issubclass(pytype, BlobReference)

    @classmethod
    def decode(cls, data: Datum, *, trigger_metadata: dict[str, Datum], pytype: type) -> BlobReference:
        content = json.loads(data.value.content)
        uri = json.loads(trigger_metadata["Uri"].value)
        return BlobReference(content["ContainerName"], content["BlobName"], uri)

    @classmethod
    def has_implicit_output(cls) -> bool:
        return False


@app.route("titles/{id:int}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def title_by_number(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"number {req.route_params['id']}", headers={"Content-Length": "3"})


@app.route("titles/{id}", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
def title_by_name(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"name {req.route_params['id']}")


@app.route("titles/newest", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def newest_title(req: func.HttpRequest) -> str:
    return "newest"


@app.route("files/{*path}", auth_level=func.AuthLevel.ANONYMOUS)
def any_file(req: func.HttpRequest) -> str:
    return f"{req.method} {req.route_params.get('path')}"


@app.route("wait/{seconds}", auth_level=func.AuthLevel.ANONYMOUS)
def wait(req: func.HttpRequest) -> str:
    write_down("waiting")
    work(req.route_params["seconds"])
    return "waited"


@app.route("echo", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse(
        json.dumps({"headers": dict(req.headers), "query": dict(req.params), "body": req.get_body().decode()}),
        mimetype="application/json",
    )
    response.headers.add("Set-Cookie", "one=1; Path=/; HttpOnly; SameSite=Strict; Max-Age=60")
    response.headers.add("Set-Cookie", "two=2")
    return response


@app.route("secret", methods=["GET"])
def secret(req: func.HttpRequest) -> str:
    log.info("Called at %s", req.url)
    return "open"


@app.route("master", methods=["GET"], auth_level=func.AuthLevel.ADMIN)
def master(req: func.HttpRequest) -> str:
    return "master"


@app.route("crash", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def crash(req: func.HttpRequest) -> str:
    raise RuntimeError("on purpose")


@app.route("orders/{id}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@app.queue_output("orders", queue_name="%PREFIX%-orders", connection="AzureWebJobsStorage")
@app.blob_output("receipt", path="%PREFIX%-receipts/{id}.txt", connection="AzureWebJobsStorage")
def order(
    req: func.HttpRequest,
    orders: func.Out[List[str]],  # noqa: UP006 - the worker refuses list[str]
    receipt: func.Out[str],
) -> str:
    orders.set(["first", "second"])
    receipt.set("thanks")
    if req.params.get("fail"):
        raise RuntimeError("after setting its outputs")
    return "ordered"


@app.queue_trigger("msg", queue_name="%PREFIX%-orders", connection="AzureWebJobsStorage")
@app.queue_output("$return", queue_name="%PREFIX%-done", connection="AzureWebJobsStorage")
def take_order(msg: func.QueueMessage) -> str:
    write_down("take_order", body=msg.get_body().decode(), count=msg.dequeue_count, at=time.time())
    return msg.get_body().decode()


@app.queue_trigger("msg", queue_name="%PREFIX%-stubborn", connection="AzureWebJobsStorage")
def stubborn(msg: func.QueueMessage) -> None:
    write_down("stubborn", count=msg.dequeue_count, id=msg.id, at=time.time())
    raise RuntimeError("never works")


@app.queue_trigger("msg", queue_name="%PREFIX%-stubborn-poison", connection="AzureWebJobsStorage")
def buried(msg: func.QueueMessage) -> None:
    write_down("buried", body=msg.get_body().decode())


@app.queue_trigger("msg", queue_name="%PREFIX%-slow", connection="AzureWebJobsStorage")
def slow(msg: func.QueueMessage) -> None:
    write_down("slow_began", body=msg.get_body().decode(), count=msg.dequeue_count, at=time.time())
    work(msg.get_body().decode())
    write_down("slow_ended", body=msg.get_body().decode(), at=time.time())


def take_place(place: str, msg: func.QueueMessage) -> None:
    """Return only once the journal has two entries, like a step that takes long."""
    write_down("place_taken", place=place, body=msg.get_body().decode())
    while entries_of("place_taken") < 2:
        time.sleep(0.1)
    write_down("place_left", place=place)


@app.queue_trigger("msg", queue_name="%PREFIX%-places", connection="AzureWebJobsStorage")
def one_place(msg: func.QueueMessage) -> None:
    take_place("one", msg)


@app.queue_trigger("msg", queue_name="%PREFIX%-places", connection="AzureWebJobsStorage")
def other_place(msg: func.QueueMessage) -> None:
    take_place("other", msg)


@app.blob_trigger(
    "blob", path="%PREFIX%-watched/{name}.film", connection="AzureWebJobsStorage", source=func.BlobSource.EVENT_GRID
)
def by_event(blob: BlobReference) -> None:
    write_down("by_event", container=blob.container, name=blob.name, uri=blob.uri)
    if "bad" in blob.name:
        raise RuntimeError("bad film")


@app.blob_trigger("blob", path="%PREFIX%-scanned/{name}", connection="AzureWebJobsStorage")
def by_scan(blob: func.InputStream) -> None:
    write_down("by_scan", name=blob.name, content=blob.read().decode(), length=blob.length)


@app.timer_trigger("timer", schedule="%TICK%", run_on_startup=True)
def tick(timer: TimerRequest) -> None:
    write_down("tick", past_due=timer.past_due, status=timer.schedule_status)
