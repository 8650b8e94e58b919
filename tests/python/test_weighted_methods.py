"""The named methods of model compression on a real layer: each is one call, and none beats it at its own goal."""

from pathlib import Path

import numpy as np
import pytest
from recipes import RECIPES, as_metrics, quadratic
from svdkit import Metric, weighted_svd

DATA = Path(__file__).parents[1] / "data" / "minilm_layer1_query.npz"


@pytest.fixture(scope="module")
def layer():
    with np.load(DATA) as file:
        return {name: file[name].astype(float) for name in ("W", "moment", "fisher", "outgrad")}


@pytest.mark.parametrize("k", [1, 8, 32, 60])
@pytest.mark.parametrize("name", RECIPES)
def test_one_call_reaches_the_goal_of_every_method(layer, name, k):
    Z, goal = RECIPES[name](*layer.values(), k)
    result = weighted_svd(layer["W"], k, **as_metrics(name, *layer.values()))
    ours = goal(result.reconstruct())
    assert ours <= goal(Z) * (1 + 1e-10)
    assert ours == pytest.approx(goal(Z), rel=1e-7)  # each method is exact for its own goal
    assert result.loss == pytest.approx(ours, rel=1e-9)


@pytest.mark.parametrize("k", [4, 16, 48])
def test_on_the_outputs_of_the_layer_nothing_is_better(layer, k):
    """||(W - Z) X||: SVD-LLM and EoRA reach the optimum, the others cannot pass it."""
    W, moment = layer["W"], layer["moment"]
    goal = quadratic(W, np.eye(len(W)), moment)
    least = goal(weighted_svd(W, k, cols=moment).reconstruct())
    losses = {name: goal(recipe(*layer.values(), k)[0]) for name, recipe in RECIPES.items()}
    assert all(least <= value * (1 + 1e-10) for value in losses.values())
    for name in ("SVD-LLM", "SVD-LLM v2", "EoRA"):
        assert losses[name] == pytest.approx(least, rel=1e-8)
    assert losses["plain SVD"] > 1.01 * least and losses["ASVD"] > 1.0001 * least


def test_single_precision_reaches_the_same_optimum(layer):
    W, moment = layer["W"], layer["moment"]
    goal = quadratic(W, np.eye(len(W)), moment)
    single = weighted_svd(W.astype(np.float32), 16, cols=moment.astype(np.float32))
    assert single.U.dtype == np.float32
    assert goal(single.reconstruct().astype(float)) <= goal(weighted_svd(W, 16, cols=moment).reconstruct()) * (1 + 1e-6)


def test_adapters_take_either_end_and_leave_the_rest(layer):
    """CorDA: instruction mode trains the largest triplets, knowledge mode the smallest; W = residual + adapter."""
    W, moment = layer["W"], layer["moment"]
    metric = Metric(factor=moment)
    s = np.linalg.svd(W @ moment, compute_uv=False)
    for which, kept in (("largest", s[:8]), ("smallest", s[-8:])):
        adapter = weighted_svd(W, 8, cols=metric, which=which).reconstruct()
        assert np.linalg.norm(adapter @ moment) ** 2 == pytest.approx(np.sum(kept**2), rel=1e-9)
        assert np.linalg.norm((W - adapter) @ moment) ** 2 == pytest.approx(np.sum(s**2) - np.sum(kept**2), rel=1e-9)


def test_few_calibration_samples_need_no_ridge():
    """Fewer tokens than channels: `keep` is as good on fresh tokens as a small ridge, and better than zero."""
    rng = np.random.default_rng(3)
    n, k = 100, 20
    mixing = np.linalg.qr(rng.standard_normal((n, n)))[0] * np.arange(1, n + 1) ** -0.8
    W = rng.standard_normal((80, n))
    fresh = mixing @ rng.standard_normal((n, 4000))
    X = mixing @ rng.standard_normal((n, 40))

    def error(B):
        return np.linalg.norm((W - B) @ fresh) / np.linalg.norm(W @ fresh)

    keep = error(weighted_svd(W, k, cols=Metric(samples=X)).reconstruct())
    zero = error(weighted_svd(W, k, cols=Metric(samples=X), unseen="zero").reconstruct())
    ridge = error(weighted_svd(W, k, cols=Metric(samples=X, ridge=1e-9)).reconstruct())
    assert keep == pytest.approx(ridge, rel=1e-4)
    assert keep < 0.97 * zero
