"""One rule, or all of them side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .._spectrum import Spectrum, spectrum_of
from ._rule import Decision, Rule
from .dicmr import DICMR
from .elbow import Elbow
from .energy import Energy, NuclearMass, SoftThreshold, Tolerance, Universal
from .factor_number import AhnHorenstein, BaiNg, Onatski
from .gavish_donoho import GavishDonoho, OptimalShrinkage
from .information import Minka, NadakuditiEdelman, WaxKailath
from .resampling import BiCrossValidation, ParallelAnalysis
from .screenot import ScreeNOT

RULES: dict[str, type[Rule]] = {
    "energy": Energy,
    "nuclear_mass": NuclearMass,
    "tolerance": Tolerance,
    "elbow": Elbow,
    "gavish_donoho": GavishDonoho,
    "optimal_shrinkage": OptimalShrinkage,
    "soft_threshold": SoftThreshold,
    "universal": Universal,
    "screenot": ScreeNOT,
    "parallel_analysis": ParallelAnalysis,
    "bai_ng": BaiNg,
    "ahn_horenstein": AhnHorenstein,
    "onatski": Onatski,
    "wax_kailath": WaxKailath,
    "nadakuditi_edelman": NadakuditiEdelman,
    "minka": Minka,
    "bi_cross_validation": BiCrossValidation,
    "dicmr": DICMR,
}


def rule_of(rule: str | Rule, **options: Any) -> Rule:
    """The rule of this name, or the rule itself."""
    if isinstance(rule, Rule):
        if options:
            raise TypeError(f"{', '.join(options)}: options go to the rule itself, {type(rule).__name__}(...)")
        return rule
    if rule not in RULES:
        raise ValueError(f"rule = {rule!r}, but must be a rule of svdkit.rank or one of {', '.join(RULES)}")
    return RULES[rule](**options)


def decide(
    s: Any,
    rule: str | Rule = "gavish_donoho",
    *,
    shape: Any = None,
    energy_total: float | None = None,
    data: Any = None,
    **options: Any,
) -> Decision:
    """Return the rank that a rule finds with its threshold, scores and warnings; arguments as :func:`select_rank`."""
    chosen = rule_of(rule, **options)
    decision = chosen.decide(spectrum_of(s, shape, energy_total=energy_total, data=data))
    if decision is None:
        raise ValueError(
            f"{chosen!r} needs {chosen.needs}, and cannot tell from the {len(s)} given; "
            f"pass more singular values, or the rule itself as k= of a decomposition, which computes what it takes"
        )
    return decision


def select_rank(
    s: Any,
    rule: str | Rule = "gavish_donoho",
    *,
    shape: Any = None,
    energy_total: float | None = None,
    data: Any = None,
    **options: Any,
) -> int:
    """Return the rank that a rule finds for a spectrum.

    Parameters
    ----------
    s : array_like, shape (k,)
        Singular values, descending: all of them, or the leading ones where that is enough for the rule.
    rule : str or rule
        A rule of :mod:`svdkit.rank`, or its name in small letters: "energy", "elbow", "gavish_donoho", "screenot", ...
    shape : (int, int), optional
        Of the matrix. Without it `s` counts as complete, and rules that depend on the shape refuse.
    energy_total : float, optional
        ``norm(A)**2``, where `s` is only the beginning.
    data : array or sparse matrix, shape (m, n), optional
        The matrix, for rules that look at it.
    **options
        Of the rule, when it is given by name.

    Returns
    -------
    int
        0 is a possible answer. Multiplying s by a power of two never changes it.

    Raises
    ------
    ValueError
        If the rule needs what is not there; the message says what.

    Examples
    --------
    >>> import svdkit
    >>> svdkit.select_rank([9.0, 5.0, 1.0, 0.5], "energy", tau=0.9)
    2
    """
    return decide(s, rule, shape=shape, energy_total=energy_total, data=data, **options).rank


@dataclass(frozen=True)
class Row:
    """One rule's answer; ``rank`` is None where the rule could not be asked, and ``note`` says why."""

    name: str
    rank: int | None
    threshold: float | None
    note: str


class RankTable:
    """The answers of all rules. Iterates over rows; ``table["energy"]`` is the rank; prints as a table."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> int | None:
        for row in self.rows:
            if row.name == name:
                return row.rank
        raise KeyError(f"{name!r} is not in the table; there are {', '.join(row.name for row in self.rows)}")

    @property
    def ranks(self) -> dict[str, int]:
        """Name and rank of the rules that answered."""
        return {row.name: row.rank for row in self.rows if row.rank is not None}

    def __repr__(self) -> str:
        lines = [f"{'rule':<26} {'rank':>5}  {'threshold':>10}  note"]
        for row in self.rows:
            rank = "-" if row.rank is None else row.rank
            threshold = "" if row.threshold is None else f"{row.threshold:.4g}"
            lines.append(f"{row.name:<26} {rank:>5}  {threshold:>10}  {row.note}".rstrip())
        return "\n".join(lines)


def rank_table(
    s: Any, shape: Any, *, noise: float | None = None, energy_total: float | None = None, data: Any = None
) -> RankTable:
    """Return every rule's answer for a spectrum, side by side; disagreement is information.

    Parameters
    ----------
    s : array_like, shape (k,)
        Singular values, descending.
    shape : (int, int)
        Of the matrix.
    noise : float, optional
        Standard deviation of the noise of the entries, if it is known.
    energy_total : float, optional
        ``norm(A)**2``, where `s` is only the beginning.
    data : array or sparse matrix, optional
        The matrix; without it, rules that look at it are left out.

    Returns
    -------
    RankTable

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> svdkit.rank_table([9.0, 8.0, 0.3, 0.2, 0.1, 0.1], (6, 20))["gavish_donoho"]
    2
    """
    spectrum = spectrum_of(s, shape, energy_total=energy_total, data=data)
    return RankTable([_ask(name, rule, spectrum) for name, rule in _panel(noise, data is not None).items()])


def _panel(noise: float | None, has_data: bool) -> dict[str, Rule]:
    """The rules of the table."""
    rules: dict[str, Rule] = {
        "energy 90%": Energy(0.9),
        "energy 99%": Energy(0.99),
        "nuclear_mass 90%": NuclearMass(0.9),
        "tolerance 1e-6": Tolerance(1e-6),
        **{f"elbow {kind}": Elbow(kind) for kind in ("profile", "chord", "kneedle", "second_difference", "gap")},
        "gavish_donoho": GavishDonoho(noise),
        "optimal_shrinkage": OptimalShrinkage(noise),
        "screenot": ScreeNOT(),
        "bai_ng": BaiNg(),
        "ahn_horenstein ER": AhnHorenstein("ER"),
        "ahn_horenstein GR": AhnHorenstein("GR"),
        "onatski": Onatski(),
        "wax_kailath AIC": WaxKailath("AIC"),
        "wax_kailath MDL": WaxKailath("MDL"),
        "nadakuditi_edelman": NadakuditiEdelman(),
        "minka": Minka(),
    }
    if noise is not None:
        rules["universal"] = Universal(noise)
    if has_data:
        rules["parallel_analysis"] = ParallelAnalysis()
        rules["parallel_analysis signflip"] = ParallelAnalysis("signflip")
        rules["bi_cross_validation"] = BiCrossValidation()
        rules["dicmr"] = DICMR()
    return rules


def _ask(name: str, rule: Rule, spectrum: Spectrum) -> Row:
    try:
        decision = rule.decide(spectrum)
    except (ValueError, TypeError) as problem:
        return Row(name, None, None, str(problem))
    if decision is None:
        return Row(name, None, None, f"needs {rule.needs}")
    return Row(name, decision.rank, decision.threshold, "; ".join(decision.warnings))
