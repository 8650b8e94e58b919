"""Shared set-up: where the reference lives, and one reproducible hypothesis profile."""

import os
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS))
os.environ.setdefault("MPLBACKEND", "Agg")

hypothesis.settings.register_profile(
    "svdkit",
    deadline=None,
    derandomize=True,
    max_examples=40,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("svdkit")


@pytest.fixture
def rng():
    return np.random.default_rng(20240607)


@pytest.fixture(scope="session")
def data_path():
    return TESTS / "data"
