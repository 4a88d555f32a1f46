"""The kinds of faults, and the fault of each seed."""

from __future__ import annotations

import errno
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from tests.support.faulty_files import READS, WRITES
from tests.support.links import Condition, Cutting, Silent, Slow, Trickling
from tests.support.storage_links import Refusing, StorageRefusal

if TYPE_CHECKING:
    from tests.faults.breakable import BreakableProduct

type Injected = AbstractContextManager[None]

TIMEOUT_S = 30
RUNS, RUNS_IN_FULL = 40, 500
"""The number of runs in CI, and in full."""


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault that begins `after_s` seconds after the work does, and lasts for `lasts_s` seconds.

    The fault is present inside the context that `inject` returns. `lacks` says why this machine cannot inject it.
    """

    what: str
    after_s: float
    lasts_s: float
    inject: Callable[[BreakableProduct], Injected]
    lacks: Callable[[BreakableProduct], str | None] = lambda product: None

    def __str__(self) -> str:
        """Return a description."""
        lasts = f" for {self.lasts_s:.1f} s" if self.lasts_s else ""
        return f"{self.what} after {self.after_s:.2f} s{lasts}"


@dataclass(frozen=True, slots=True)
class Moments:
    """The random choices of a seed."""

    chance: random.Random
    in_full: bool

    def fault(
        self,
        what: str,
        inject: Callable[[BreakableProduct], Injected],
        lacks: Callable[[BreakableProduct], str | None] = lambda product: None,
        *,
        at_once: bool = False,
        least_s: float = 0.5,
    ) -> InjectedFault:
        """Return a fault at a random moment; it lasts at least `least_s`, or is over at once if `at_once`."""
        after_s = self.chance.uniform(0, 1.5)
        lasts_s = 0.0 if at_once else self.chance.uniform(least_s, 12.0 if self.in_full else 3.0)
        return InjectedFault(what, after_s, lasts_s, inject, lacks)


Kind = Callable[[Moments], InjectedFault]


# Processes


def killed(service: str) -> Kind:
    """Return the kind in which a process is killed."""

    def inject(product: BreakableProduct) -> Injected:
        _signal(product, service, signal.SIGKILL)
        return nullcontext()

    return lambda moments: moments.fault(f"{service} is killed", inject, at_once=True)


def stopped(service: str) -> Kind:
    """Return the kind in which a process is stopped, and continues."""

    @contextmanager
    def inject(product: BreakableProduct) -> Iterator[None]:
        pid = _signal(product, service, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    return lambda moments: moments.fault(f"{service} is stopped", inject)


def _signal(product: BreakableProduct, service: str, number: signal.Signals) -> int:
    pid = product.pid_of(service)
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    return pid


# The network


CONDITIONS: dict[str, Callable[[random.Random], Condition]] = {
    "is cut": Cutting,
    "goes silent": lambda chance: Silent(),
    "is slow": Slow,
    "trickles": lambda chance: Trickling(),
}


def network(link: str, how: str) -> Kind:
    """Return the kind in which a link has one of the CONDITIONS."""

    def make(moments: Moments) -> InjectedFault:
        condition = CONDITIONS[how](moments.chance)
        return moments.fault(f"the link to {link} {how}", lambda product: product.links[link].under(condition))

    return make


# Storage


def refused(service: str, refusal: StorageRefusal) -> Kind:
    """Return the kind in which storage refuses a share of all requests."""

    def make(moments: Moments) -> InjectedFault:
        refusing = Refusing(refusal, moments.chance.choice((0.2, 0.5, 1.0)), moments.chance)
        what = f"{service} storage answers {refusal.status} to {refusing.share:.0%} of requests"
        return moments.fault(what, lambda product: product.storage[service].that_refuses(refusing))

    return make


# Disks


def full_disk() -> Kind:
    """Return the kind in which the disk of the whole product is full."""

    def inject(product: BreakableProduct) -> Injected:
        assert product.disk
        return product.disk.full()

    def lacks(product: BreakableProduct) -> str | None:
        return None if product.disk else "only root can mount a disk"

    return lambda moments: moments.fault("the disk is full", inject, lacks)


def io_errors(service: str, operations: tuple[str, ...]) -> Kind:
    """Return the kind in which a share of a store's reads or writes fails."""

    def make(moments: Moments) -> InjectedFault:
        share = moments.chance.choice((0.05, 0.3, 1.0))

        def inject(product: BreakableProduct) -> Injected:
            assert product.files
            return product.files.failing(product.pid_of(service), operations, error=errno.EIO, share=share)

        what = f"{share:.0%} of the {'writes' if operations is WRITES else 'reads'} of {service} fail"
        return moments.fault(what, inject, lambda product: None if product.files else "libfiu is not installed")

    return make


# Clocks

CLOCK_IS_READ_WITHIN_S = 1.5
"""Once a second, libfaketime reads the time that a process should see."""


def clock_jump(host: str, hours: float) -> Kind:
    """Return the kind in which the clock of a host jumps, and is corrected."""

    @contextmanager
    def inject(product: BreakableProduct) -> Iterator[None]:
        product.clocks[host].set(int(hours * 3600))
        try:
            yield
        finally:
            product.clocks[host].set(0)

    def lacks(product: BreakableProduct) -> str | None:
        return None if product.clocks else "libfaketime is not installed"

    what = f"the clock of {host} jumps by {hours:+g} hours"
    return lambda moments: moments.fault(what, inject, lacks, least_s=CLOCK_IS_READ_WITHIN_S)


# Partners


def omdb(fault: str) -> Kind:
    """Return the kind in which OMDb's simulator has one of its faults."""

    @contextmanager
    def inject(product: BreakableProduct) -> Iterator[None]:
        address = f"{product.product.endpoints['omdb']}/simulate"
        requests.post(address, params={"fault": fault}, timeout=TIMEOUT_S).raise_for_status()
        try:
            yield
        finally:
            requests.post(address, params={"fault": "none"}, timeout=TIMEOUT_S).raise_for_status()

    return lambda moments: moments.fault(f"OMDb has the fault {fault!r}", inject)


def paypal(what: str, **switches: object) -> Kind:
    """Return the kind in which these switches of PayPal's simulator are set."""

    @contextmanager
    def inject(product: BreakableProduct) -> Iterator[None]:
        address = f"{product.product.endpoints['paypal']}/_simulator/switches"
        requests.patch(address, json=switches, timeout=TIMEOUT_S).raise_for_status()
        try:
            yield
        finally:
            requests.delete(address, timeout=TIMEOUT_S).raise_for_status()

    return lambda moments: moments.fault(f"PayPal {what}", inject)


def paypal_tokens_expire() -> Kind:
    """Return the kind in which PayPal no longer accepts the access tokens that it has issued."""

    def inject(product: BreakableProduct) -> Injected:
        address = f"{product.product.endpoints['paypal']}/_simulator/tokens/expire"
        requests.post(address, json={}, timeout=TIMEOUT_S).raise_for_status()
        return nullcontext()

    return lambda moments: moments.fault("PayPal's tokens expire", inject, at_once=True)


# The fault of a seed

KILLED = ("secantus", "api", "mariadb", "redis", "encoder", "arcadedb", "mail", "omdb", "paypal", "site")
"""A killed Azurite loses what it acknowledged in its last moments, which no storage in Azure does;
`test_encoding_storage` covers that."""
STOPPED = ("azurite", "mail", "paypal", "omdb", "site", "mariadb", "api", "encoder", "secantus", "redis", "arcadedb")
LINKS = ("secantus", "blob", "mariadb", "queue", "redis", "webhooks", "arcadedb", "omdb", "mail")
STORES = ("secantus", "mariadb", "redis", "azurite", "arcadedb")
REFUSALS = (
    ("blob", StorageRefusal.BUSY),
    ("blob", StorageRefusal.CHANGED),
    ("queue", StorageRefusal.TIMED_OUT),
    ("queue", StorageRefusal.THROTTLED),
    ("queue", StorageRefusal.BUSY),
    ("queue", StorageRefusal.CHANGED),
    ("blob", StorageRefusal.TIMED_OUT),
    ("blob", StorageRefusal.THROTTLED),
)
JUMPS = (("api", 2), ("encoder", -2), ("encoder", 36), ("api", -0.1), ("encoder", 2), ("api", -2), ("api", 36))

FAMILIES: dict[str, tuple[Kind, ...]] = {
    "killed process": tuple(map(killed, KILLED)),
    "stopped process": tuple(map(stopped, STOPPED)),
    # each condition begins with other links, so that few runs reach many links
    "cut link": tuple(network(link, "is cut") for link in LINKS),
    "silent link": tuple(network(link, "goes silent") for link in LINKS[2:] + LINKS[:2]),
    "slow link": tuple(network(link, "is slow") for link in LINKS[4:] + LINKS[:4]),
    "trickling link": tuple(network(link, "trickles") for link in LINKS[6:] + LINKS[:6]),
    "refusing storage": tuple(refused(service, refusal) for service, refusal in REFUSALS),
    "full disk": (full_disk(),),
    "failing writes": tuple(io_errors(store, WRITES) for store in STORES),
    "failing reads": tuple(io_errors(store, READS) for store in STORES),
    "wrong clock": tuple(clock_jump(host, hours) for host, hours in (*JUMPS, ("encoder", -0.1))),
    "OMDb": tuple(map(omdb, ("down", "garbage", "slow", "500", "quota", "key"))),
    "PayPal": (
        paypal("fails after it has done what was asked", fault={"status": 500, "count": 1000, "when": "after"}),
        paypal("holds its events back", delivery="hold"),
        paypal_tokens_expire(),
        paypal("sends each event three times, in the wrong order", copies=3, order="reversed"),
        paypal("is busy", fault={"status": 503, "count": 1000}),
        paypal("refuses so many calls", fault={"status": 429, "count": 1000}),
        paypal("answers with the page of its gateway", fault={"status": 502, "count": 1000}),
        paypal("is slow", slow_ms=15_000),
    ),
}
"""The kinds of each family; those that differ most come first, because few runs reach only these."""

ROUND = (
    *("killed process", "cut link", "refusing storage", "PayPal", "stopped process"),
    *("silent link", "failing writes", "wrong clock", "killed process", "slow link"),
    *("PayPal", "stopped process", "full disk", "OMDb", "wrong clock"),
    *("killed process", "trickling link", "failing reads", "refusing storage", "stopped process"),
)
"""The families that consecutive seeds visit, again and again; each family visits its kinds in turn."""


def visit_of_seed(seed: int) -> tuple[str, int]:
    """Return the family that a seed visits, and the place of its kind in the family."""
    turn, place = divmod(seed, len(ROUND))
    family = ROUND[place]
    earlier = turn * ROUND.count(family) + ROUND[:place].count(family)
    return family, earlier % len(FAMILIES[family])


def fault_of_seed(seed: int, *, in_full: bool) -> InjectedFault:
    """Return the fault of a seed; `in_full` permits longer faults."""
    family, place = visit_of_seed(seed)
    return FAMILIES[family][place](Moments(random.Random(seed), in_full))
