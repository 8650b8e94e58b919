"""One budget over many matrices, against brute force."""

import itertools

import numpy as np
import pytest
import svdkit
from svdkit import rank


def spectra(rng, count, size):
    return [np.sort(rng.random(size))[::-1] * rng.integers(1, 5) for _ in range(count)]


def best(values, costs, budget, lower, upper):
    """The largest sum of squares that the budget buys, by trying everything."""
    choices = [range(a, b + 1) for a, b in zip(lower, upper, strict=True)]
    affordable = (r for r in itertools.product(*choices) if np.dot(costs, r) <= budget)
    return max(sum(float(np.sum(s[:k] ** 2)) for s, k in zip(values, r, strict=True)) for r in affordable)


def test_equal_costs_are_optimal():
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = spectra(rng, 3, 5)
        budget = int(rng.integers(0, 12))
        found = svdkit.allocate_ranks(values, budget)
        assert found.gap == 0 and found.used <= budget
        assert found.value == pytest.approx(best(values, [1] * 3, budget, [0] * 3, [5] * 3))


def test_unequal_costs_keep_within_the_gap_and_exact_has_none():
    rng = np.random.default_rng(1)
    gaps = []
    for _ in range(100):
        values, costs = spectra(rng, 3, 4), rng.integers(1, 6, 3)
        lower, upper = [0, 1, 0], [4, 3, 4]
        budget = int(costs[1] + rng.integers(0, 25))
        optimum = best(values, costs, budget, lower, upper)
        found = svdkit.allocate_ranks(values, budget, costs, lower=lower, upper=upper)
        assert found.used <= budget and all(a <= r <= b for a, r, b in zip(lower, found, upper, strict=True))
        assert found.value <= optimum + 1e-12 <= found.value + found.gap + 2e-12
        exact = svdkit.allocate_ranks(values, budget, costs, lower=lower, upper=upper, exact=True)
        assert exact.used <= budget and exact.value == pytest.approx(optimum) and exact.gap == 0
        gaps.append(optimum - found.value)
    assert max(gaps) > 0  # the certificate was put to the test


def test_monotone_in_the_budget_and_weighted():
    values = spectra(np.random.default_rng(2), 6, 30)
    kept = [svdkit.allocate_ranks(values, budget).value for budget in range(0, 200, 7)]
    assert all(a <= b for a, b in itertools.pairwise(kept))
    assert svdkit.allocate_ranks(values, 10, weights=[1e6, 0, 0, 0, 0, 0])[0] == 10
    assert list(svdkit.allocate_ranks(values, 1000)) == [30] * 6


def test_ties_go_to_the_first():
    assert list(svdkit.allocate_ranks([[1.0, 1.0], [1.0, 1.0]], 3)) == [2, 1]


def test_nothing_is_bought_that_keeps_nothing():
    assert list(svdkit.allocate_ranks([[1.0, 0.0], [0.0, 0.0]], 4)) == [1, 0]


def test_eva_is_a_counter_over_shares():
    values = spectra(np.random.default_rng(3), 4, 12)
    found = svdkit.allocate_ranks(values, 16, rule="eva", upper=8)
    shares = sorted(
        ((float(s[i] ** 2 / np.sum(s**2)), layer) for layer, s in enumerate(values) for i in range(8)), reverse=True
    )
    counts = np.bincount([layer for _, layer in shares[:16]], minlength=4)
    np.testing.assert_array_equal(found.ranks, counts)


def test_scores_need_no_order():
    rng = np.random.default_rng(4)
    scores = [rng.random(6) for _ in range(3)]
    found = svdkit.allocate_ranks(scores, 7, rule="scores")
    height = np.sort(np.concatenate(scores))[-7]
    assert list(found) == [int(np.count_nonzero(s >= height)) for s in scores]


def test_welore_is_one_height_for_all():
    values = spectra(np.random.default_rng(5), 5, 40)
    found = svdkit.allocate_ranks(values, 70, rule="welore")
    scaled = [(s - s[-1]) / (s[0] - s[-1]) for s in values]
    height = min(z[r - 1] for z, r in zip(scaled, found, strict=True) if r)
    assert sum(found) == 70
    assert list(found) == [int(np.count_nonzero(z >= height)) for z in scaled]


def test_uniform_is_the_recipe_of_svd_llm():
    shapes = [(4096, 4096), (11008, 4096), (4096, 11008)]
    ratio = 0.6
    costs = [m + n for m, n in shapes]
    values = [np.ones(min(shape)) for shape in shapes]
    budget = ratio * sum(m * n for m, n in shapes)
    limits = [m * n / (m + n) for m, n in shapes]
    found = svdkit.allocate_ranks(values, budget, costs, rule="uniform", upper=np.floor(limits))
    assert found.used <= budget
    assert all(abs(r - ratio * limit) <= 1 for r, limit in zip(found, limits, strict=True))


def test_adalora_budget_and_scores():
    budgets = [rank.budget_at(t, 12, 8, 100, 10, 20) for t in range(101)]
    assert budgets[:11] == [12] * 11 and budgets[80:] == [8] * 21
    assert all(a >= b for a, b in itertools.pairwise(budgets))
    sensitivity = rank.Sensitivity()
    w, g = np.array([1.0, -2.0]), np.array([0.5, 0.25])
    first = sensitivity.update(w, g)
    mean = 0.15 * 0.5
    np.testing.assert_allclose(first, mean * 0.15 * (0.5 - mean))
    scores = rank.triplet_scores(np.array([1.0, 2.0]), np.ones((3, 2)), np.array([[1.0, 3.0], [2.0, 2.0]]))
    np.testing.assert_allclose(scores, [4.0, 5.0])


def test_many_long_spectra():
    values = [np.sort(np.random.default_rng(i).random(4096))[::-1] for i in range(20)]
    found = svdkit.allocate_ranks(values, 20_000, [8192 + 64 * (i % 3) for i in range(20)])
    assert found.used <= 20_000 and found.gap >= 0
    assert sum(svdkit.allocate_ranks(values, 20_000)) == 20_000


def test_empty_problem():
    assert list(svdkit.allocate_ranks([], 5)) == []
    assert list(svdkit.allocate_ranks([[]], 5)) == [0]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([[1.0, 2.0]], 1), {}, "descending"),
        (([[np.inf]], 1), {}, r"spectra\[0\]"),
        (([[1.0]], 1, [0.0]), {}, "costs"),
        (([[1.0]], 1, [1.0, 2.0]), {}, "costs"),
        (([[1.0]], 1), {"rule": "best"}, "rule"),
        (([[1.0]], 0), {"lower": 1}, "lower bounds"),
        (([[1.0]], 1, [1.5]), {"exact": True}, "integer"),
        (([[1.0]], 1), {"weights": [-1.0]}, "weights"),
    ],
)
def test_bad_input(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        svdkit.allocate_ranks(*arguments, **options)
