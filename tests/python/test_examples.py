"""Every example of the documentation runs, and shows what it says it shows."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest
import svdkit

MODULES = ["svdkit", *(m.name for m in pkgutil.walk_packages(svdkit.__path__, "svdkit.") if "_core" not in m.name)]
README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture(autouse=True)
def restore():
    yield
    svdkit.set_num_threads(None)


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_docstrings(name, capsys):
    tests = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert tests.failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in svdkit.__all__ if not name.startswith("_")])
def test_public_names_are_documented(name):
    assert len((getattr(svdkit, name).__doc__ or "").strip()) > 20


@pytest.mark.parametrize(
    "name", ["tsvd", "svdvals", "load", "SVDResult", "get_num_threads", "set_num_threads", "show_config"]
)
def test_public_functions_have_an_example(name):
    assert ">>>" in getattr(svdkit, name).__doc__


def test_readme():
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
