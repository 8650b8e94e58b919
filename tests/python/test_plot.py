"""svdkit.plot: every function draws what it says on the axes it is given, and returns them."""

import matplotlib
import numpy as np
import pytest
import svdkit
from matplotlib import pyplot
from matplotlib.axes import Axes
from reference import with_spectrum

matplotlib.use("Agg")
FUNCTIONS = ("scree", "cumulative_energy", "residuals")


@pytest.fixture(autouse=True)
def close():
    yield
    pyplot.close("all")


@pytest.fixture
def result(rng):
    return svdkit.tsvd(with_spectrum(rng, 60, 40, 0.7 ** np.arange(40)), 12, method="lanczos")


def drawn(ax):
    return np.asarray(ax.lines[0].get_ydata(), dtype=float)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_returns_the_axes_it_draws_on(name, result):
    function = getattr(svdkit.plot, name)
    _, (left, right) = pyplot.subplots(1, 2)
    assert function(result, ax=left) is left
    assert left.lines and not right.lines
    ax = function(result)
    assert isinstance(ax, Axes) and ax is right  # the current axes
    assert ax.get_xlabel() and ax.get_ylabel()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_can_be_written(name, result, tmp_path):
    ax = getattr(svdkit.plot, name)(result)
    ax.figure.savefig(tmp_path / "plot.png")
    pixels = pyplot.imread(tmp_path / "plot.png")
    assert pixels[..., :3].std() > 0.01


def test_scree_draws_the_values(result):
    ax = svdkit.plot.scree(result)
    np.testing.assert_allclose(drawn(ax), result.s)
    assert ax.get_yscale() == "log"
    np.testing.assert_allclose(drawn(svdkit.plot.scree(result.s, ax=pyplot.figure().gca())), result.s)


def test_scree_of_zeros():
    ax = svdkit.plot.scree(svdkit.tsvd(np.zeros((5, 4)), 2))
    ax.figure.canvas.draw()


def test_cumulative_energy(result):
    share = np.cumsum(result.s**2)
    np.testing.assert_allclose(drawn(svdkit.plot.cumulative_energy(result)), share / share[-1])
    total = 2 * share[-1]
    ax = svdkit.plot.cumulative_energy(result, total=total, ax=pyplot.figure().gca())
    np.testing.assert_allclose(drawn(ax), share / total)
    with pytest.raises(ValueError, match="total"):
        svdkit.plot.cumulative_energy(result, total=share[-1] / 2)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_cumulative_energy_of_extreme_values(scale, result):
    share = np.cumsum(result.s**2)
    np.testing.assert_allclose(drawn(svdkit.plot.cumulative_energy(result.s * scale)), share / share[-1])


def test_residuals_are_relative(result):
    ax = svdkit.plot.residuals(result)
    np.testing.assert_allclose(drawn(ax), result.report.residuals / result.s[0])
    assert ax.get_yscale() == "log"
    assert ax.get_ylim()[0] <= result.report.tol <= ax.get_ylim()[1]  # the tolerance is in the picture


def test_style_is_passed_on(result):
    ax = svdkit.plot.scree(result, color="red", label="mine")
    assert ax.lines[0].get_color() == "red" and ax.lines[0].get_label() == "mine"


def test_rank_rules_groups_rules_of_one_answer():
    s = np.array([9.0, 8.0, 0.3, 0.2, 0.1, 0.1])
    _, ax = pyplot.subplots()
    assert svdkit.plot.rank_rules(s, (6, 20), ax) is ax
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert any(label.startswith("2: ") and "gavish_donoho" in label for label in labels)
    assert len({label.split(":")[0] for label in labels}) == len(labels)  # one line a rank
    with pytest.raises(ValueError, match="shape"):
        svdkit.plot.rank_rules(s)
