"""Rank rules on spectra: published constants, known outputs, limits, scales, planted ranks."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
import svdkit
from reference import orthonormal, planted
from svdkit import rank

SPECTRA = json.loads((Path(__file__).parents[1] / "data" / "spectra.json").read_text())

# beta, lambda, median of Marchenko-Pastur, omega: 40-digit arithmetic
CONSTANTS = [
    (0.01, 1.43474844566, 0.996665676339, 1.43714640184),
    (0.05, 1.50660741072, 0.983308303392, 1.51934095963),
    (0.10, 1.58164839532, 0.966565147403, 1.60877155739),
    (0.25, 1.75802937714, 0.916004070687, 1.83686579112),
    (0.50, 1.97859905375, 0.830465881581, 2.17118534845),
    (0.75, 2.15609384418, 0.742948487007, 2.50142973638),
    (0.90, 2.25034080074, 0.689222098354, 2.71062036936),
    (1.00, 4 / math.sqrt(3), 0.652775941634, 2.85836242407),
]

ON_SPECTRA = [
    rank.Energy(0.9),
    rank.NuclearMass(0.9),
    rank.Tolerance(1e-2),
    rank.Tolerance(0.3, norm="fro"),
    *(rank.Elbow(kind) for kind in ("profile", "chord", "kneedle", "second_difference", "gap")),
    rank.GavishDonoho(),
    rank.OptimalShrinkage(),
    rank.ScreeNOT(),
    rank.BaiNg(),
    rank.AhnHorenstein("ER"),
    rank.AhnHorenstein("GR"),
    rank.Onatski(),
    rank.WaxKailath("AIC"),
    rank.WaxKailath("MDL"),
    rank.NadakuditiEdelman(),
    rank.Minka(),
]


def spectrum(name):
    return np.array(SPECTRA[name]["s"]), tuple(SPECTRA[name]["shape"])


@pytest.mark.parametrize(("beta", "factor", "median", "omega"), CONSTANTS)
def test_constants(beta, factor, median, omega):
    assert rank.threshold_factor(beta) == pytest.approx(factor, rel=2e-11)
    assert rank.marchenko_pastur_median(beta) == pytest.approx(median, rel=2e-11)
    assert rank.median_factor(beta) == pytest.approx(omega, rel=2e-11)


def test_median_of_a_thin_matrix():
    assert rank.marchenko_pastur_median(1e-9) == pytest.approx(1 - 1e-9 / 3, rel=1e-12)


def test_known_outputs():
    s, shape = spectrum("digits")
    table = svdkit.rank_table(s, shape)
    expected = {
        "energy 90%": 21,
        "energy 99%": 41,
        "elbow chord": 15,
        "elbow kneedle": 15,
        "elbow second_difference": 5,
        "gavish_donoho": 23,
        "minka": 61,
    }
    assert {name: table[name] for name in expected} == expected
    assert [svdkit.select_rank(*spectrum(name)[:1], "minka", shape=spectrum(name)[1]) for name in SPECTRA] == [
        61,
        3,
        12,
        29,
    ]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("digits", (39.707400, 6.715649, 13.168511, 30.957392)),
        ("iris", (2.532088, 1.081527, 1.165426, 1.945760)),
        ("wine", (1.407325, 1.001912, 1.003825, 1.145219)),
        ("breast_cancer", (1.871762, 1.018284, 1.036618, 1.404991)),
    ],
)
def test_known_effective_ranks(name, values):
    s, _ = spectrum(name)
    found = rank.effective_rank(s), rank.stable_rank(s), rank.participation_ratio(s), rank.nuclear_ratio(s)
    assert found == pytest.approx(values, abs=1e-6)


def test_chain_of_effective_ranks():
    rng = np.random.default_rng(0)
    for _ in range(300):
        s = np.sort(rng.random(rng.integers(1, 30)) ** rng.integers(1, 12))[::-1]
        chain = [
            1.0,
            rank.stable_rank(s),
            rank.participation_ratio(s),
            rank.matrix_entropy(s),
            rank.nuclear_ratio(s),
            rank.effective_rank(s),
            float(np.count_nonzero(s)),
        ]
        assert all(a <= b * (1 + 1e-12) for a, b in itertools.pairwise(chain)), chain


def test_effective_ranks_of_simple_spectra():
    functions = (
        rank.stable_rank,
        rank.participation_ratio,
        rank.matrix_entropy,
        rank.nuclear_ratio,
        rank.effective_rank,
    )
    assert all(f(np.zeros(5)) == 0 for f in functions)
    assert all(f([3.0] * 7) == pytest.approx(7) for f in functions)
    t = 0.7
    s = t ** np.arange(400)
    assert rank.nuclear_ratio(s) == pytest.approx((1 + t) / (1 - t))
    assert rank.participation_ratio(s) == pytest.approx((1 + t * t) / (1 - t * t))
    assert rank.stable_rank(s) == pytest.approx(1 / (1 - t * t))


def test_nuclear_norm_and_its_bound():
    a = np.random.default_rng(1).standard_normal((40, 25))
    s = np.linalg.svd(a, compute_uv=False)
    assert rank.nuclear_norm(s) == pytest.approx(np.linalg.norm(a, "nuc"))
    assert np.linalg.norm(a) <= rank.nuclear_norm(s) <= rank.nuclear_norm_bound(a)
    assert rank.nuclear_norm(s) <= math.sqrt(25) * np.linalg.norm(a)
    q = orthonormal(np.random.default_rng(2), 40, 10)
    assert rank.nuclear_norm_bound(q) == pytest.approx(10) == pytest.approx(rank.nuclear_norm(np.ones(10)))
    assert rank.nuclear_norm_bound(1e300 * q) == pytest.approx(1e301)


def test_numerical_rank():
    assert rank.numerical_rank([1.0, 1e-3, 1e-15], (10, 100)) == 2
    assert rank.numerical_rank([1.0, 1e-3, 1e-15]) == 3
    assert rank.numerical_rank([]) == 0


@pytest.mark.parametrize("rule", ON_SPECTRA, ids=repr)
def test_powers_of_two_change_nothing(rule):
    s = np.linalg.svd(planted(3), compute_uv=False)
    found = rank.decide(s, rule, shape=(300, 120))
    for power in (-900, -31, 1, 800):
        scaled = rank.decide(np.ldexp(s, power), rule, shape=(300, 120))
        assert scaled.rank == found.rank
        if found.threshold is not None:
            assert scaled.threshold == math.ldexp(found.threshold, power)


@pytest.mark.parametrize("rule", [rule for rule in ON_SPECTRA if not isinstance(rule, rank.WaxKailath)], ids=repr)
def test_the_zero_matrix_has_rank_zero(rule):
    assert svdkit.select_rank(np.zeros(30), rule, shape=(40, 30)) == 0


@pytest.mark.parametrize(
    "rule",
    [
        rank.GavishDonoho(),
        rank.GavishDonoho(noise=1.0),
        rank.OptimalShrinkage(),
        rank.ScreeNOT(),
        rank.Universal(noise=1.0),
        *(rank.BaiNg(c) for c in ("IC1", "IC2", "IC3", "PC1", "PC2", "PC3")),
        rank.AhnHorenstein("ER"),
        rank.AhnHorenstein("GR"),
        rank.Onatski(),
        rank.WaxKailath("MDL"),
        rank.WaxKailath("MDL", real=True),
        rank.NadakuditiEdelman(),
        rank.Minka(),
        rank.Elbow("profile"),
    ],
    ids=repr,
)
def test_planted_rank(rule):
    hits = [
        svdkit.select_rank(np.linalg.svd(planted(seed), compute_uv=False), rule, shape=(300, 120)) for seed in range(10)
    ]
    assert hits.count(4) >= 9, hits


def test_planted_strong_factors_by_the_strictest_criterion():
    s = np.linalg.svd(planted(0, strengths=(20.0, 15.0, 12.0, 10.0)), compute_uv=False)
    assert svdkit.select_rank(s, rank.BaiNg("BIC3"), shape=(300, 120)) == 4


@pytest.mark.parametrize(
    "rule", [rank.GavishDonoho(), rank.ScreeNOT(), rank.BaiNg(), rank.NadakuditiEdelman()], ids=repr
)
def test_noise_alone_has_rank_zero(rule):
    a = np.random.default_rng(4).standard_normal((400, 150))
    assert svdkit.select_rank(np.linalg.svd(a, compute_uv=False), rule, shape=a.shape) == 0


def test_energy():
    s = 2.0 ** -np.arange(1, 41)
    for tau in (0.1, 0.5, 0.74, 0.76, 0.99, 0.9999):
        assert svdkit.select_rank(s, "energy", tau=tau) == math.ceil(-math.log(1 - tau, 4))
    assert svdkit.select_rank(s, rank.Energy(0)) == 0
    assert svdkit.select_rank([2.0, 1.0, 0.0], rank.Energy(1)) == 2
    total = float(np.sum(s**2))
    assert svdkit.select_rank(s[:3], rank.Energy(0.9), shape=(50, 40), energy_total=total) == 2


def test_known_noise_uses_the_longer_side():
    a = planted(5, 100, 1000, (6.0, 5.0, 4.0))
    assert svdkit.select_rank(np.linalg.svd(a, compute_uv=False), rank.GavishDonoho(1.0), shape=a.shape) == 3


def test_optimal_shrinkage():
    m, n, k = 400, 200, 3
    noise_edge = math.sqrt(m) + math.sqrt(n)
    s = np.linspace(0.5, 8, 200)[::-1] * noise_edge
    fro, op, nuclear = (rank.optimal_shrinkage(s, (m, n), noise=1.0, loss=loss) for loss in ("fro", "op", "nuclear"))
    assert np.all((nuclear <= fro + 1e-9) & (fro <= op + 1e-9) & (op <= s + 1e-9))
    assert np.all(fro[s <= noise_edge] == 0)
    assert fro[0] / s[0] > 0.95
    for seed in range(3):  # better than every hard threshold
        rng = np.random.default_rng(seed)
        signal = (orthonormal(rng, m, k) * (np.array([3, 2, 1.3]) * noise_edge)) @ orthonormal(rng, n, k).T
        U, values, Vh = np.linalg.svd(signal + rng.standard_normal((m, n)), full_matrices=False)
        shrunk = rank.optimal_shrinkage(values, (m, n))
        loss = np.linalg.norm((U * shrunk) @ Vh - signal)
        hard = min(np.linalg.norm((U[:, :r] * values[:r]) @ Vh[:r] - signal) for r in range(8))
        assert loss < 0.95 * hard


def test_screenot_on_white_noise_is_the_optimal_threshold():
    a = np.random.default_rng(6).standard_normal((900, 600))
    found = rank.decide(np.linalg.svd(a, compute_uv=False), "screenot", shape=a.shape)
    assert found.threshold == pytest.approx(rank.threshold_factor(2 / 3) * 30, rel=0.02)


def test_screenot_survives_coloured_noise():
    rng = np.random.default_rng(7)
    size = np.geomspace(1, 6, 200)
    signal = (orthonormal(rng, 400, 3) * [900, 700, 600]) @ orthonormal(rng, 200, 3).T
    s = np.linalg.svd(signal + rng.standard_normal((400, 200)) * size, compute_uv=False)
    assert svdkit.select_rank(s, "screenot", shape=(400, 200)) == 3


def test_exactly_low_rank():
    s = np.append([5.0, 3.0, 2.0], np.zeros(37))
    for rule in (rank.Energy(1), rank.BaiNg(), rank.GavishDonoho(), rank.Tolerance(1e-12), rank.ScreeNOT()):
        assert svdkit.select_rank(s, rule, shape=(60, 40)) == 3


def test_flat_spectrum_has_no_elbow():
    decision = rank.decide([2.0, 2.0, 2.0, 2.0], rank.Elbow("chord"))
    assert decision.rank == 0 and "flat" in decision.warnings[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: svdkit.select_rank([1.0, 2.0], "energy"), "descending"),
        (lambda: svdkit.select_rank([1.0, -2.0], "energy"), "not negative"),
        (lambda: svdkit.select_rank([1.0, np.nan], "energy"), r"s\[1\]"),
        (lambda: svdkit.select_rank(np.eye(3), "energy"), "vector"),
        (lambda: svdkit.select_rank([1.0], "nonsense"), "must be a rule"),
        (lambda: svdkit.select_rank([2.0, 1.0], "gavish_donoho"), "shape=.m, n."),
        (lambda: svdkit.select_rank([2.0, 1.0], "gavish_donoho", shape=(9, 9)), "all singular values"),
        (lambda: svdkit.select_rank([2.0, 1.0], "energy", shape=(9, 9)), "energy_total"),
        (lambda: svdkit.select_rank([2.0, 1.0], "parallel_analysis", shape=(9, 2)), "data=A"),
        (lambda: svdkit.select_rank([2.0, 1.0, 0.5], "energy", shape=(2, 9)), "only 2"),
        (lambda: svdkit.select_rank([2.0, 0.0], "wax_kailath", shape=(9, 2)), "NadakuditiEdelman"),
        (lambda: svdkit.select_rank([2.0, 1.0], "minka", shape=(9, 2), samples="columns"), "as many samples"),
        (lambda: svdkit.select_rank([2.0, 1.0], "screenot", shape=(9, 2)), "bound"),
        (lambda: svdkit.select_rank([2.0, 1.0], shape="ab"), "shape"),
        (lambda: rank.Energy(1.5), r"\[0, 1\]"),
        (lambda: rank.Elbow("knee"), "kind"),
        (lambda: rank.GavishDonoho(noise=-1), "positive"),
        (lambda: rank.BaiNg("IC9"), "criterion"),
        (lambda: rank.optimal_shrinkage([1.0], (5, 5)), "all 5"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_table_says_why_a_rule_is_silent():
    s = np.linalg.svd(planted(8), compute_uv=False)
    table = svdkit.rank_table(s[:20], (300, 120), energy_total=float(np.sum(s**2)))
    assert table["gavish_donoho"] is None and table["bai_ng"] == 4
    assert "needs all singular values" in repr(table)
    assert set(table.ranks) < {row.name for row in table}
    with pytest.raises(KeyError, match="nothing"):
        table["nothing"]
