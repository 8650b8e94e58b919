// The state of an incremental SVD: batches of float or double, sparse or dense, in; factors, numbers and parts out.
#include "svdkit/solver/incremental/incremental.hpp"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>

#include "bind.hpp"
#include "callback.hpp"
#include "options.hpp"
#include "svdkit/base/threads.hpp"

namespace svdkit::bindings {
namespace {

constexpr std::array kSides{Word{"rows", Side::rows}, Word{"columns", Side::columns}};

[[noreturn]] void not_finite(double value, index_t vector, index_t place) {
    throw InvalidArgument("entry " + std::to_string(place) + " of vector " + std::to_string(vector) + " is " +
                          std::to_string(value) + ", but all entries must be finite; remove or impute such entries");
}

/// Compressed vectors, one after the other.
template <class T, class Index>
TallVectors sparse_vectors(VectorIn<Index> begin, VectorIn<Index> place, VectorIn<T> value, index_t length) {
    TallVectors out{.length = length, .count = extent(begin, 0) - 1};
    const index_t entries = out.count >= 0 ? static_cast<index_t>(begin.data()[out.count]) : -1;
    if (entries < 0 || entries > extent(place, 0) || entries > extent(value, 0) || begin.data()[0] != 0) {
        throw InvalidArgument("a sparse batch has an indptr that does not fit its indices and data");
    }
    out.begin.assign(begin.data(), begin.data() + out.count + 1);
    out.place.assign(place.data(), place.data() + entries);
    out.value.assign(value.data(), value.data() + entries);
    for (index_t j = 0; j < out.count; ++j) {
        const index_t first = out.begin[static_cast<std::size_t>(j)], last = out.begin[static_cast<std::size_t>(j) + 1];
        if (last < first || last > entries) throw InvalidArgument("a sparse batch has an indptr that decreases");
        for (index_t p = first; p < last; ++p) {
            const index_t i = out.place[static_cast<std::size_t>(p)];
            if (i < 0 || i >= length) {
                throw InvalidArgument("a sparse batch has index " + std::to_string(i) + ", but must be in 0.." +
                                      std::to_string(length - 1));
            }
            if (!std::isfinite(out.value[static_cast<std::size_t>(p)]))
                not_finite(out.value[static_cast<std::size_t>(p)], j, i);
        }
    }
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

template <class T>
void bind_vectors(nb::class_<TallVectors>& cls) {
    cls.def_static("sparse", &sparse_vectors<T, std::int32_t>, nb::arg("begin").noconvert(),
                   nb::arg("place").noconvert(), nb::arg("value").noconvert(), nb::arg("length"));
    cls.def_static("sparse", &sparse_vectors<T, std::int64_t>, nb::arg("begin").noconvert(),
                   nb::arg("place").noconvert(), nb::arg("value").noconvert(), nb::arg("length"));
    cls.def_static(
        "dense", [](MatrixIn<T> array) { return dense_vectors<T>(view<T>(array), 0, [](index_t, double*) {}); },
        nb::arg("array").noconvert(), "The columns of an array.");
    cls.def_static("centered", &centered_vectors<T>, nb::arg("array").noconvert(), nb::arg("mean").noconvert(),
                   nb::arg("weight"), "Less their mean, with the vector that moves a mean; and their mean.");
}

nb::object copy_array(ConstPanel<double> x) { return nb::cast(copy_of<double>(x)); }

/// (base, factor, rows, gram, written) of a lazy factor.
nb::tuple parts(const LazyFactor& factor) {
    return nb::make_tuple(copy_array(factor.base()), copy_array(factor.factor()), factor.rows(),
                          copy_array(factor.gram()), factor.written());
}

LazyFactor put_together(LazyFactor factor, const nb::tuple& parts) {
    factor.restore(panel<double>(nb::cast<BlockIn<double>>(parts[0])),
                   panel<double>(nb::cast<BlockIn<double>>(parts[1])), nb::cast<index_t>(parts[2]));
    factor.restore_gram(panel<double>(nb::cast<BlockIn<double>>(parts[3])), nb::cast<index_t>(parts[4]));
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
nb::tuple parts(const IncrementalSvd::Waiting& waiting) {
    const TallVectors& v = waiting.vectors;
    return nb::make_tuple(waiting.side == Side::rows ? "rows" : "columns", v.length, give(std::vector(v.begin)),
                          give(std::vector(v.place)), give(std::vector(v.value)));
}

IncrementalSvd::Waiting waiting_of(const nb::tuple& parts) {
    return {
        parse("side", nb::cast<std::string_view>(parts[0]), kSides),
        sparse_vectors<double, index_t>(nb::cast<VectorIn<index_t>>(parts[2]), nb::cast<VectorIn<index_t>>(parts[3]),
                                        nb::cast<VectorIn<double>>(parts[4]), nb::cast<index_t>(parts[1]))};
}

/// All that a state is, to be given to `restore`.
nb::tuple state_of(IncrementalSvd& svd) {
    const nb::tuple waiting = parts(svd.waiting());
    IncrementalSvd::Numbers n = svd.numbers();
    return nb::make_tuple(parts(svd.factor(Side::rows)), parts(svd.factor(Side::columns)), give(std::move(n.values)),
                          numbers(n.certificate), numbers(n.counts), n.orthogonality, waiting);
}

void restore(IncrementalSvd& svd, const nb::tuple& state) {
    const nb::tuple c = state[3], n = state[4];
    const Certificate certificate{nb::cast<double>(c[0]),  nb::cast<double>(c[1]),  nb::cast<double>(c[2]),
                                  nb::cast<index_t>(c[3]), nb::cast<index_t>(c[4]), nb::cast<index_t>(c[5])};
    const Counts counts{nb::cast<index_t>(n[0]), nb::cast<index_t>(n[1]), nb::cast<index_t>(n[2]),
                        nb::cast<index_t>(n[3]), nb::cast<index_t>(n[4]), nb::cast<index_t>(n[5]),
                        nb::cast<index_t>(n[6])};
    svd.restore(put_together(svd.empty_factor(Side::rows), state[0]),
                put_together(svd.empty_factor(Side::columns), state[1]),
                {copy<double>(nb::cast<VectorIn<double>>(state[2])), certificate, counts, nb::cast<double>(state[5])},
                waiting_of(state[6]));
}

nb::dict account(IncrementalSvd& svd) {
    const Counts counts = svd.counts();
    const LazyFactor &left = svd.factor(Side::rows), &right = svd.factor(Side::columns);
    nb::dict out;
    out["updates"] = counts.updates;
    out["waiting"] = svd.waiting_count();
    out["materialisations"] = left.materialisations() + right.materialisations();
    out["condition"] = std::max(left.condition(), right.condition());
    out["orthogonality"] = svd.orthogonality();
    out["reorthonormalisations"] = counts.reorthonormalisations;
    out["touched"] = counts.last_entries;
    out["touched_total"] = counts.entries;
    out["formed"] = counts.formed;
    out["whole_batches"] = counts.whole_batches;
    return out;
}

using State = nb::class_<IncrementalSvd>;

void bind_updates(State& cls) {
    cls.def(
        "append",
        [](IncrementalSvd& svd, std::string_view side, TallVectors& vectors, double forget) {
            const Side which = parse("side", side, kSides);
            Monitor watch = monitor(nb::none(), 0);
            const nb::gil_scoped_release release;
            svd.append(which, std::move(vectors), forget, watch);
        },
        nb::arg("side"), nb::arg("vectors"), nb::arg("forget"), "Vectors are used up.");
    cls.def(
        "add",
        [](IncrementalSvd& svd, TallVectors& d, TallVectors& e, double forget) {
            Monitor watch = monitor(nb::none(), 0);
            const nb::gil_scoped_release release;
            svd.add(std::move(d), std::move(e), forget, watch);
        },
        nb::arg("d"), nb::arg("e"), nb::arg("forget"), "A + D E^T");
    cls.def(
        "merge",
        [](IncrementalSvd& svd, std::string_view side, IncrementalSvd& other) {
            const Side which = parse("side", side, kSides);
            const nb::gil_scoped_release release;
            svd.merge(which, other);
        },
        nb::arg("side"), nb::arg("other"));
    cls.def(
        "remove",
        [](IncrementalSvd& svd, std::string_view side, const std::vector<index_t>& which) {
            const nb::gil_scoped_release release;
            svd.remove(parse("side", side, kSides), which);
        },
        nb::arg("side"), nb::arg("which"), "Without these rows or columns, ascending.");
    cls.def("refresh", &IncrementalSvd::refresh, nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace

void bind_incremental(nb::module_& m) {
    nb::class_<TallVectors> vectors(m, "TallVectors", "A few tall vectors, sparse or dense.");
    bind_vectors<float>(vectors);
    bind_vectors<double>(vectors);
    State cls(m, "IncrementalState", "The k leading triplets of a matrix that changes.");
    cls.def(
        "__init__",
        [](IncrementalSvd* self, index_t rows, index_t cols, index_t k, double refresh_condition, double tol,
           index_t chunk, index_t combine, bool shrink, bool left, std::uint64_t seed, int threads) {
            new (self)
                IncrementalSvd(rows, cols, {k, refresh_condition, tol, chunk, combine, shrink, left, seed, threads});
        },
        nb::arg("rows"), nb::arg("cols"), nb::arg("k"), nb::arg("refresh_condition"), nb::arg("tol"), nb::arg("chunk"),
        nb::arg("combine"), nb::arg("shrink"), nb::arg("left"), nb::arg("seed"), nb::arg("threads"));
    bind_updates(cls);
    cls.def_prop_ro("shape", [](const IncrementalSvd& svd) { return std::pair(svd.rows(), svd.cols()); });
    cls.def_prop_ro("rank", &IncrementalSvd::rank);
    cls.def_prop_ro("nbytes", &IncrementalSvd::bytes);
    cls.def(
        "in_one_step",
        [](const IncrementalSvd& svd, const TallVectors& d, const TallVectors& e) {
            return d.count <= svd.chunk(d.sparse && e.sparse);
        },
        nb::arg("d"), nb::arg("e"));
    cls.def("values", [](IncrementalSvd& svd) { return give(svd.values()); });
    cls.def("left", [](IncrementalSvd& svd) { return give(svd.left()); });
    cls.def("right", [](IncrementalSvd& svd) { return give_adjoint(svd.right()); }, "Vh");
    cls.def(
        "take",
        [](IncrementalSvd& svd, std::string_view side, const std::vector<index_t>& which) {
            return copy_of<double>(svd.take(parse("side", side, kSides), which));
        },
        nb::arg("side"), nb::arg("which"), "Some rows of U or V.");
    cls.def(
        "certificate", [](IncrementalSvd& svd) { return numbers(svd.certificate()); },
        "energy, error, gap, kind, exact_energy, exponent");
    cls.def("account", &account, "What was done so far.");
    cls.def("state", &state_of);
    cls.def("restore", &restore, nb::arg("state"));
}

}  // namespace svdkit::bindings
