"""Pictures of a spectrum. Each function draws on `ax`, or on the current axes, and returns them.

Needs matplotlib, which is imported when a function is called.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["cumulative_energy", "rank_rules", "residuals", "scree"]

DOTS: dict[str, Any] = {"marker": "o", "markersize": 3.5, "linewidth": 1}


def scree(result: Any, ax: Axes | None = None, **style: Any) -> Axes:
    """Draw the singular values in their order, on a logarithmic scale.

    Parameters
    ----------
    result : SVDResult or array of shape (k,)
        Singular values, descending.
    ax : matplotlib Axes, optional
        Default: the current axes.
    **style
        Passed to ``Axes.plot``.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> import svdkit.plot
    >>> svdkit.plot.scree([3.0, 2.0, 1.0]).get_ylabel()
    'singular value'
    """
    s = _values(result)
    ax = _axes(ax)
    ax.plot(np.arange(1, s.size + 1), s, **DOTS | style)
    positive = s[s > 0]
    if positive.size:
        ax.set_yscale("log", nonpositive="mask")
        if positive.max() < 100 * positive.min() and 1e-3 < positive.min() < 1e3:
            _plain_numbers(ax)
    return _labelled(ax, "singular value", s.size)


def cumulative_energy(result: Any, total: float | None = None, ax: Axes | None = None, **style: Any) -> Axes:
    """Draw the share of the squared norm in the leading 1, 2, ... triplets.

    Parameters
    ----------
    result : SVDResult or array of shape (k,)
    total : float, optional
        Squared Frobenius norm of the matrix. Default: that of the given values, so that the curve ends at 1.
    ax : matplotlib Axes, optional
    **style
        Passed to ``Axes.plot``.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `total` is less than the sum of the squared values.
    """
    s = _values(result)
    peak = float(np.max(s, initial=0)) or 1.0
    energy = np.cumsum((s / peak) ** 2)
    whole = float(energy[-1] if energy.size else 1) if total is None else total / peak / peak
    if energy.size and energy[-1] > whole * (1 + 1e-6):
        raise ValueError(f"total = {total!r} is less than the sum of the squared values; pass ||A||_F ** 2")
    ax = _axes(ax)
    ax.plot(np.arange(1, s.size + 1), energy / (whole or 1.0), **DOTS | style)
    ax.set_ylim(0, 1.02)
    return _labelled(ax, "share of the squared norm", s.size)


def rank_rules(
    result: Any, shape: tuple[int, int] | None = None, ax: Axes | None = None, data: Any = None, **style: Any
) -> Axes:
    """Draw the singular values with the rank that every rule of :func:`svdkit.rank_table` finds.

    Rules of one answer share a line; those that find 0 are named beside the first value.

    Parameters
    ----------
    result : SVDResult or array of shape (k,)
        Singular values, descending; all of them, for rules that need all.
    shape : (int, int), optional
        Of the matrix; not needed with a result.
    ax : matplotlib Axes, optional
        Default: the current axes.
    data : array or sparse matrix, optional
        The matrix, for rules that look at it.
    **style
        Passed to ``Axes.plot``.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> import svdkit.plot
    >>> svdkit.plot.rank_rules([9.0, 8.0, 0.3, 0.2, 0.1, 0.1], (6, 20)).get_ylabel()
    'singular value'
    """
    from .rank import rank_table

    size = shape if shape is not None else getattr(result, "shape", None)
    if size is None:
        raise ValueError("shape = None, but rank rules depend on the shape of the matrix: pass shape=A.shape")
    s = _values(result)
    ax = scree(s, ax, **style)
    ranks: dict[int, list[str]] = {}
    for name, rank in rank_table(s, size, data=data).ranks.items():
        ranks.setdefault(rank, []).append(name)
    above_rounding = s[s > 1e-12 * s.max(initial=0)]
    if above_rounding.size:
        ax.set_ylim(bottom=0.7 * above_rounding.min())
    colours = {rank: f"C{i % 9 + 1}" for i, rank in enumerate(sorted(ranks))}
    for rank, names in sorted(ranks.items()):
        label = textwrap.fill(f"{rank}: {', '.join(names)}", 48, subsequent_indent="    ")
        ax.axvline(rank + 0.5, color=colours[rank], linewidth=1, label=label)
    ax.legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1.01, 1), title="rank", frameon=False)
    return ax


def residuals(result: Any, ax: Axes | None = None, **style: Any) -> Axes:
    """Draw the residual of every triplet relative to the largest singular value, and the tolerance.

    Parameters
    ----------
    result : SVDResult
    ax : matplotlib Axes, optional
    **style
        Passed to ``Axes.plot``.

    Returns
    -------
    Axes
    """
    top = float(np.max(result.s, initial=0)) or 1.0
    values = np.maximum(np.asarray(result.report.residuals) / top, np.finfo(float).tiny)
    ax = _axes(ax)
    ax.plot(np.arange(1, values.size + 1), values, **DOTS | {"linestyle": ""} | style)
    ax.axhline(result.report.tol, color="0.5", linewidth=1, linestyle="--", label=f"tol = {result.report.tol:.0e}")
    ax.set_yscale("log")
    ax.legend(frameon=False)
    return _labelled(ax, "residual / largest singular value", values.size)


def _values(result: Any) -> np.ndarray:
    s = np.asarray(getattr(result, "s", result), dtype=float)
    if s.ndim != 1:
        raise ValueError(f"the singular values have shape {s.shape}, but must be a vector; plot one matrix at a time")
    return s


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.gca()


def _plain_numbers(ax: Axes) -> None:
    """2, 3, 5, 10 instead of powers of ten, where the axis spans few of them."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.yaxis.set_minor_locator(NullLocator())


def _labelled(ax: Axes, what: str, count: int) -> Axes:
    from matplotlib.ticker import MaxNLocator

    ax.set_xlabel("index")
    ax.set_ylabel(what)
    ax.set_xlim(0.5 if count < 20 else 0, max(count, 1) + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.3, which="both", linewidth=0.5)
    return ax
