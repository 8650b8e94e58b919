"""Watching and stopping: callback, progress, time limit, non-convergence."""

import sys
import time

import numpy as np
import pytest
import svdkit
from reference import orthonormality, path_incidence, residuals, same_bits, with_spectrum


@pytest.fixture
def slow(rng):
    return with_spectrum(rng, 400, 300, np.linspace(1, 0.5, 300))


@pytest.fixture(scope="module")
def endless():
    """Values so close that convergence to 1e-14 takes far longer than any test waits."""
    return path_incidence(60_000)[0]


def check_partial(a, result, k):
    """A partial result is a result, perhaps of fewer triplets: orthonormal, with honest residuals, nothing claimed."""
    u, s, vh = result
    assert 1 <= len(s) <= k
    assert u.shape == (a.shape[0], len(s)) and vh.shape == (len(s), a.shape[1])
    assert np.all(np.isfinite(u)) and np.all(np.isfinite(vh)) and np.all(np.diff(s) <= 0)
    assert orthonormality(u) <= 1e-12 and orthonormality(vh.T) <= 1e-12
    assert not result.report.converged
    if max(a.shape) < 10_000:
        measured = residuals(a, *result)
        np.testing.assert_allclose(result.report.residuals, measured, rtol=1e-6, atol=1e-13)
        assert measured.max() > 1e-10 * s[0]


class TestCallback:
    def test_sees_every_block_step(self, slow):
        seen = []
        result = svdkit.tsvd(slow, 6, method="lanczos", callback=seen.append)
        assert [info.iteration for info in seen] == sorted({info.iteration for info in seen})
        assert len(seen) >= 3 and seen[-1].iteration <= result.report.iterations
        for name in ("passes", "seconds"):
            values = [getattr(info, name) for info in seen]
            assert values == sorted(values) and values[0] > 0
        assert seen[-1].passes <= result.report.passes
        assert all(0 <= info.converged <= 6 for info in seen)
        assert all(np.all(np.asarray(info.residuals) >= 0) for info in seen)

    def test_changes_nothing(self, slow):
        watched = svdkit.tsvd(slow, 6, method="lanczos", callback=lambda info: None)
        assert same_bits(watched, svdkit.tsvd(slow, 6, method="lanczos"))

    @pytest.mark.parametrize("k", [1, 6, 40])
    @pytest.mark.parametrize("stop_at", [1, 2, 5])
    def test_returning_true_gives_a_partial_result(self, stop_at, k, slow):
        seen = []

        def stop(info):
            seen.append(info.iteration)
            return len(seen) >= stop_at

        with pytest.warns(svdkit.ConvergenceWarning, match="callback"):
            result = svdkit.tsvd(slow, k, tol=1e-14, method="lanczos", block_size=4, callback=stop)
        assert len(seen) == stop_at
        check_partial(slow, result, k)
        assert any("callback" in note for note in result.report.notes)

    @pytest.mark.parametrize("answer", [None, False, 0])
    def test_anything_false_goes_on(self, answer, slow):
        assert svdkit.tsvd(slow, 3, method="lanczos", callback=lambda info: answer).report.converged

    @pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, SystemExit, RuntimeError])
    def test_exceptions_come_through(self, error, slow):
        def fail(info):
            raise error("from the callback")

        with pytest.raises(error, match="from the callback"):
            svdkit.tsvd(slow, 6, method="lanczos", callback=fail)
        svdkit.tsvd(slow, 6, method="lanczos")  # and the next call is fine

    def test_may_call_svdkit(self, slow):
        inner = []
        svdkit.tsvd(slow, 3, method="lanczos", callback=lambda info: inner.append(svdkit.svdvals(slow[:40], 2)))
        assert all(np.array_equal(inner[0], s) for s in inner)


class TestProgress:
    def test_bar_goes_to_stderr(self, slow, capfd):
        result = svdkit.tsvd(slow, 6, method="lanczos", progress=True)
        out, err = capfd.readouterr()
        assert out == "" and "6" in err
        assert same_bits(result, svdkit.tsvd(slow, 6, method="lanczos"))

    def test_together_with_a_callback(self, slow, capfd):
        seen = []
        svdkit.tsvd(slow, 6, method="lanczos", progress=True, callback=seen.append)
        assert seen and capfd.readouterr().err

    def test_without_tqdm(self, slow, monkeypatch):
        for name in [name for name in sys.modules if name.split(".")[0] == "tqdm"]:
            monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, "tqdm", None)
        with pytest.raises(ImportError, match="tqdm"):
            svdkit.tsvd(slow, 3, progress=True)


class TestTimeLimit:
    def test_gives_a_partial_result(self, endless):
        start = time.perf_counter()
        with pytest.warns(svdkit.ConvergenceWarning, match="time limit"):
            result = svdkit.tsvd(endless, 20, tol=1e-14, time_limit=0.3)
        assert time.perf_counter() - start < 30
        check_partial(endless, result, 20)
        assert any("time limit" in note for note in result.report.notes)

    def test_generous_limit_changes_nothing(self, slow):
        assert same_bits(svdkit.tsvd(slow, 6, time_limit=3600), svdkit.tsvd(slow, 6))

    def test_tiny_limit(self, slow):
        with pytest.warns(svdkit.ConvergenceWarning, match="time limit"):
            result = svdkit.tsvd(slow, 6, tol=1e-14, method="lanczos", time_limit=1e-9)
        check_partial(slow, result, 6)


class TestOnFail:
    def test_warning_says_what_is_missing(self, slow):
        with pytest.warns(svdkit.ConvergenceWarning) as caught:
            svdkit.tsvd(slow, 20, method="lanczos", max_passes=8)
        assert len(caught) == 1
        message = str(caught[0].message)
        assert "20" in message and "max_passes" in message
        assert caught[0].filename == __file__

    def test_raise_carries_the_partial_result(self, slow):
        with pytest.raises(svdkit.ConvergenceError) as raised:
            svdkit.tsvd(slow, 20, method="lanczos", max_passes=8, on_fail="raise")
        check_partial(slow, raised.value.result, 20)

    def test_raise_on_time_limit_and_callback(self, slow):
        with pytest.raises(svdkit.ConvergenceError, match="time limit"):
            svdkit.tsvd(slow, 6, tol=1e-14, method="lanczos", time_limit=1e-9, on_fail="raise")
        with pytest.raises(svdkit.ConvergenceError, match="callback"):
            svdkit.tsvd(slow, 6, tol=1e-14, method="lanczos", callback=lambda info: True, on_fail="raise")

    def test_raise_is_silent_on_success(self, slow):
        assert svdkit.tsvd(slow, 3, on_fail="raise").report.converged

    def test_values_only(self, slow):
        with pytest.warns(svdkit.ConvergenceWarning):
            s = svdkit.svdvals(slow, 20, method="lanczos", max_passes=8)
        assert s.shape == (20,) and np.all(s <= 1 + 1e-12)

    def test_types(self):
        assert issubclass(svdkit.ConvergenceWarning, UserWarning)
        assert issubclass(svdkit.ConvergenceError, Exception)
