"""The layer rule: who may know whom, read from includes and imports. No arrow points back."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 450

# cpp/include/svdkit/<layer> and cpp/src/<layer>, lowest first. A layer includes itself and those before it.
CPP_LAYERS = ["base", "blas", "kernel", "op", "solver", "rank"]

# Solvers know one operator: the abstract one. File, operator header: why.
CONCRETE_OPERATORS = {
    ("cpp/src/solver/pcp.cpp", "svdkit/op/dense.hpp"): "the iterates are dense matrices of its own",
    ("cpp/src/solver/value_threshold.cpp", "svdkit/op/dense.hpp"): "the same",
    ("cpp/src/solver/robust_start.cpp", "svdkit/op/scaled.hpp"): "a start is the SVD of X with rows and columns damped",
    ("cpp/src/solver/robust_start.cpp", "svdkit/op/trimmed.hpp"): "and its far-off cells replaced",
    ("cpp/src/solver/incremental/whole_batch.cpp", "svdkit/op/dense.hpp"): "small extended matrices, written out",
    ("cpp/src/solver/in_range.cpp", "svdkit/op/multiple.hpp"): "brings any operator into range by a power of two",
}

# The Python package, lowest first. Modules in no row are public ones; packages stand for all they contain.
PRIVATE = 1  # the extension module, the gate, the result, errors
PUBLIC = 2
TOP = 3
TOP_MODULES = {"__init__", "__main__", "_demo", "interop", "plot"}
LOW_PUBLIC_NAMES = {"errors"}

# Imports that point up, all inside functions. Importer, imported: why.
UPWARD_IMPORTS = {
    ("_result", "operators"): "to_operator() makes an operator of a result",
}

CPP_FILES = sorted(p for p in (ROOT / "cpp").rglob("*") if p.suffix in {".hpp", ".cpp", ".h", ".cu", ".cuh"})
PYTHON_FILES = sorted((ROOT / "python" / "svdkit").rglob("*.py"))
BINDING_FILES = sorted((ROOT / "python" / "bindings").rglob("*.[ch]pp"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def cpp_layer(include: str) -> str | None:
    """The layer of `svdkit/<layer>/...`; None for anything else."""
    match = re.fullmatch(r"svdkit/(\w+)/.+", include)
    return match[1] if match else None


def includes(path: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s*[<"]([^">]+)', path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", CPP_FILES, ids=name)
def test_cpp_includes_point_down(path: Path) -> None:
    relative = path.relative_to(ROOT / "cpp").parts
    folders = relative[2:-1] if relative[0] == "include" else relative[1:-1]
    own = folders[0] if folders and folders[0] in CPP_LAYERS else None
    for include in includes(path):
        assert not re.search(r"Python\.h|nanobind|numpy", include), f"{include}: nothing in cpp/ knows Python"
        layer = cpp_layer(include)
        assert own is None or include != "svdkit/svdkit.hpp", "the umbrella header is for users"
        if own is None or layer is None:
            continue
        assert layer in CPP_LAYERS, f"{include}: layer '{layer}' is not in the list above"
        assert CPP_LAYERS.index(layer) <= CPP_LAYERS.index(own), f"{own} must not know {include}"
        if own == "solver" and layer == "op" and include != "svdkit/op/operator.hpp":
            assert (name(path), include) in CONCRETE_OPERATORS, f"{include}: solvers never name a concrete operator"


def python_module(path: Path) -> str:
    """`svdkit/rank/rules.py` is the module `rank`: layers are those of the first name."""
    return path.relative_to(ROOT / "python" / "svdkit").with_suffix("").parts[0]


def python_layer(module: str) -> int:
    if module in TOP_MODULES:
        return TOP
    return PRIVATE if module.startswith("_") or module in LOW_PUBLIC_NAMES else PUBLIC


def imports(path: Path) -> set[str]:
    """The modules of svdkit that a file imports anywhere; `__init__` for a name of the package itself."""
    package = ("svdkit", *path.relative_to(ROOT / "python" / "svdkit").parts[:-1])
    found: set[tuple[str, ...]] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            full = (*base, *(node.module.split(".") if node.module else ()))
            found.update((*full, alias.name) for alias in node.names)
    modules = {python_module(p) for p in PYTHON_FILES} | {"_core"}
    inside = {parts[1] if len(parts) > 1 else "__init__" for parts in found if parts[:1] == ("svdkit",)}
    return {module if module in modules else "__init__" for module in inside}


@pytest.mark.parametrize("path", PYTHON_FILES, ids=name)
def test_python_imports_point_down(path: Path) -> None:
    own = python_module(path)
    for module in imports(path) - {own}:
        if (own, module) not in UPWARD_IMPORTS:
            assert python_layer(module) <= python_layer(own), f"{own} must not know {module}"


@pytest.mark.parametrize("path", BINDING_FILES, ids=name)
def test_bindings_know_only_the_library(path: Path) -> None:
    for include in includes(path):
        assert (cpp_layer(include) or "base") in CPP_LAYERS, f"{include}: layer not in the list above"


@pytest.mark.parametrize("path", [*CPP_FILES, *PYTHON_FILES, *BINDING_FILES], ids=name)
def test_files_stay_short(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= MAX_LINES, f"{lines} lines: one noun per file, {MAX_LINES} lines at most"


def test_exceptions_are_needed() -> None:
    """An exception that no file uses any more is removed from its table."""
    for file, include in CONCRETE_OPERATORS:
        assert include in includes(ROOT / file)
    for importer, imported in UPWARD_IMPORTS:
        assert any(python_module(p) == importer and imported in imports(p) for p in PYTHON_FILES)
