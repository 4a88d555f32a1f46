"""The JSON of the set-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

if TYPE_CHECKING:
    from typing import Self

    from functions.platform.finding import Finding
    from functions.setup.model import PartOverview

PartId = Literal["domain", "keys", "paypal", "mail", "omdb", "neo4j"]


class SetupSetting(Struct, frozen=True):
    """A setting of the function app; its value is never shown."""

    name: str
    given: Annotated[bool, Meta(description="Whether the setting has a value.")]


class SetupPart(Struct, frozen=True):
    """A service or key that an owner configures."""

    id: PartId
    state: Annotated[
        Literal["missing", "stand_in", "ready"],
        Meta(description="`stand_in` if a simulator, a sandbox or a temporary address is used."),
    ]
    settings: tuple[SetupSetting, ...]


class SetupOverview(Struct, frozen=True):
    """What is configured."""

    parts: tuple[SetupPart, ...]

    @classmethod
    def of(cls, parts: tuple[PartOverview, ...]) -> Self:
        """Return the answer for all parts."""
        return cls(
            tuple(
                SetupPart(one.part.value, one.state.value, tuple(SetupSetting(*each) for each in one.settings))
                for one in parts
            )
        )


class ServiceTest(Struct, frozen=True):
    """What happened when a service was queried; `sentence` is for the owner."""

    works: bool
    sentence: str

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Return the answer for a finding."""
        return cls(finding.works, finding.sentence)
