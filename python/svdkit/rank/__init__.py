"""How many components: rank rules, budgets over many matrices, effective ranks.

Rules are objects. Use one as ``k=`` of a decomposition, which then computes as many triplets as it takes to decide::

    svdkit.tsvd(A, svdkit.rank.Energy(0.9))

or ask about a spectrum with :func:`svdkit.select_rank`; :func:`svdkit.rank_table` asks all.

Which rule: white noise, :class:`GavishDonoho`; noise of unknown colour, :class:`ScreeNOT`; no model of the noise,
:class:`BiCrossValidation`; wrong cells, :class:`DICMR`; panels and truncated spectra, :class:`BaiNg`;
compression, :class:`Energy` or :func:`svdkit.allocate_ranks`. Elbows are for looking.
"""

from ._rule import Decision, Rule
from .adalora import Sensitivity, budget_at, triplet_scores
from .budget import Allocation, allocate_ranks
from .diagnostics import (
    effective_rank,
    matrix_entropy,
    nuclear_norm,
    nuclear_norm_bound,
    nuclear_ratio,
    numerical_rank,
    participation_ratio,
    stable_rank,
)
from .dicmr import DICMR
from .elbow import Elbow
from .energy import Energy, NuclearMass, SoftThreshold, Tolerance, Universal
from .factor_number import AhnHorenstein, BaiNg, Onatski
from .gavish_donoho import (
    GavishDonoho,
    OptimalShrinkage,
    marchenko_pastur_median,
    median_factor,
    optimal_shrinkage,
    threshold_factor,
)
from .information import Minka, NadakuditiEdelman, WaxKailath
from .resampling import BiCrossValidation, ParallelAnalysis
from .screenot import ScreeNOT
from .select import RankTable, decide, rank_table, select_rank

__all__ = [
    "DICMR",
    "AhnHorenstein",
    "Allocation",
    "BaiNg",
    "BiCrossValidation",
    "Decision",
    "Elbow",
    "Energy",
    "GavishDonoho",
    "Minka",
    "NadakuditiEdelman",
    "NuclearMass",
    "Onatski",
    "OptimalShrinkage",
    "ParallelAnalysis",
    "RankTable",
    "Rule",
    "ScreeNOT",
    "Sensitivity",
    "SoftThreshold",
    "Tolerance",
    "Universal",
    "WaxKailath",
    "allocate_ranks",
    "budget_at",
    "decide",
    "effective_rank",
    "marchenko_pastur_median",
    "matrix_entropy",
    "median_factor",
    "nuclear_norm",
    "nuclear_norm_bound",
    "nuclear_ratio",
    "numerical_rank",
    "optimal_shrinkage",
    "participation_ratio",
    "rank_table",
    "select_rank",
    "stable_rank",
    "threshold_factor",
    "triplet_scores",
]
