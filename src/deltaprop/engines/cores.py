"""How many cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["available_cores"]

_QUOTA = Path("/sys/fs/cgroup/cpu.max")
# set by joblib for its workers, and by users, to keep several processes from one core
_LIMITS = ("DELTAPROP_NUM_THREADS", "OMP_NUM_THREADS")


def available_cores() -> int:
    """Return how many threads run at once here without sharing a core, at least 1.

    The least of: the cores this process is allowed on, a container's quota, and
    DELTAPROP_NUM_THREADS or OMP_NUM_THREADS where one is set (joblib sets the latter in its
    workers).
    """
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    for name in _LIMITS:
        value = os.environ.get(name, "").partition(",")[0].strip()
        if value.isdigit() and int(value) > 0:
            allowed = min(allowed, int(value))
            break
    return max(1, min(allowed, _quota()))


def _quota() -> int:
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()[:2]
        return max(1, int(int(quota) / int(period)))
    except (OSError, ValueError):  # no container, or "max"
        return 1 << 20
