"""Replacements for the messages of FunctionRpc.proto that `azure_functions_runtime` creates and reads.

The worker library takes its message classes from the host, so neither grpc nor protobuf is needed: a message is a
namespace, and a missing field has the default of the class. The worker uses keyword arguments only.
"""

from __future__ import annotations

from enum import IntEnum
from types import SimpleNamespace
from typing import Any


class TypedData(SimpleNamespace):
    """A value with its kind: string, json, bytes, int, double, http or model_binding_data; or empty."""

    def WhichOneof(self, _group: str) -> str | None:
        """Return the name of the kind, as protobuf does."""
        return next(iter(vars(self)), None)

    @property
    def value(self) -> Any:
        """The value of any kind; None for an empty message."""
        return next(iter(vars(self).values()), None)


class ParameterBinding(SimpleNamespace):
    """A named argument or output of a function."""

    name: str
    data: TypedData | None

    def WhichOneof(self, _group: str) -> str | None:
        """Return `data`: shared memory is not supported."""
        return "data" if self.data is not None else None


class ModelBindingData(SimpleNamespace):
    """A reference to a blob instead of its content, for parameters of an SDK type."""

    version = "1.0"
    source = "AzureStorageBlobs"
    content_type = "application/json"
    content = b""


class RpcHttp(SimpleNamespace):
    """An HTTP request or response."""

    method = ""
    url = ""
    status_code = "200"
    headers: dict[str, str]
    params: dict[str, str]
    query: dict[str, str]
    body: TypedData | None = None
    cookies: list[RpcHttpCookie] | None = None


class SameSite(IntEnum):
    """The SameSite attribute of a cookie; `ExplicitNone` is sent as "None"."""

    Lax = 1
    Strict = 2
    ExplicitNone = 3


class RpcHttpCookie(SimpleNamespace):
    """A cookie of a response; its optional fields are Nullable messages or None."""

    SameSite = SameSite
    name: str
    value: str
    same_site: int


setattr(SameSite, "None", 0)  # protobuf's name for "not set", which is a keyword in Python


class Nullable(SimpleNamespace):
    """An optional value."""

    value: Any


NullableString = NullableBool = NullableDouble = NullableTimestamp = Nullable


class Timestamp(SimpleNamespace):
    """Seconds since 1970."""

    seconds: int


class BindingInfo(SimpleNamespace):
    """The direction and data type of a binding."""

    undefined, string, binary, stream = range(4)
    out, inout = 1, 2


setattr(BindingInfo, "in", 0)


class RpcException(SimpleNamespace):
    """The exception of a function."""

    message: str
    stack_trace: str


class StatusResult(SimpleNamespace):
    """The status of a request to the worker."""

    Failure, Success, Cancelled = range(3)
    status: int
    exception: RpcException | None = None


class RpcFunctionMetadata(SimpleNamespace):
    """A function that the worker found in the app; each raw binding is a JSON object as in function.json."""

    name: str
    function_id: str
    raw_bindings: list[str]
    retry_options: RpcRetryOptions | None


class RpcRetryOptions(SimpleNamespace):
    """A function's retry policy."""


class WorkerMetadata(SimpleNamespace):
    """The worker's versions."""


class WorkerInitResponse(SimpleNamespace):
    """The worker's capabilities after loading the app."""

    capabilities: dict[str, str]
    result: StatusResult


class FunctionMetadataResponse(SimpleNamespace):
    """The app's functions."""

    function_metadata_results: list[RpcFunctionMetadata] | None


class FunctionLoadResponse(SimpleNamespace):
    """The response that reports that a function can be called."""


class InvocationResponse(SimpleNamespace):
    """The result of an invocation."""

    result: StatusResult
    return_value: TypedData | None = None
    output_data: tuple[ParameterBinding, ...] | list[ParameterBinding] = ()
