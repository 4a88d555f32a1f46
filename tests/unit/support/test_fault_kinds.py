"""The fault runs of CI reach each family of faults, and those in full reach each kind."""

from __future__ import annotations

from tests.faults.kinds import FAMILIES, KILLED, RUNS, RUNS_IN_FULL, STOPPED, fault_of_seed, visit_of_seed
from tests.support.storage_links import StorageRefusal

IN_CI = [str(fault_of_seed(seed, in_full=False)) for seed in range(RUNS)]


def test_ci_has_at_least_two_runs_of_each_family() -> None:
    visited = [visit_of_seed(seed)[0] for seed in range(RUNS)]
    assert {family: visited.count(family) for family in FAMILIES if visited.count(family) < 2} == {}


def test_ci_kills_or_stops_each_process() -> None:
    for process in {*KILLED, *STOPPED}:
        assert any(fault.startswith((f"{process} is killed", f"{process} is stopped")) for fault in IN_CI), process


def test_ci_has_each_refusal_of_storage_and_several_faults_of_paypal() -> None:
    for refusal in StorageRefusal:
        assert any(f"storage answers {refusal.status} " in fault for fault in IN_CI), refusal
    assert len({fault.partition(" after ")[0] for fault in IN_CI if fault.startswith("PayPal")}) >= 3


def test_runs_in_full_reach_each_kind() -> None:
    kinds = {(family, place) for family, members in FAMILIES.items() for place in range(len(members))}
    assert {visit_of_seed(seed) for seed in range(RUNS_IN_FULL)} == kinds


def test_a_seed_always_has_the_same_fault() -> None:
    assert [str(fault_of_seed(seed, in_full=False)) for seed in range(RUNS)] == IN_CI
