"""Memory of the OPC UA server's process with 10,000 tags: as it starts, and after a client has read and monitored all of them."""

from __future__ import annotations

import time

from tests.bench.measure import Result
from tests.bench.programs import load
from tests.bench.servers import big_site, missing_node, node_client, resident_mb, scanned, server_over, skipped

TAGS, BAR_MB = 10_000, 300


def run() -> list[Result]:
    """What `make bench` shows."""
    site = load(big_site(TAGS, TAGS - 1000))
    names = [f"ns=2;s={tag.name}" for tag in site.schedule.tags if tag.name.startswith("load.")]
    results = []
    with scanned(site) as folder, server_over(site, folder, "opcua", port="0") as (pid, address):
        time.sleep(2)
        results.append(Result(f"OPC UA: memory with {len(names):,} tags", resident_mb(pid), "MB", BAR_MB))
        why = missing_node()
        if why:
            skipped("servers_memory", why)
            return results
        with node_client(address) as client:
            client("read", nodes=names, times=2)
            client("subscribe", nodes=names, every=100, sampling=100, queue=10)
            time.sleep(5)
            results.append(Result(f"OPC UA: memory, {len(names):,} tags read and monitored", resident_mb(pid), "MB", BAR_MB))
    return results


if __name__ == "__main__":
    for result in run():
        print(f"{result.name:60} {result.value:10.2f} {result.unit}{'' if result.holds else '  (too much)'}")
