"""Rules as k of a decomposition: as many triplets as it takes, and no more than the rule says."""

import numpy as np
import pytest
import scipy.sparse
import svdkit
from reference import planted, random_sparse
from svdkit import operators, rank

A = planted(0, 500, 400)


def test_the_basis_grows_until_the_rule_can_tell():
    s = np.linalg.svd(A, compute_uv=False)
    for tau in (0.0, 0.2, 0.5, 0.8):
        result = svdkit.tsvd(A, rank.Energy(tau))
        assert result.rank == svdkit.select_rank(s, rank.Energy(tau))
        np.testing.assert_allclose(result.s, s[: result.rank], rtol=1e-12)
        assert result.U.shape == (500, result.rank) and result.report.residuals.shape == (result.rank,)
        assert result.report.converged and f"chose rank {result.rank}" in result.report.reason
    assert "having seen 16 of 400" in svdkit.tsvd(A, rank.Energy(0.2)).report.reason


@pytest.mark.parametrize(
    "rule",
    [
        rank.GavishDonoho(),
        rank.GavishDonoho(noise=1.0),
        rank.ScreeNOT(),
        rank.BaiNg(),
        rank.Onatski(),
        rank.Elbow("gap", kmax=20),
        rank.BiCrossValidation(),
        rank.Tolerance(0.3),
    ],
    ids=repr,
)
def test_every_kind_of_rule(rule):
    result = svdkit.tsvd(A, rule)
    assert result.rank == 4
    assert np.linalg.norm(A @ result.Vh.T - result.U * result.s, axis=0).max() <= 1e-9 * result.s[0]


def test_values_only_and_rank_zero():
    assert svdkit.svdvals(A, rank.GavishDonoho(1.0)).shape == (4,)
    noise = np.random.default_rng(1).standard_normal((200, 150))
    result = svdkit.tsvd(noise, rank.GavishDonoho(1.0))
    assert result.rank == 0 and result.reconstruct().shape == (200, 150) and not result.reconstruct().any()
    assert svdkit.svdvals(np.zeros((30, 20)), rank.Energy(0.9)).shape == (0,)


def test_centred_and_scaled():
    shifted = A + np.linspace(1, 30, 400)
    for options in ({"center": True}, {"center": True, "scale": True}, {"center": np.ones(400)}):
        dense = shifted - (shifted.mean(axis=0) if options["center"] is True else 1)
        dense = dense / (shifted.std(axis=0) if "scale" in options else 1)
        expected = svdkit.select_rank(np.linalg.svd(dense, compute_uv=False), rank.Energy(0.6))
        assert svdkit.tsvd(shifted, rank.Energy(0.6), **options).rank == expected
    assert svdkit.tsvd(shifted, rank.ParallelAnalysis(repeats=5), center=True).rank == 4


def test_sparse_and_operators():
    a = random_sparse(np.random.default_rng(2), 300, 200, 0.05)
    s = np.linalg.svd(a.toarray(), compute_uv=False)
    expected = svdkit.select_rank(s, rank.Energy(0.5))
    assert svdkit.tsvd(a, rank.Energy(0.5)).rank == expected
    assert svdkit.tsvd(scipy.sparse.csc_array(a), rank.Energy(0.5)).rank == expected
    centred = a.toarray() - a.toarray().mean(axis=0)
    expected = svdkit.select_rank(np.linalg.svd(centred, compute_uv=False), rank.Energy(0.5))
    assert svdkit.tsvd(a, rank.Energy(0.5), center=True).rank == expected
    product = operators.Dense(A) @ operators.Dense(np.eye(400))
    assert svdkit.tsvd(product, rank.Tolerance(0.3)).rank == 4
    with pytest.raises(ValueError, match="energy_total"):
        svdkit.tsvd(product, rank.Energy(0.5))
    assert svdkit.tsvd(product, rank.BiCrossValidation()).rank == 4


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_dtypes(dtype):
    a = A.astype(dtype) * (1j if dtype == "complex128" else 1)
    assert svdkit.tsvd(a, rank.GavishDonoho(1.0)).rank == 4


def test_threads_and_scales_change_nothing():
    results = [svdkit.tsvd(A * scale, rank.Energy(0.5), threads=t) for scale, t in ((1, 1), (1, 2), (2.0**60, 2))]
    assert len({r.rank for r in results}) == 1
    np.testing.assert_array_equal(results[0].U, results[1].U)


def test_what_cannot_be():
    with pytest.raises(ValueError, match="smallest"):
        svdkit.tsvd(A, rank.Energy(0.5), which="smallest")
    with pytest.raises(TypeError, match="stack"):
        svdkit.tsvd(np.stack([A, A]), rank.Energy(0.5))
    with pytest.warns(svdkit.ConvergenceWarning):
        svdkit.tsvd(A, rank.Energy(0.8), max_passes=4, method="lanczos")


def test_empty_matrix():
    assert svdkit.tsvd(np.empty((0, 5)), rank.Energy(0.5)).rank == 0


@pytest.mark.parametrize("center", [False, True])
def test_half_precision(center):
    a = A.astype("float16")
    for rule in (rank.GavishDonoho(1.0), rank.BiCrossValidation(), rank.BaiNg()):
        assert svdkit.tsvd(a, rule, center=center).rank == 4
