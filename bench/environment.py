"""The environment every measurement runs in, and the words that describe the machine.

Nothing here imports NumPy at module level: BLAS reads its environment once, when it is loaded.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(__file__).resolve().parent / ".cache"

# These pin OpenBLAS to an older kernel or a wrong cache size, up to half the speed of the machine.
PINNED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
PACKAGES = ("svdkit", "numpy", "scipy", "scikit-learn", "torch", "fbpca", "primme", "threadpoolctl")
SIMD = (
    "ssse3",
    "sse4_2",
    "avx",
    "fma",
    "avx2",
    "avx512f",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "asimd",
    "sve",
)


def clean(threads: int) -> None:
    """Give this process, and so its children, native BLAS kernels and one thread count for every pool."""
    if "numpy" in sys.modules:
        raise RuntimeError("the environment must be cleaned before NumPy is imported")
    for name in PINNED:
        os.environ.pop(name, None)
    for name in THREADS:
        os.environ[name] = str(threads)


def child(module: str, *arguments: object, timeout: float | None = None) -> dict[str, Any]:
    """Run ``python -m module arguments`` and return the JSON object on its last line of output."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return {"skipped": f"longer than {timeout:g} s"}
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return {"skipped": f"failed: {words[-1]}"}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def pools() -> list[str]:
    """Every BLAS and OpenMP pool loaded in this process: library, version, kernel, threads."""
    from threadpoolctl import threadpool_info

    found = []
    for info in threadpool_info():
        words = [info["prefix"], info.get("version"), info.get("architecture"), f"x{info['num_threads']}"]
        found.append(" ".join(word for word in words if word))
    if torch := sys.modules.get("torch"):  # its MKL is linked in, where threadpoolctl cannot see it
        found.append(f"torch {torch.backends.cpu.get_cpu_capability()} x{torch.get_num_threads()}")
    return sorted(found)


def machine() -> dict[str, Any]:
    """What a reader needs to judge the numbers: processor, SIMD, memory, versions, BLAS kernels."""
    import numpy  # noqa: F401  (loads the BLAS that pools() describes)
    import scipy.linalg  # noqa: F401

    model, flags = _processor()
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "simd": [flag for flag in SIMD if flag in flags],
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": _versions(PACKAGES),
        "pools": pools(),
    }


def describe(info: dict[str, Any], threads: int) -> str:
    """The machine in three lines, printed above every report."""
    versions = ", ".join(f"{name} {version}" for name, version in info["packages"].items())
    return (
        f"{info['cpu']}, {info['cores']} cores, {info['memory_gb']} GB, {' '.join(info['simd'])}\n"
        f"{threads} threads; BLAS in use: {'; '.join(info['pools'])}\n"
        f"Python {info['python']}, {versions}"
    )


def optional(module: str) -> Any:
    """The module, or None where it cannot be imported."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


class Neighbours:
    """The share of the machine that other processes used since this object was made (Linux; else 0)."""

    def __init__(self) -> None:
        self.start = self._now()

    def share(self) -> float:
        """Between 0 and 1. Above 0.1, take the time with a grain of salt."""
        busy, total, own = (now - then for now, then in zip(self._now(), self.start, strict=True))
        return max(0.0, busy - own) / total if total > 0 else 0.0

    @staticmethod
    def _now() -> tuple[float, float, float]:
        try:
            ticks = [float(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        except OSError:
            return 0.0, 0.0, 0.0
        used, second = os.times(), os.sysconf("SC_CLK_TCK")
        idle = ticks[3] + ticks[4]
        return (sum(ticks) - idle) / second, sum(ticks) / second, used.user + used.system


def _processor() -> tuple[str, Sequence[str]]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine(), ()
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = fields.get("flags", fields.get("Features", "")).split()
    return fields.get("model name", platform.machine()), flags


def _versions(names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
