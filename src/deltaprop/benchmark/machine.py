"""Where it was measured."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from deltaprop._version import __version__
from deltaprop.compiled import compiled_part
from deltaprop.engines.cores import available_cores

__all__ = ["describe_machine", "machine_line"]


def describe_machine() -> dict[str, Any]:
    """Return what a reader needs to know about this machine.

    Returns
    -------
    dict
        ``processor``, ``cores`` (those this process may use), ``load`` (processes running or
        waiting in the last minute, None where unknown), ``system``, ``kernels`` (which build of
        the native engine runs, and by which compiler; None where there is none), and the versions
        of ``python`` and ``deltaprop``.
    """
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "kernels": _kernels(),
        "python": platform.python_version(),
        "deltaprop": __version__,
    }


def machine_line(machine: dict[str, Any], versions: dict[str, str]) -> str:
    """Return machine and versions as one sentence."""
    cores = "1 core" if machine["cores"] == 1 else f"{machine['cores']} cores"
    known = {"deltaprop": machine["deltaprop"], "Python": machine["python"], **versions}
    listed = ", ".join(f"{name} {version}" for name, version in known.items())
    load = "" if machine["load"] is None else f", load {machine['load']} at the start"
    kernels = f"; kernels for {machine['kernels']}" if machine.get("kernels") else ""
    return f"{cores} of {machine['processor']} ({machine['system']}){load}{kernels}; {listed}."


def _kernels() -> str | None:
    native = compiled_part()
    if native is None:
        return None
    info = native.build_info()
    how = "" if info["build_type"] == "Release" else f" ({info['build_type']})"
    build = os.environ.get("DELTAPROP_BUILD", native.instruction_sets()[0])
    return f"{build} by {info['compiler']} {info['compiler_version']}{how}"


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
    native = compiled_part()
    features = [] if native is None else native.cpu_features()
    wide = [s for s in ("avx2", "avx512f", "avx512bf16") if s in features]
    return f"{name} with {', '.join(wide)}" if wide else name
