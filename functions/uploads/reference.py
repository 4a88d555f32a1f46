"""A blob trigger's parameter that names the blob and holds nothing of it: no byte of a film passes through the host.

The worker asks for such a reference, instead of the content, where a parameter has an SDK type (deferred binding).
Microsoft's own SDK types would import the storage client into every cold start; this one imports nothing.
"""

from __future__ import annotations

import json
from typing import Any

from azurefunctions.extensions.base import InConverter, SdkType


class BlobReference(SdkType):  # type: ignore[misc]
    """The container and the name of the blob that set a function going."""

    def __init__(self, container: str, name: str) -> None:
        super().__init__()
        self.container = container
        self.name = name

    def get_sdk_type(self) -> BlobReference:
        """Return this reference: it is all there is."""
        return self


class BlobReferenceConverter(InConverter, binding="blob", trigger="blobTrigger"):  # type: ignore[misc, call-arg]
    """Makes the reference out of what the host sends."""

    @classmethod
    def check_input_type_annotation(cls, pytype: type) -> bool:
        """Return whether a parameter of that type gets a reference."""
        return issubclass(pytype, BlobReference)

    @classmethod
    def decode(cls, data: Any, *, trigger_metadata: Any, pytype: Any) -> BlobReference:
        """Return the reference in the host's message."""
        del trigger_metadata, pytype
        content = json.loads(data.value.content)
        return BlobReference(content["ContainerName"], content["BlobName"])

    @classmethod
    def has_implicit_output(cls) -> bool:
        """Return False: a trigger gives nothing back."""
        return False
