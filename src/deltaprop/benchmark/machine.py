"""Where it was measured."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from deltaprop._version import __version__
from deltaprop.engines.cores import available_cores

__all__ = ["describe_machine", "machine_line"]


def describe_machine() -> dict[str, Any]:
    """Return what a reader needs to know about this machine.

    Returns
    -------
    dict
        ``processor``, ``cores`` (those this process may use), ``load`` (processes running or
        waiting in the last minute, None where unknown), ``system``, and the versions of
        ``python`` and ``deltaprop``.
    """
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "deltaprop": __version__,
    }


def machine_line(machine: dict[str, Any], versions: dict[str, str]) -> str:
    """Return machine and versions as one sentence."""
    cores = "1 core" if machine["cores"] == 1 else f"{machine['cores']} cores"
    known = {"deltaprop": machine["deltaprop"], "Python": machine["python"], **versions}
    listed = ", ".join(f"{name} {version}" for name, version in known.items())
    load = "" if machine["load"] is None else f", load {machine['load']} at the start"
    return f"{cores} of {machine['processor']} ({machine['system']}){load}; {listed}."


def _processor() -> str:
    facts: dict[str, str] = {}
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    name = facts.get("model name") or platform.processor() or "an unnamed processor"
    wide = [s for s in ("avx2", "avx512f", "avx512_bf16") if s in facts.get("flags", "").split()]
    return f"{name} with {', '.join(wide)}" if wide else name
