"""Rank rules that look at the matrix: parallel analysis, bi-cross-validation, divergence criterion."""

import numpy as np
import pytest
import scipy.sparse
import svdkit
from reference import planted
from svdkit import rank

RULES = [
    rank.ParallelAnalysis(),
    rank.ParallelAnalysis("signflip"),
    rank.BiCrossValidation(),
    rank.BiCrossValidation(folds=(3, 2), repeats=2),
    rank.DICMR(),
    rank.DICMR(alpha=1.0, variant="rsvddpd", fit=svdkit.tsvd),
]


def choose(rule, a):
    return svdkit.select_rank(svdkit.svdvals(a, 12), rule, shape=a.shape, data=a)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_planted_rank(rule):
    assert [choose(rule, planted(seed, 120, 70)) for seed in range(5)].count(4) >= 4


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_noise_alone_has_rank_zero(rule):
    assert choose(rule, np.random.default_rng(0).standard_normal((100, 60))) <= 1


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_repeatable_and_without_scale(rule):
    a = planted(9, 90, 60)
    first, again, scaled = (
        rank.decide(svdkit.svdvals(x, 12), rule, shape=a.shape, data=x) for x in (a, a, np.ldexp(a, 40))
    )
    assert first.rank == again.rank == scaled.rank
    np.testing.assert_array_equal(first.scores, again.scores)


def test_signflips_serve_unequal_noise():
    size = np.geomspace(0.2, 5, 200)[:, None]
    noise = [size * np.random.default_rng(seed).standard_normal((200, 80)) for seed in range(5)]
    signflip, permutation = (
        sum(choose(rank.ParallelAnalysis(null), a) for a in noise) for null in ("signflip", "permutation")
    )
    assert 10 * signflip < permutation


def test_deflation_uncovers_shadowed_factors():
    a = planted(2, 300, 120, (200.0, 2.6, 2.4))
    plain, deflated = (choose(rank.ParallelAnalysis(deflate=d), a) for d in (False, True))
    assert plain < 3 <= deflated <= 4  # the remainder of noise is a little larger than its permutations


def test_held_out_errors_are_those_of_explicit_prediction():
    a, rule = planted(4, 30, 20), rank.BiCrossValidation(kmax=5, rng=1)
    scores = rank.decide(svdkit.svdvals(a, 5), rule, shape=a.shape, data=a).scores
    rng, expected = np.random.default_rng(1), np.zeros(6)
    rows, cols = np.array_split(rng.permutation(30), 2), np.array_split(rng.permutation(20), 2)
    for i in range(2):
        for j in range(2):
            A, B = a[np.ix_(rows[i], cols[j])], a[np.ix_(rows[i], cols[1 - j])]
            C, D = a[np.ix_(rows[1 - i], cols[j])], a[np.ix_(rows[1 - i], cols[1 - j])]
            U, s, Vh = np.linalg.svd(D, full_matrices=False)
            for k in range(6):
                pseudo_inverse = (Vh[:k].T / s[:k]) @ U[:, :k].T
                expected[k] += np.sum((A - B @ pseudo_inverse @ C) ** 2)
    # Which of the two blocks is held out first does not matter for the sum.
    np.testing.assert_allclose(scores, expected / 600, rtol=1e-8)


def test_dicmr_takes_a_fit():
    a = planted(6, 80, 50)
    calls = []

    def fit(x, k):
        calls.append(k)
        return svdkit.tsvd(x, k)

    assert choose(rank.DICMR(fit=fit, kmax=7), a) == 4
    assert calls == [7]


def test_sparse_data_is_written_out():
    a = planted(7, 60, 40)
    assert choose(rank.BiCrossValidation(), scipy.sparse.csr_array(a)) == choose(rank.BiCrossValidation(), a)


def test_p_values():
    a = planted(8, 100, 60)
    p = rank.decide(svdkit.svdvals(a, 10), "parallel_analysis", shape=a.shape, data=a).details["p_values"]
    assert np.all(p[:4] == pytest.approx(1 / 21)) and p[5] > 0.5


def test_complex_data_is_refused():
    with pytest.raises(TypeError, match="real matrix"):
        svdkit.select_rank([1.0], rank.DICMR(), data=np.ones((4, 4)) * 1j)
