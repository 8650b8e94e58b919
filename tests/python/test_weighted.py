"""weighted_svd: the optimum, however the metrics are given. Optimality is proved, not compared with other code."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import orthonormal, orthonormality, same_bits, singular_values
from svdkit import Metric, weighted_svd
from weighted_cases import FORMS, K, M, N, loss, problem, tail


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sides", ["rows", "cols", "both"])
def test_value_is_the_tail_and_triplets_are_normalised(rng, form, sides):
    A, Y, X = problem(rng)
    R, C = (None if sides == "cols" else Y @ Y.T), (None if sides == "rows" else X @ X.T)
    least, s = tail(A, R, C, K)
    given = {"rows": None if R is None else FORMS[form](Y), "cols": None if C is None else FORMS[form](X)}
    result = weighted_svd(A, K, **given)
    B = result.reconstruct()
    assert loss(A - B, R, C) == pytest.approx(least, rel=1e-12)
    assert result.loss == pytest.approx(least, rel=1e-12)
    assert result.relative_error == pytest.approx(np.sqrt(least / np.sum(s**2)), rel=1e-12)
    np.testing.assert_allclose(result.s, s[:K], rtol=1e-11)
    Rd, Cd = (np.eye(len(x)) if c is None else c for x, c in ((A, R), (A.T, C)))
    assert np.linalg.norm(result.U.T @ Rd @ result.U - np.eye(K)) < 1e-10
    assert np.linalg.norm(result.Vh @ Cd @ result.Vh.T - np.eye(K)) < 1e-10
    assert np.all(np.take_along_axis(result.U, np.abs(result.U).argmax(axis=0)[None], axis=0) > 0)


@pytest.mark.parametrize("m, n", [(40, 30), (30, 40)])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_stationary_and_no_perturbation_is_better(m, n, seed):
    rng = np.random.default_rng(seed)
    A, Y, X = problem(rng, m, n)
    R, C = Y @ Y.T, X @ X.T
    result = weighted_svd(A, K, rows=R, cols=C)
    B = result.reconstruct()
    gradient = R @ (A - B) @ C
    scale = np.linalg.norm(R @ A @ C)
    assert np.linalg.norm(result.U.T @ gradient) < 1e-11 * scale
    assert np.linalg.norm(gradient @ result.Vh.T) < 1e-11 * scale
    P, Q = result.factors()
    best = loss(A - B, R, C)
    for _ in range(200):
        size = 10.0 ** rng.uniform(-6, 0)
        dP, dQ = size * rng.standard_normal(P.shape), size * rng.standard_normal(Q.shape)
        assert loss(A - (P + dP) @ (Q + dQ), R, C) >= best * (1 - 1e-12)


def test_a_local_polish_of_the_factors_gains_nothing(rng):
    """Alternating least squares in the metrics, from the result: exact minimisation over each factor in turn."""
    A, Y, X = problem(rng)
    R, C = Y @ Y.T, X @ X.T
    result = weighted_svd(A, K, rows=R, cols=C)
    P, Q = result.factors()
    for _ in range(3):
        P = A @ C @ Q.T @ np.linalg.inv(Q @ C @ Q.T)
        Q = np.linalg.solve(P.T @ R @ P, P.T @ R @ A)
    assert loss(A - P @ Q, R, C) >= result.loss * (1 - 1e-11)


def test_all_closed_forms_agree_for_definite_metrics(rng):
    A, Y, X = problem(rng)
    R, C = Y @ Y.T, X @ X.T
    F, G = np.linalg.cholesky(R), np.linalg.cholesky(C)
    U, s, Vh = np.linalg.svd(F.T @ A @ G)
    full = np.linalg.solve(F.T, (U[:, :K] * s[:K]) @ Vh[:K]) @ np.linalg.inv(G)
    left = np.linalg.solve(F.T, U[:, :K] @ U[:, :K].T @ F.T @ A)
    right = A @ G @ Vh[:K].T @ Vh[:K] @ np.linalg.inv(G)
    B = weighted_svd(A, K, rows=R, cols=C).reconstruct()
    for other in (full, left, right):
        assert np.linalg.norm(B - other) < 1e-10 * np.linalg.norm(A)
    U = np.linalg.svd(A @ G)[0][:, :K]
    one_sided = weighted_svd(A, K, cols=C)
    assert np.linalg.norm(one_sided.reconstruct() - U @ U.T @ A) < 1e-11 * np.linalg.norm(A)


@pytest.mark.parametrize("form", ["matrix", "wide factor", "samples", "products"])
def test_singular_metrics(rng, form):
    A, _, X = problem(rng, tokens=80)
    X = X[:, :12]
    C = X @ X.T
    least, _ = tail(A, None, C, K)
    metric = FORMS[form](X)
    keep = weighted_svd(A, K, cols=metric)
    assert loss(A - keep.reconstruct(), None, C) == pytest.approx(least, rel=1e-9)
    away = []
    for ridge in (1e-6, 1e-8):
        ridged = weighted_svd(A, K, cols=C + ridge * np.trace(C) / N * np.eye(N)).reconstruct()
        away.append(np.linalg.norm(keep.reconstruct() - ridged) / np.linalg.norm(A))
    assert max(away) < 1e-6
    assert away[1] == pytest.approx(away[0] / 100, rel=1e-2)  # to first order in the ridge: this is its limit
    if form == "products":
        with pytest.raises(ValueError, match="unseen"):
            weighted_svd(A, K, cols=metric, unseen="zero")
        return
    zero = weighted_svd(A, K, cols=metric, unseen="zero")
    assert loss(A - zero.reconstruct(), None, C) == pytest.approx(least, rel=1e-9)
    unseen = np.linalg.svd(X)[0][:, 12:]
    assert np.linalg.norm(zero.reconstruct() @ unseen) < 1e-7
    assert np.linalg.norm(keep.reconstruct() @ unseen) > 1e-2
    pseudo = np.linalg.pinv(X.T)  # form (a) with pseudo-inverses
    U, s, Vh = np.linalg.svd(A @ X, full_matrices=False)
    assert np.linalg.norm(zero.reconstruct() - (U[:, :K] * s[:K]) @ Vh[:K] @ pseudo.T) < 1e-6 * np.linalg.norm(A)


@pytest.mark.parametrize("form", ["matrix", "samples"])
def test_no_more_triplets_than_the_rank_in_the_metrics(rng, form):
    A, _, X = problem(rng)
    X = X[:, :4]
    result = weighted_svd(A, 9, cols=FORMS[form](X))
    assert result.rank == 4
    assert any("rank 4" in note for note in result.report.notes)
    assert result.relative_error < 1e-7


def test_scaling_and_rotating_the_metric_changes_nothing_else(rng):
    A, _, X = problem(rng)
    C = X @ X.T
    B = weighted_svd(A, K, cols=C).reconstruct()
    scaled = weighted_svd(A, K, cols=1e-3 * C)
    assert np.linalg.norm(scaled.reconstruct() - B) < 1e-12 * np.linalg.norm(A)
    Q = np.linalg.qr(rng.standard_normal((N, N)))[0]
    turned = weighted_svd(A @ Q.T, K, cols=Q @ C @ Q.T).reconstruct()
    assert np.linalg.norm(turned - B @ Q.T) < 1e-10 * np.linalg.norm(A)


@pytest.mark.parametrize("sparse", [False, True])
def test_weights_equal_their_diagonal_matrices_and_copy_nothing(rng, sparse):
    A, _, _ = problem(rng)
    if sparse:
        A = sp.csr_array(A * (rng.random(A.shape) < 0.3))
    r, c = rng.random(M), rng.random(N)
    c[3] = r[5] = 0
    plain = A.toarray() if sparse else A
    light = weighted_svd(A, K, rows=r, cols=c)
    least, s = tail(plain, r, c, K)
    np.testing.assert_allclose(light.s, s[:K], rtol=1e-12)
    assert loss(plain - light.reconstruct(), r, c) == pytest.approx(least, rel=1e-12)
    heavy = weighted_svd(A, K, rows=np.diag(r), cols=np.diag(c))
    np.testing.assert_allclose(light.reconstruct(), heavy.reconstruct(), atol=1e-11)
    assert not any("copied" in note for note in light.report.notes)
    zero = weighted_svd(A, K, rows=r, cols=c, unseen="zero").reconstruct()
    assert not zero[:, 3].any() and not zero[5].any()


def test_weights_are_those_of_the_loss(rng):
    """Row weights r, column weights c: sum r_i c_j (A - B)_ij^2, checked against alternating weighted regressions."""
    A, _, _ = problem(rng)
    r, c = rng.random(M) + 0.1, rng.random(N) + 0.1
    result = weighted_svd(A, K, rows=r, cols=c)
    E = A - result.reconstruct()
    assert result.loss == pytest.approx(np.sum(r[:, None] * c * E**2), rel=1e-12)


def test_small_values_are_right_from_samples(rng):
    """Through X X^T values below sqrt(eps) are lost; QR of X keeps them."""
    n = 12
    X = np.linalg.qr(rng.standard_normal((n, n)))[0] * 10.0 ** -np.arange(n)
    A = np.linalg.qr(rng.standard_normal((n, n)))[0]
    exact = 10.0 ** -np.arange(n)
    got = weighted_svd(A, n, cols=Metric(samples=X)).s
    np.testing.assert_allclose(got, exact[: len(got)], rtol=1e-3)
    assert len(got) == n
    direct = weighted_svd(A, n, cols=X @ X.T)
    assert direct.rank < n


@pytest.mark.parametrize("kappa", [1e4, 1e14])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ill_conditioned_metrics_lose_nothing(rng, kappa, dtype):
    n = 60
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    C = (Q * np.geomspace(1, 1 / kappa, n)) @ Q.T
    C = (C + C.T) / 2
    A = rng.standard_normal((50, n)).astype(dtype)
    least, _ = tail(A.astype(float), None, C, 10)
    got = loss(A - weighted_svd(A, 10, cols=C).reconstruct().astype(float), None, C)
    assert got <= least * (1 + (1e-11 if dtype == "float64" else 1e-6))


def test_a_metric_accumulated_in_single_precision(rng):
    X = (rng.standard_normal((30, 10)) * 10.0 ** rng.uniform(-2, 2, (30, 1))).astype(np.float32)
    C = X @ X.T  # rank 10, with noise around zero
    A = rng.standard_normal((20, 30)).astype(np.float32)
    exact = X.astype(float) @ X.T.astype(float)
    least, _ = tail(A.astype(float), None, exact, 5)
    B = weighted_svd(A, 5, cols=C).reconstruct().astype(float)
    assert loss(A - B, None, exact) <= least * (1 + 1e-4)


@pytest.mark.parametrize("form", ["matrix", "samples", "weights"])
def test_smallest_triplets(rng, form):
    A, _, X = problem(rng)
    C = X @ X.T
    given = {"matrix": C, "samples": Metric(samples=X), "weights": np.diag(C).copy()}[form]
    C = np.diag(np.diag(C)) if form == "weights" else C
    small = weighted_svd(A, 4, cols=given, which="smallest")
    large = weighted_svd(A, N - 4, cols=given)
    _, s = tail(A, None, C, 0)
    np.testing.assert_allclose(small.s, s[-4:], rtol=1e-9)
    assert np.linalg.norm(A - small.reconstruct() - large.reconstruct()) < 1e-10 * np.linalg.norm(A)
    assert loss(small.reconstruct(), None, C) == pytest.approx(np.sum(s[-4:] ** 2), rel=1e-9)


def test_smallest_triplets_of_a_singular_metric_stay_exact(rng):
    A, _, X = problem(rng)
    result = weighted_svd(A, 5, cols=Metric(factor=np.hstack([X[:, :10], np.zeros((N, 30))])), which="smallest")
    assert np.isfinite(result.reconstruct()).all()
    assert np.linalg.norm(result.reconstruct() @ X[:, :10]) < 1e-12 * np.linalg.norm(A)


def test_rank_rules_see_the_weighted_values(rng):
    A, _, X = problem(rng)
    C = X @ X.T
    _, s = tail(A, None, C, 0)
    wanted = int(np.argmax(np.cumsum(s**2) >= 0.9 * np.sum(s**2))) + 1
    assert weighted_svd(A, svdkit.rank.Energy(0.9), cols=C).rank == wanted
    c = np.diag(C).copy()
    _, s = tail(A, None, c, 0)
    wanted = int(np.argmax(np.cumsum(s**2) >= 0.9 * np.sum(s**2))) + 1
    assert weighted_svd(A, svdkit.rank.Energy(0.9), cols=c).rank == wanted
    with pytest.raises(TypeError, match="integer"):
        weighted_svd(A, svdkit.rank.Energy(0.9), cols=sp.csr_array(C))


def test_orthonormal_factors_truncate_predict(rng):
    A, Y, X = problem(rng)
    result = weighted_svd(A, K, rows=Y @ Y.T, cols=X @ X.T)
    B = result.reconstruct()
    plain = result.orthonormal()
    assert orthonormality(plain.U) < 1e-13 and orthonormality(plain.Vh.T) < 1e-13
    np.testing.assert_allclose(plain.reconstruct(), B, atol=1e-12)
    np.testing.assert_allclose(plain.s, singular_values(B)[:K], rtol=1e-10)
    for split in ("sqrt", "left", "right"):
        P, Q = result.factors(split)
        assert P.shape == (M, K) and Q.shape == (K, N)
        np.testing.assert_allclose(P @ Q, B, atol=1e-12)
    assert orthonormality(weighted_svd(A, K, cols=X @ X.T).factors("right")[0]) < 1e-10
    i, j = np.array([[0, 3], [-1, 5]]), np.array([2, -4])
    np.testing.assert_allclose(result.predict(i, j), B[i, j], atol=1e-12)
    part = result.truncate(2)
    assert part.loss == pytest.approx(tail(A, Y @ Y.T, X @ X.T, 2)[0], rel=1e-11)
    with pytest.raises(ValueError, match="split"):
        result.factors("both")


def test_predict_many_cells_and_bad_indices(rng):
    A = rng.standard_normal((50, 40))
    result = svdkit.tsvd(A, 3)
    i, j = rng.integers(0, 50, 400_000), rng.integers(0, 40, 400_000)
    np.testing.assert_allclose(result.predict(i, j), result.reconstruct()[i, j], atol=1e-12)
    assert result.predict(3, 4).shape == ()
    with pytest.raises(IndexError):
        result.predict(50, 0)
    with pytest.raises(TypeError, match="integers"):
        result.predict(0.5, 0)
    with pytest.raises(ValueError, match="stack"):
        svdkit.tsvd(rng.standard_normal((3, 5, 4)), 2).predict(0, 0)


def test_results_pickle_and_save(rng, tmp_path):
    A, _, X = problem(rng)
    result = weighted_svd(A, K, cols=Metric(samples=X))
    copy = pickle.loads(pickle.dumps(result))
    assert same_bits(copy, result) and copy.loss == result.loss
    result.save(tmp_path / "w.npz")
    assert same_bits(svdkit.load(tmp_path / "w.npz"), result)
    with pytest.raises(ValueError, match="loss"):
        _ = copy.truncate(2).loss


@pytest.mark.parametrize("method", ["auto", "factor", "products"])
def test_same_bits_for_any_number_of_threads(rng, method):
    A, Y, X = problem(rng, 300, 200, 400)
    answers = [
        weighted_svd(A, K, rows=Y @ Y.T, cols=X @ X.T, method=method, threads=threads, rng=3) for threads in (1, 2, 3)
    ]
    assert all(same_bits(answers[0], other) for other in answers[1:])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(120, 700), (700, 120), (600, 600)])
def test_products_and_factors_agree(rng, dtype, shape):
    m, n = shape
    A = (rng.standard_normal(shape) * np.arange(1, n + 1) ** -0.5).astype(dtype)
    X = rng.standard_normal((n, n)) * np.arange(1, n + 1)[:, None] ** -0.3
    C = X @ X.T
    few, all_ = (weighted_svd(A, 5, cols=C, method=method) for method in ("products", "factor"))
    assert few.report.method == "products" != all_.report.method
    accuracy = 1e-10 if dtype == "float64" else 2e-5
    np.testing.assert_allclose(few.s, all_.s, rtol=accuracy)
    assert few.loss == pytest.approx(all_.loss, rel=accuracy)
    assert few.report.converged and few.U.dtype == dtype


@pytest.mark.parametrize("shape", [(300, 500), (500, 300)])
@pytest.mark.parametrize("scales", [1.0, 1e-12, 1e25])
def test_single_precision_is_searched_and_finished_in_double(rng, shape, scales):
    """Values over three decades, the least of them far below what is kept of squares in single precision's search."""
    m, n = shape
    s = np.geomspace(1, 1e-3, 60)
    A = (scales * (orthonormal(rng, m, 60) * s) @ orthonormal(rng, n, 60).T).astype(np.float32)
    X = rng.standard_normal((n, n)) * np.arange(1, n + 1)[:, None] ** -0.3
    C = (X @ X.T).astype(np.float32)
    few = weighted_svd(A, 20, cols=C, method="products")
    assert few.report.converged and few.U.dtype == np.float32
    assert any("finished in double" in note for note in few.report.notes)
    least, values = tail(A.astype(float) / scales, None, C.astype(float), 20)
    np.testing.assert_allclose(few.s / scales, values[:20], rtol=1e-6)
    E = A.astype(float) - (few.U.astype(float) * few.s) @ few.Vh
    assert loss(E / scales, None, C.astype(float)) <= least * (1 + 1e-6)
    tight = weighted_svd(A, 20, cols=C, method="products", tol=1e-7)
    assert not any("finished in double" in note for note in tight.report.notes)
    assert few.report.residuals.max() <= 1e-5 * few.s[0]


def test_a_search_in_single_precision_that_misses_values_is_repeated_in_double(rng):
    s = np.array([1, 1e-2, 1e-5, 1e-6])
    A = ((orthonormal(rng, 90, 4) * s) @ orthonormal(rng, 120, 4).T).astype(np.float32)
    result = weighted_svd(A, 4, cols=np.eye(120, dtype=np.float32), method="products")
    assert result.report.converged and result.s.size == 4
    np.testing.assert_allclose(result.s[:4], singular_values(A.astype(float))[:4], rtol=1e-2)


def test_many_triplets_in_single_precision(rng):
    A = rng.standard_normal((700, 900)).astype(np.float32)
    X = rng.standard_normal((900, 1200)) * np.arange(1, 901)[:, None] ** -0.6
    k = 400
    result = weighted_svd(A, k, cols=X @ X.T)
    assert result.report.method == "gram" and result.report.converged
    least, s = tail(A.astype(float), None, X @ X.T, k)
    np.testing.assert_allclose(result.s, s[:k], rtol=2e-6)
    assert result.loss <= least * (1 + 1e-6)


def test_complex_matrices_and_metrics(rng):
    A = rng.standard_normal((20, 15)) + 1j * rng.standard_normal((20, 15))
    X = rng.standard_normal((15, 30)) + 1j * rng.standard_normal((15, 30))
    Y = rng.standard_normal((20, 30)) + 1j * rng.standard_normal((20, 30))
    R, C = Y @ Y.conj().T, X @ X.conj().T
    least, s = tail(A, R, C, 4)
    for rows, cols in ((R, C), (Metric(samples=Y), Metric(samples=X)), (Metric(factor=Y), C)):
        result = weighted_svd(A, 4, rows=rows, cols=cols)
        np.testing.assert_allclose(result.s, s[:4], rtol=1e-11)
        assert result.loss == pytest.approx(least, rel=1e-10)
        assert np.linalg.norm(result.U.conj().T @ R @ result.U - np.eye(4)) < 1e-10
        assert np.linalg.norm(result.Vh @ C @ result.Vh.conj().T - np.eye(4)) < 1e-10
    with pytest.raises(TypeError, match="complex"):
        weighted_svd(A.real, 4, cols=C)


@pytest.mark.parametrize("method", ["factor", "products"])
def test_residuals_are_in_the_units_of_the_values(rng, method):
    A, _, X = problem(rng)
    C = X @ X.T
    near, far = (weighted_svd(A * 2.0**a, K, cols=C * 4.0**c, method=method) for a, c in ((0, 0), (9, 20)))
    np.testing.assert_array_equal(far.s, np.ldexp(near.s, 29))
    np.testing.assert_array_equal(far.report.residuals, np.ldexp(near.report.residuals, 29))


def test_many_small_values_in_single_precision_converge(rng):
    """Rounding of U, divided by small values, must not show in V."""
    left, right = orthonormal(rng, 520, 520), orthonormal(rng, 530, 520)
    A = ((left * np.geomspace(1, 1e-4, 520)) @ right.T).astype(np.float32)
    C = np.diag(np.full(530, 4, np.float32))
    result = weighted_svd(A, 450, cols=C, method="factor")
    assert result.report.method == "gram" and result.report.converged
    assert np.max(result.report.residuals) < 5e-6 * result.s[0]  # half of the tolerance
    np.testing.assert_allclose(result.s, 2 * np.geomspace(1, 1e-4, 520)[:450], rtol=1e-3)
