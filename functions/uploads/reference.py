"""A blob trigger parameter with the name but not the content of a blob, so no byte of a film passes through the host.

For a parameter with an SDK type, the worker requests such a reference instead of the content (deferred binding).
Microsoft's own SDK types would import the storage client at every cold start; this type imports nothing.
"""

from __future__ import annotations

import json
from typing import Any

from azurefunctions.extensions.base import InConverter, SdkType


class BlobReference(SdkType):  # type: ignore[misc]
    """The container and the name of the blob that triggered a function."""

    def __init__(self, container: str, name: str) -> None:
        super().__init__()
        self.container = container
        self.name = name

    def get_sdk_type(self) -> BlobReference:
        """Return this reference itself."""
        return self


class BlobReferenceConverter(InConverter, binding="blob", trigger="blobTrigger"):  # type: ignore[misc, call-arg]
    """Creates references from the host's messages."""

    @classmethod
    def check_input_type_annotation(cls, pytype: type) -> bool:
        """Return whether a parameter of this type receives a reference."""
        return issubclass(pytype, BlobReference)

    @classmethod
    def decode(cls, data: Any, *, trigger_metadata: Any, pytype: Any) -> BlobReference:
        """Return the reference in the host's message."""
        del trigger_metadata, pytype
        content = json.loads(data.value.content)
        return BlobReference(content["ContainerName"], content["BlobName"])

    @classmethod
    def has_implicit_output(cls) -> bool:
        """Return False, because the trigger has no output."""
        return False
