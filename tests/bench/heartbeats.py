"""`./notflix bench heartbeats`: latency and order of the heartbeats of a thousand concurrent viewers."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient

from functions.platform.signed_tokens import SignedTokens
from functions.usage.mongo import MongoUsage
from infra.local.stores.credentials import load_or_make
from tests.bench._measure import conclude, cpu_of_tree, say
from tests.bench._product import product
from tests.support.audience import Audience

GOALS = {"p99_ms": 100.0, "backwards": 0.0, "lost": 0.0, "refused": 0.0}
EVERY_S = 15.0


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench heartbeats", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer viewers, for a shorter time")
    quick = parser.parse_args().quick
    viewers, seconds = (200, 20.0) if quick else (1000, 60.0)

    with product() as own:
        say("Starting the product …")
        own.up()
        endpoints = json.loads(own.home.endpoints_file.read_text(encoding="utf-8"))
        tickets = SignedTokens(load_or_make(own.home.secrets_file).signing_key, lambda: datetime.now(UTC))
        with MongoClient[dict[str, Any]](endpoints["mongo"], tz_aware=True) as client:
            store = MongoUsage(client["notflix"])
            say(f"Opening a film for {viewers} viewers …")
            now = datetime.now(UTC)
            audience = Audience(endpoints["api"], store, tickets, now, viewers=viewers, every_s=EVERY_S)
            say(f"{viewers} viewers watch for {seconds:.0f} s, a heartbeat every {EVERY_S:.0f} s each …")
            servers = {part: own.pids(part)[0] for part in ("api", "secantus")}
            before = {part: cpu_of_tree(pid) for part, pid in servers.items()}
            report = audience.watch(seconds)
            cpu_s = {part: cpu_of_tree(pid) - before[part] for part, pid in servers.items()}
            lost = audience.lost()
    figures = {
        "viewers": float(viewers),
        "heartbeats": float(len(report.latencies_s)),
        "p50_ms": report.quantile_ms(0.5),
        "p99_ms": report.quantile_ms(0.99),
        "api_cpu_ms": cpu_s["api"] * 1000 / audience.sent,
        "store_cpu_ms": cpu_s["secantus"] * 1000 / audience.sent,
        "backwards": float(report.backwards),
        "lost": float(lost),
        "refused": float(report.refused + report.unanswered),
    }
    return conclude("heartbeats", figures, GOALS)


if __name__ == "__main__":
    raise SystemExit(main())
