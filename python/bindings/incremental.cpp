// The state of an incremental SVD: batches of float or double, sparse or dense, in; factors, numbers and parts out.
//
// Even reading changes it for a while (IncrementalSvd), so every call has it for itself. The lock is taken only while
// the GIL is released, and never held while Python objects are made: whoever waits for one of both holds nothing else.
#include "svdkit/solver/incremental/incremental.hpp"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "bind.hpp"
#include "callback.hpp"
#include "options.hpp"
#include "svdkit/base/threads.hpp"

namespace svdkit::bindings {
namespace {

constexpr std::array kSides{Word{"rows", Side::rows}, Word{"columns", Side::columns}};

struct State {
    IncrementalSvd svd;
    std::mutex busy{};

    template <class Action>
    auto alone(const Action& action) {
        const nb::gil_scoped_release release;
        const std::scoped_lock lock(busy);
        return action(svd);
    }
};

[[noreturn]] void not_finite(double value, index_t vector, index_t place) {
    throw InvalidArgument("entry " + std::to_string(place) + " of vector " + std::to_string(vector) + " is " +
                          std::to_string(value) + ", but all entries must be finite; remove or impute such entries");
}

/// Compressed vectors, one after the other: whether they are what they have to be. Their number.
template <class T, class Index>
index_t check_sparse(const VectorIn<Index>& begin, const VectorIn<Index>& place, const VectorIn<T>& value,
                     index_t length) {
    const index_t count = extent(begin, 0) - 1;
    const index_t entries = count >= 0 ? static_cast<index_t>(begin.data()[count]) : -1;
    if (entries < 0 || entries > extent(place, 0) || entries > extent(value, 0) || begin.data()[0] != 0) {
        throw InvalidArgument("a sparse batch has an indptr that does not fit its indices and data");
    }
    for (index_t j = 0; j < count; ++j) {
        const auto first = static_cast<index_t>(begin.data()[j]), last = static_cast<index_t>(begin.data()[j + 1]);
        if (last < first || last > entries) throw InvalidArgument("a sparse batch has an indptr that decreases");
        for (index_t p = first; p < last; ++p) {
            const auto i = static_cast<index_t>(place.data()[p]);
            if (i < 0 || i >= length) {
                throw InvalidArgument("a sparse batch has index " + std::to_string(i) + ", but must be in 0.." +
                                      std::to_string(length - 1));
            }
            if (!std::isfinite(value.data()[p])) not_finite(static_cast<double>(value.data()[p]), j, i);
        }
    }
    return count;
}

template <class T, class Index>
TallVectors sparse_vectors(VectorIn<Index> begin, VectorIn<Index> place, VectorIn<T> value, index_t length) {
    const index_t count = check_sparse<T, Index>(begin, place, value, length);
    TallVectors out{.length = length, .count = count};
    const auto entries = static_cast<index_t>(begin.data()[count]);
    out.begin.assign(begin.data(), begin.data() + count + 1);
    out.place.assign(place.data(), place.data() + entries);
    out.value.assign(value.data(), value.data() + entries);
    return out;
}

/// The columns of an array, and room for `more` of them, zero. finish(i, row) of every row, once it is there.
template <class T, class Finish>
TallVectors dense_vectors(const ConstView<T>& a, index_t more, const Finish& finish) {
    TallVectors out{.length = a.rows, .count = a.cols + more, .sparse = false};
    out.dense = Block<double>(a.rows, a.cols + more);
    constexpr index_t kTile = 32;  // rows of a matrix are its columns here: both sides of the transposition stay near
    const Partition tiles{a.rows, (a.rows + kTile - 1) / kTile, kTile};
    parallel_for(tiles.parts, 8.0 * static_cast<double>(a.rows * a.cols), [&](index_t tile) {
        const index_t first = tiles.begin(tile), last = tiles.begin(tile + 1);
        for (index_t from = 0; from < a.cols; from += kTile) {
            const index_t to = std::min(from + kTile, a.cols);
            for (index_t i = first; i < last; ++i)
                for (index_t j = from; j < to; ++j) out.dense(i, j) = static_cast<double>(a(i, j));
        }
        for (index_t i = first; i < last && a.cols > 0; ++i) {
            double* const row = &out.dense(i, 0);
            for (index_t j = 0; j < a.cols; ++j)
                if (!std::isfinite(row[j])) not_finite(row[j], j, i);
            finish(i, row);
        }
    });
    return out;
}

/// The columns of an array less their mean, one more that moves `mean` (of that weight; none: empty), and their mean.
template <class T>
nb::tuple centered_vectors(MatrixIn<T> array, VectorIn<double> mean, double weight) {
    const ConstView<T> a = view<T>(array);
    const index_t more = extent(mean, 0) > 0 ? 1 : 0;
    TallVectors vectors;
    std::vector<double> fresh(static_cast<std::size_t>(a.rows));
    {
        const nb::gil_scoped_release release;
        const auto count = static_cast<double>(a.cols);
        const double root = std::sqrt(weight * count / (weight + count));
        vectors = dense_vectors<T>(a, more, [&](index_t i, double* row) {
            std::array<double, 4> sums{};
            for (index_t j = 0; j < a.cols; ++j) sums[static_cast<std::size_t>(j % 4)] += row[j];
            const double center = ((sums[0] + sums[1]) + (sums[2] + sums[3])) / count;
            for (index_t j = 0; j < a.cols; ++j) row[j] -= center;
            if (more > 0) row[a.cols] = root * (center - mean.data()[i]);
            fresh[static_cast<std::size_t>(i)] = center;
        });
    }
    return nb::make_tuple(std::move(vectors), give(std::move(fresh)));
}

template <class T, class Index>
void bind_sparse(nb::class_<TallVectors>& cls) {
    cls.def_static("sparse", &sparse_vectors<T, Index>, nb::arg("begin").noconvert(), nb::arg("place").noconvert(),
                   nb::arg("value").noconvert(), nb::arg("length"));
    cls.def_static("check_sparse", &check_sparse<T, Index>, nb::arg("begin").noconvert(), nb::arg("place").noconvert(),
                   nb::arg("value").noconvert(), nb::arg("length"), "As for `sparse`; only checked, and counted.");
}

template <class T>
void bind_vectors(nb::class_<TallVectors>& cls) {
    bind_sparse<T, std::int32_t>(cls);
    bind_sparse<T, std::int64_t>(cls);
    cls.def_static(
        "dense", [](MatrixIn<T> array) { return dense_vectors<T>(view<T>(array), 0, [](index_t, double*) {}); },
        nb::arg("array").noconvert(), "The columns of an array.");
    cls.def_static("centered", &centered_vectors<T>, nb::arg("array").noconvert(), nb::arg("mean").noconvert(),
                   nb::arg("weight"), "Less their mean, with the vector that moves a mean; and their mean.");
}

/// Rows without gaps, as arrays are read back.
Block<double> compact(ConstPanel<double> x) {
    Block<double> out(x.rows, x.cols, std::max<index_t>(x.cols, 1));
    detail::copy_panel<double>(x, out.panel());
    return out;
}

/// What a lazy factor is, copied.
struct FactorParts {
    Block<double> base, factor, gram;
    index_t rows, written, materialisations;
    double condition;

    explicit FactorParts(const LazyFactor& f)
        : base(compact(f.base())),
          factor(compact(f.factor())),
          gram(compact(f.gram())),
          rows(f.rows()),
          written(f.written()),
          materialisations(f.materialisations()),
          condition(f.condition()) {}
    nb::tuple give_all() {
        return nb::make_tuple(give(std::move(base)), give(std::move(factor)), rows, give(std::move(gram)), written,
                              materialisations, condition);
    }
};

LazyFactor put_together(LazyFactor factor, const nb::tuple& parts) {
    factor.restore(panel<double>(nb::cast<BlockIn<double>>(parts[0])),
                   panel<double>(nb::cast<BlockIn<double>>(parts[1])), nb::cast<index_t>(parts[2]),
                   {compact(panel<double>(nb::cast<BlockIn<double>>(parts[3]))), nb::cast<index_t>(parts[4]),
                    nb::cast<index_t>(parts[5]), nb::cast<double>(parts[6])});
    return factor;
}

using Certificate = IncrementalSvd::Certificate;
using Counts = IncrementalSvd::Counts;

nb::tuple numbers(const Certificate& c) {
    return nb::make_tuple(c.energy, c.error, c.gap, c.kind, c.exact_energy, c.exponent);
}

nb::tuple numbers(const Counts& c) {
    return nb::make_tuple(c.updates, c.whole_batches, c.formed, c.reorthonormalisations, c.entries, c.last_entries,
                          c.since_check);
}

/// (side, length, begin, place, value) of vectors that wait.
nb::tuple give_all(IncrementalSvd::Waiting waiting) {
    TallVectors& v = waiting.vectors;
    return nb::make_tuple(waiting.side == Side::rows ? "rows" : "columns", v.length, give(std::move(v.begin)),
                          give(std::move(v.place)), give(std::move(v.value)));
}

IncrementalSvd::Waiting waiting_of(const nb::tuple& parts) {
    return {
        parse("side", nb::cast<std::string_view>(parts[0]), kSides),
        sparse_vectors<double, index_t>(nb::cast<VectorIn<index_t>>(parts[2]), nb::cast<VectorIn<index_t>>(parts[3]),
                                        nb::cast<VectorIn<double>>(parts[4]), nb::cast<index_t>(parts[1]))};
}

/// Vectors that wait are sparse.
IncrementalSvd::Waiting copy_of(const IncrementalSvd::Waiting& waiting) {
    const TallVectors& v = waiting.vectors;
    return {waiting.side, {.length = v.length, .count = v.count, .begin = v.begin, .place = v.place, .value = v.value}};
}

/// All that a state is, to be given to `restore`.
nb::tuple stored(State& state) {
    struct Copy {
        IncrementalSvd::Waiting waiting;
        IncrementalSvd::Numbers numbers;
        FactorParts left, right;
    };
    Copy c = state.alone([](IncrementalSvd& svd) {
        IncrementalSvd::Waiting waiting = copy_of(svd.waiting());  // first: it puts back what had been taken in
        return Copy{std::move(waiting), svd.numbers(), FactorParts(svd.factor(Side::rows)),
                    FactorParts(svd.factor(Side::columns))};
    });
    return nb::make_tuple(c.left.give_all(), c.right.give_all(), give(std::move(c.numbers.values)),
                          numbers(c.numbers.certificate), numbers(c.numbers.counts), c.numbers.orthogonality,
                          give_all(std::move(c.waiting)));
}

void restore(State& state, const nb::tuple& parts) {
    const nb::tuple c = parts[3], n = parts[4];
    const Certificate certificate{nb::cast<double>(c[0]),  nb::cast<double>(c[1]),  nb::cast<double>(c[2]),
                                  nb::cast<index_t>(c[3]), nb::cast<index_t>(c[4]), nb::cast<index_t>(c[5])};
    const Counts counts{nb::cast<index_t>(n[0]), nb::cast<index_t>(n[1]), nb::cast<index_t>(n[2]),
                        nb::cast<index_t>(n[3]), nb::cast<index_t>(n[4]), nb::cast<index_t>(n[5]),
                        nb::cast<index_t>(n[6])};
    IncrementalSvd& svd = state.svd;  // options do not change
    LazyFactor left = put_together(svd.empty_factor(Side::rows), parts[0]);
    LazyFactor right = put_together(svd.empty_factor(Side::columns), parts[1]);
    IncrementalSvd::Numbers all{copy<double>(nb::cast<VectorIn<double>>(parts[2])), certificate, counts,
                                nb::cast<double>(parts[5])};
    IncrementalSvd::Waiting waiting = waiting_of(parts[6]);
    state.alone(
        [&](IncrementalSvd& s) { s.restore(std::move(left), std::move(right), std::move(all), std::move(waiting)); });
}

nb::dict account(State& state) {
    struct Account {
        Counts counts;
        index_t waiting, materialisations;
        double condition, orthogonality;
    };
    const Account a = state.alone([](IncrementalSvd& svd) {
        const Counts counts = svd.counts();  // first: it takes in what waits
        const LazyFactor &left = svd.factor(Side::rows), &right = svd.factor(Side::columns);
        return Account{counts, svd.waiting_count(), left.materialisations() + right.materialisations(),
                       std::max(left.condition(), right.condition()), svd.orthogonality()};
    });
    nb::dict out;
    out["updates"] = a.counts.updates;
    out["waiting"] = a.waiting;
    out["materialisations"] = a.materialisations;
    out["condition"] = a.condition;
    out["orthogonality"] = a.orthogonality;
    out["reorthonormalisations"] = a.counts.reorthonormalisations;
    out["touched"] = a.counts.last_entries;
    out["touched_total"] = a.counts.entries;
    out["formed"] = a.counts.formed;
    out["whole_batches"] = a.counts.whole_batches;
    return out;
}

/// U, s and Vh of the same moment.
nb::tuple triplets(State& state) {
    struct Triplets {
        Block<double> left;
        std::vector<double> values;
        Block<double> right;
    };
    Triplets t = state.alone([](IncrementalSvd& svd) { return Triplets{svd.left(), svd.values(), svd.right()}; });
    return nb::make_tuple(give(std::move(t.left)), give(std::move(t.values)), give_adjoint(std::move(t.right)));
}

/// The other one is changed too, for a look: both have to be free, and std::scoped_lock waits for two without deadlock.
void merge(State& state, std::string_view side, State& other) {
    const Side which = parse("side", side, kSides);
    if (&state == &other) return state.alone([&](IncrementalSvd& svd) { svd.merge(which, svd); });
    const nb::gil_scoped_release release;
    const std::scoped_lock lock(state.busy, other.busy);
    state.svd.merge(which, other.svd);
}

using StateClass = nb::class_<State>;

void bind_updates(StateClass& cls) {
    cls.def(
        "append",
        [](State& state, std::string_view side, TallVectors& vectors, double forget) {
            const Side which = parse("side", side, kSides);
            Monitor watch = monitor(nb::none(), 0);
            state.alone([&](IncrementalSvd& svd) { svd.append(which, std::move(vectors), forget, watch); });
        },
        nb::arg("side"), nb::arg("vectors"), nb::arg("forget"), "Vectors are used up.");
    cls.def(
        "add",
        [](State& state, TallVectors& d, TallVectors& e, double forget) {
            Monitor watch = monitor(nb::none(), 0);
            state.alone([&](IncrementalSvd& svd) { svd.add(std::move(d), std::move(e), forget, watch); });
        },
        nb::arg("d"), nb::arg("e"), nb::arg("forget"), "A + D E^T");
    cls.def("merge", &merge, nb::arg("side"), nb::arg("other"));
    cls.def(
        "remove",
        [](State& state, std::string_view side, const std::vector<index_t>& which) {
            const Side from = parse("side", side, kSides);
            state.alone([&](IncrementalSvd& svd) { svd.remove(from, which); });
        },
        nb::arg("side"), nb::arg("which"), "Without these rows or columns, ascending.");
    cls.def("refresh", [](State& state) { state.alone([](IncrementalSvd& svd) { svd.refresh(); }); });
}

void bind_queries(StateClass& cls) {
    cls.def_prop_ro("shape", [](State& state) {
        return state.alone([](const IncrementalSvd& svd) { return std::pair(svd.rows(), svd.cols()); });
    });
    cls.def_prop_ro("rank", [](State& state) { return state.alone([](IncrementalSvd& svd) { return svd.rank(); }); });
    cls.def_prop_ro("nbytes",
                    [](State& state) { return state.alone([](const IncrementalSvd& svd) { return svd.bytes(); }); });
    cls.def(
        "in_one_step",
        [](const State& state, const TallVectors& d, const TallVectors& e) {
            return d.count <= state.svd.chunk(d.sparse && e.sparse);
        },
        nb::arg("d"), nb::arg("e"));
    cls.def("values", [](State& state) { return give(state.alone([](IncrementalSvd& svd) { return svd.values(); })); });
    cls.def("right",
            [](State& state) { return give_adjoint(state.alone([](IncrementalSvd& svd) { return svd.right(); })); });
    cls.def("triplets", &triplets, "U, s and Vh.");
    cls.def(
        "take",
        [](State& state, std::string_view side, const std::vector<index_t>& which) {
            const Side from = parse("side", side, kSides);
            return give(state.alone([&](IncrementalSvd& svd) { return compact(svd.take(from, which)); }));
        },
        nb::arg("side"), nb::arg("which"), "Some rows of U or V.");
    cls.def(
        "certificate",
        [](State& state) { return numbers(state.alone([](IncrementalSvd& svd) { return svd.certificate(); })); },
        "energy, error, gap, kind, exact_energy, exponent");
    cls.def("account", &account, "What was done so far.");
    cls.def("state", &stored);
    cls.def("restore", &restore, nb::arg("state"));
}

}  // namespace

void bind_incremental(nb::module_& m) {
    nb::class_<TallVectors> vectors(m, "TallVectors", "A few tall vectors, sparse or dense.");
    bind_vectors<float>(vectors);
    bind_vectors<double>(vectors);
    StateClass cls(m, "IncrementalState", "The k leading triplets of a matrix that changes.");
    cls.def(
        "__init__",
        [](State* self, index_t rows, index_t cols, index_t k, double refresh_condition, double tol, index_t chunk,
           index_t combine, bool shrink, bool left, std::uint64_t seed, int threads) {
            new (self) State{
                IncrementalSvd(rows, cols, {k, refresh_condition, tol, chunk, combine, shrink, left, seed, threads})};
        },
        nb::arg("rows"), nb::arg("cols"), nb::arg("k"), nb::arg("refresh_condition"), nb::arg("tol"), nb::arg("chunk"),
        nb::arg("combine"), nb::arg("shrink"), nb::arg("left"), nb::arg("seed"), nb::arg("threads"));
    bind_updates(cls);
    bind_queries(cls);
}

}  // namespace svdkit::bindings
