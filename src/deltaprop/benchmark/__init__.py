"""Speed: the same training by deltaprop and by other libraries, measured side by side."""

from __future__ import annotations

from deltaprop.benchmark.machine import describe_machine
from deltaprop.benchmark.measuring import LeftOut, Measurement, Results, Worker, measure
from deltaprop.benchmark.peers import PEERS, peer_named
from deltaprop.benchmark.tables import Comparison, geometric_mean
from deltaprop.benchmark.workloads import WORKLOADS, Workload, workload_named

__all__ = [
    "PEERS",
    "WORKLOADS",
    "Comparison",
    "LeftOut",
    "Measurement",
    "Results",
    "Worker",
    "Workload",
    "describe_machine",
    "geometric_mean",
    "measure",
    "peer_named",
    "workload_named",
]
