"""The switches by which the simulator is made to misbehave; all are off again after a restart."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from infra.local.simulators.paypal.forgery import MODES

GENUINE = "genuine"


class WrongSwitch(Exception):
    """A switch that does not exist or cannot stand so; the message says what it takes."""


@dataclass(slots=True)
class Fault:
    """The next `count` calls below `path` are answered with `status`, `before` they act or `after`."""

    status: int
    count: int = 1
    path: str = "/v1/"
    when: str = "before"


@dataclass(slots=True)
class Signing:
    """The next `count` transmissions are sent in this mode."""

    mode: str = GENUINE
    count: int = 0


@dataclass(slots=True)
class Switches:
    """How PayPal behaves; the defaults are its own behaviour."""

    delivery: str = "normal"
    copies: int = 1
    delay_s: float = 0.0
    order: str = "in"
    signing: Signing = field(default_factory=Signing)
    slow_ms: float = 0.0
    fault: Fault | None = None
    payments: str = "succeed"
    billing_time: str = "10:00"
    token_seconds: int = 32_400

    def change(self, wanted: dict[str, Any]) -> None:
        """Set the switches named in `wanted`, all or none; raise WrongSwitch."""
        values = {name: _read(name, value) for name, value in wanted.items()}
        for name, value in values.items():
            setattr(self, name, value)

    def reset(self) -> None:
        """Behave well again."""
        fresh = Switches()
        for each in fields(self):
            setattr(self, each.name, getattr(fresh, each.name))

    def take_fault(self, path: str) -> Fault | None:
        """Return the fault that strikes a call to `path`, which uses it up by one."""
        fault = self.fault
        if fault is None or not path.startswith(fault.path):
            return None
        fault.count -= 1
        if fault.count <= 0:
            self.fault = None
        return fault

    def take_mode(self) -> str:
        """Return the mode of the next transmission, which uses it up by one."""
        if self.signing.count <= 0:
            return GENUINE
        self.signing.count -= 1
        return self.signing.mode


_CHOICES = {
    "delivery": ("normal", "hold", "lose"),
    "order": ("in", "reversed", "shuffled"),
    "payments": ("succeed", "fail"),
    "billing_time": ("10:00", "exact"),
}
_NUMBERS = {"copies": (1, 100), "delay_s": (0, 86_400), "slow_ms": (0, 60_000), "token_seconds": (1, 86_400)}


def _read(name: str, value: Any) -> Any:
    if name in _CHOICES:
        return _choice(name, value, _CHOICES[name])
    if name in _NUMBERS:
        least, most = _NUMBERS[name]
        return _number(name, value, least, most)
    if name == "signing":
        given = _object(name, value)
        mode = _choice("signing.mode", given.get("mode", GENUINE), MODES)
        return Signing(mode, int(_number("signing.count", given.get("count", 1), 0, 1_000_000)))
    if name == "fault":
        if value is None:
            return None
        given = _object(name, value)
        return Fault(
            int(_choice("fault.status", given.get("status", 500), (429, 500, 503))),
            int(_number("fault.count", given.get("count", 1), 1, 1_000_000)),
            str(given.get("path", "/v1/")),
            _choice("fault.when", given.get("when", "before"), ("before", "after")),
        )
    raise WrongSwitch(f"There is no switch {name}; there are {', '.join(each.name for each in fields(Switches))}.")


def _choice(name: str, value: Any, options: tuple[Any, ...]) -> Any:
    if value not in options:
        raise WrongSwitch(f"{name} is one of {', '.join(map(str, options))}, not {value!r}.")
    return value


def _number(name: str, value: Any, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise WrongSwitch(f"{name} is a number from {least} to {most}, not {value!r}.")
    return value


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongSwitch(f"{name} is an object, not {value!r}.")
    return value
