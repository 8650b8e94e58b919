"""The example of examples/ runs, from its own film and made up, and robust methods beat the plain one there."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("video_background", EXAMPLES / "video_background.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_made_up_film(example):
    film = example.tamper(example.make(frames=60))
    answers = example.fit(film)
    scores = {name: example.judge(film, answer) for name, answer in answers.items()}
    for robust in ("robust_svd", "l1_svd"):
        assert scores[robust][0] < 1 < 2.5 < scores["tsvd"][0]
        assert scores[robust][1] > 0.95
        everything = answers[robust].mask[:, film.tampered]
        assert everything.mean() > 0.8  # tampered frames are marked


def test_main_with_its_own_film(example, tmp_path, capsys, monkeypatch):
    with np.load(EXAMPLES / "walkers.npz") as file:
        X, height_width = file["X"][:, ::4], file["height_width"]
    np.savez(tmp_path / "film.npz", X=X, height_width=height_width)
    example.main([str(tmp_path / "film.npz"), "--out", str(tmp_path / "pictures")])
    printed = capsys.readouterr().out
    errors = {name: float(rmse) for name, rmse in re.findall(r"(\w+) +background RMSE +([\d.]+)", printed)}
    assert errors["robust_svd"] < errors["tsvd"] and errors["l1_svd"] < errors["tsvd"]
    assert (tmp_path / "pictures" / "film_background.png").stat().st_size > 10_000
    assert "as it is" in printed and "4 frames tampered with" in printed


def test_page():
    page = (EXAMPLES.parent / "docs" / "video_background.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/video_background.md", "exec"), {})
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", page):
        assert (EXAMPLES.parent / "docs" / picture).exists()
