"""Every port of the slices is an effect of a simulation, or the exemption says why not."""

from __future__ import annotations

from tests.simulation.ports import ELSEWHERE, NOT_CALLED, NOT_SIMULATED, PORTS, methods_of, misjudged, protocols
from tests.simulation.wiring import ADAPTERS


def test_every_port_of_the_slices_is_simulated_or_exempt() -> None:
    simulated = {base for _, port, _ in PORTS for base in port.__mro__ if base in protocols()}
    assert {each.__name__ for each in protocols() - simulated} == NOT_SIMULATED.keys()
    assert {name for name, *_ in PORTS} <= ADAPTERS.keys()


def test_every_exemption_names_a_method_of_a_port() -> None:
    methods = {f"{name}.{each}" for name, port, _ in PORTS for each in methods_of(port)}
    assert ELSEWHERE.keys() | NOT_CALLED.keys() <= methods
    assert not ELSEWHERE.keys() & NOT_CALLED.keys()


def test_a_method_that_no_run_has_called_and_an_exemption_that_is_not_needed_are_named() -> None:
    effects = [f"function {name}.{each}" for name, port, _ in PORTS for each in methods_of(port)]
    found = misjudged("watch to recommended", [each for each in effects if "usage.put" not in each])
    assert "usage.put is not called by the flow 'watch to recommended'" in found
    assert "usage.views is called by the flow 'watch to recommended': do not exempt it" in found
    assert not any("usage.view " in each for each in found)
