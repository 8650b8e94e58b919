"""Bad arguments: the error names the argument, its value and the rule, before any work is done."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import DTYPES, random_matrix

A = np.arange(60.0).reshape(10, 6) ** 0.5

BAD_ARGUMENTS = [
    # keyword, value, error, what the message must say besides the keyword
    ("k", 0, ValueError, ["0", "1"]),
    ("k", -3, ValueError, ["-3", "1"]),
    ("k", 7, ValueError, ["7", "6"]),
    ("k", 2.5, TypeError, ["2.5"]),
    ("k", "3", TypeError, ["3"]),
    ("k", None, TypeError, ["None"]),
    ("tol", -1e-3, ValueError, ["-0.001"]),
    ("tol", np.nan, ValueError, ["nan"]),
    ("tol", np.inf, ValueError, ["inf"]),
    ("tol", "tight", TypeError, ["tight"]),
    ("which", "LM", ValueError, ["LM", "largest", "smallest"]),
    ("which", 3, (TypeError, ValueError), ["3", "largest"]),
    ("method", "magic", ValueError, ["magic", "auto", "lanczos", "full"]),
    ("block_size", 0, ValueError, ["0"]),
    ("block_size", -4, ValueError, ["-4"]),
    ("block_size", 1.5, TypeError, ["1.5"]),
    ("max_passes", 0, ValueError, ["0"]),
    ("max_passes", -1, ValueError, ["-1"]),
    ("max_passes", 3.5, TypeError, ["3.5"]),
    ("threads", 0, ValueError, ["0"]),
    ("threads", -2, ValueError, ["-2"]),
    ("threads", 1.5, TypeError, ["1.5"]),
    ("rng", -1, ValueError, ["-1"]),
    ("rng", "seed", TypeError, ["seed"]),
    ("rng", 1.5, TypeError, ["1.5"]),
    ("callback", 3, TypeError, ["3"]),
    ("time_limit", -1.0, ValueError, ["-1"]),
    ("time_limit", np.nan, ValueError, ["nan"]),
    ("time_limit", "soon", TypeError, ["soon"]),
    ("on_fail", "explode", ValueError, ["explode", "warn", "raise"]),
    ("warm_start", np.ones((5, 2)), ValueError, ["5", "6"]),
    ("warm_start", np.ones((2, 2, 2)), ValueError, ["warm_start"]),
    ("warm_start", np.full((6, 2), np.nan), ValueError, ["warm_start"]),
    ("scale", np.ones(5), ValueError, ["5", "6"]),
    ("scale", np.array([1, 1, 0, 1, 1, 1.0]), ValueError, ["0"]),
    ("scale", np.array([1, 1, np.nan, 1, 1, 1.0]), ValueError, ["nan"]),
    ("center", "yes", (TypeError, ValueError), ["yes"]),
    ("center", np.ones(5), (TypeError, ValueError), ["5", "6"]),
]


@pytest.mark.parametrize(("keyword", "value", "error", "words"), BAD_ARGUMENTS)
def test_bad_argument(keyword, value, error, words):
    arguments = {"k": 2, keyword: value}
    with pytest.raises(error) as raised:
        svdkit.tsvd(A, **arguments)
    message = str(raised.value)
    for word in [keyword, *words]:
        assert word in message


@pytest.mark.parametrize(("keyword", "value", "error", "words"), BAD_ARGUMENTS[:12])
def test_svdvals_refuses_the_same(keyword, value, error, words):
    arguments = {"k": 2, keyword: value}
    with pytest.raises(error, match=keyword):
        svdkit.svdvals(A, **arguments)


def test_unknown_keyword():
    with pytest.raises(TypeError, match="tolerance"):
        svdkit.tsvd(A, 2, tolerance=1e-3)


def test_only_a_and_k_are_positional():
    with pytest.raises(TypeError, match="positional"):
        svdkit.tsvd(A, 2, 1e-3)


@pytest.mark.parametrize("k", [np.int64(3), np.int8(3), np.array(3)])
def test_integer_like_k(k):
    assert svdkit.tsvd(A, k).s.shape == (3,)


@pytest.mark.parametrize("a", [np.ones(5), np.float64(3.0), np.ones((2, 3, 4, 5))])
def test_wrong_number_of_dimensions(a):
    with pytest.raises(ValueError, match=rf"A .*{re.escape(str(np.shape(a)))}.* 2 dimensions"):
        svdkit.tsvd(a, 1)


@pytest.mark.parametrize(
    "a",
    [
        np.array([["a", "b"], ["c", "d"]]),
        np.array([[1, None], [object(), 2]], dtype=object),
        np.array([["2020-01-01"]], dtype="datetime64[D]"),
        "matrix",
        None,
        {"a": 1},
    ],
    ids=["strings", "objects", "dates", "str", "None", "dict"],
)
def test_not_numbers(a):
    with pytest.raises(TypeError, match="A "):
        svdkit.tsvd(a, 1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_first_non_finite_entry_is_named(dtype, order, value, rng):
    a = np.array(random_matrix(rng, 40, 30, dtype), order=order)
    a[17, 11] = value
    a[33, 29] = value
    with pytest.raises(ValueError, match=r"17, 11") as raised:
        svdkit.tsvd(a, 2)
    assert ("nan" if np.isnan(value) else "inf") in str(raised.value).lower()


def test_nan_in_an_imaginary_part(rng):
    a = random_matrix(rng, 8, 8, "complex128")
    a[5, 6] = complex(1.0, np.nan)
    with pytest.raises(ValueError, match=r"5, 6"):
        svdkit.tsvd(a, 2)


def test_non_finite_half_precision(rng):
    a = rng.standard_normal((9, 9)).astype(np.float16)
    a[2, 3] = np.inf
    with pytest.raises(ValueError, match=r"2, 3"):
        svdkit.tsvd(a, 2)


@pytest.mark.parametrize("view", [np.s_[::2, ::2], np.s_[::-1, ::-1]])
def test_position_is_the_one_in_the_view(view, rng):
    base = rng.standard_normal((40, 30))
    a = base[view]
    a[7, 9] = np.nan
    with pytest.raises(ValueError, match=r"7, 9"):
        svdkit.tsvd(a, 2)


@pytest.mark.parametrize("format", ["csr", "csc", "coo", "bsr"])
def test_non_finite_sparse_entry_is_named(format, rng):
    dense = np.where(rng.random((30, 20)) < 0.3, rng.standard_normal((30, 20)), 0.0)
    dense[21, 13] = np.nan
    with pytest.raises(ValueError, match=r"21, 13"):
        svdkit.tsvd(sp.coo_array(dense).asformat(format), 2)


def test_large_finite_values_are_not_infinite():
    """A sum of all entries would overflow."""
    a = np.full((50, 40), 1e306)
    np.testing.assert_allclose(svdkit.svdvals(a, 1), [1e306 * np.sqrt(2000)], rtol=1e-14)
