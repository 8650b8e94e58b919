"""Shared set-up: where the reference lives, and how hypothesis searches."""

import os
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS))
os.environ.setdefault("MPLBACKEND", "Agg")

# "svdkit" is what every run uses; `--hypothesis-profile=search` looks for new failures.
SLOW = [hypothesis.HealthCheck.too_slow]
PROFILE = {"deadline": None, "database": None, "suppress_health_check": SLOW}
hypothesis.settings.register_profile("svdkit", derandomize=True, max_examples=100, **PROFILE)
hypothesis.settings.register_profile("search", derandomize=False, max_examples=2000, **PROFILE)
hypothesis.settings.load_profile("svdkit")


@pytest.fixture
def rng():
    return np.random.default_rng(20240607)


@pytest.fixture(scope="session")
def data_path():
    return TESTS / "data"
