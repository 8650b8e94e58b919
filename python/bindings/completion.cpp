// Cells of a matrix with weights, by rows and by columns, and the fits of low rank to them.
#include "svdkit/solver/completion.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string_view.h>

#include "bind.hpp"
#include "callback.hpp"
#include "options.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/op/cell_residual.hpp"
#include "svdkit/op/written_residual.hpp"

namespace svdkit::bindings {
namespace {

constexpr std::array kCompletionMethods{Word{"als", CompletionMethod::als}, Word{"em", CompletionMethod::em},
                                        Word{"em_acc", CompletionMethod::accelerated_em}};

template <class T>
struct HeldCells {
    std::vector<nb::ndarray<>> arrays;
    std::unique_ptr<Cells<T>> by_rows, by_columns;

    TwoSidedCells<T> both() const { return {*by_rows, *by_columns}; }
};

template <class T>
HeldCells<T> dense(MatrixIn<T> a, std::optional<MatrixIn<T>> weights, double value_unit, double weight_unit) {
    HeldCells<T> cells;
    cells.arrays.emplace_back(a);
    ConstView<T> w;
    if (weights) {
        cells.arrays.emplace_back(*weights);
        w = view<T>(*weights);
        if (w.rows != extent(a, 0) || w.cols != extent(a, 1))
            throw InvalidArgument("the weights have another shape than A");
    }
    const CellUnits units{value_unit, weight_unit};
    cells.by_rows = std::make_unique<DenseCells<T>>(view<T>(a), w, units);
    cells.by_columns = std::make_unique<DenseCells<T>>(view<T>(a).transposed(), w.transposed(), units);
    return cells;
}

using Pointers = VectorIn<std::int64_t>;
using Columns32 = VectorIn<std::int32_t>;

template <class T>
std::unique_ptr<Cells<T>> one_side(HeldCells<T>& cells, const Pointers& pointers, const Columns32& columns,
                                   const VectorIn<T>& values, const std::optional<VectorIn<T>>& weights, index_t rows,
                                   index_t cols, CellUnits units) {
    const CellList<T> list{
        pointers.data(), columns.data(), values.data(), weights ? weights->data() : nullptr, rows, cols, units};
    if (extent(pointers, 0) != rows + 1) throw InvalidArgument("the row pointers do not fit the shape");
    const index_t count = list.count();
    if (count < 0 || count > extent(columns, 0) || count > extent(values, 0) ||
        (weights && count > extent(*weights, 0)))
        throw InvalidArgument("the row pointers do not fit the number of cells");
    cells.arrays.emplace_back(pointers);
    cells.arrays.emplace_back(columns);
    cells.arrays.emplace_back(values);
    if (weights) cells.arrays.emplace_back(*weights);
    return std::make_unique<SparseCells<T>>(list);
}

template <class T>
HeldCells<T> sparse(Pointers pointers, Columns32 columns, VectorIn<T> values, std::optional<VectorIn<T>> weights,
                    Pointers col_pointers, Columns32 rows_of, VectorIn<T> col_values,
                    std::optional<VectorIn<T>> col_weights, double value_unit, double weight_unit) {
    HeldCells<T> cells;
    const index_t m = extent(pointers, 0) - 1, n = extent(col_pointers, 0) - 1;
    const CellUnits units{value_unit, weight_unit};
    cells.by_rows = one_side<T>(cells, pointers, columns, values, weights, m, n, units);
    cells.by_columns = one_side<T>(cells, col_pointers, rows_of, col_values, col_weights, n, m, units);
    return cells;
}

nb::tuple totals(const auto& side) {
    std::vector<double> sums(static_cast<std::size_t>(side.rows()));
    std::vector<index_t> counts(sums.size());
    {
        const nb::gil_scoped_release release;
        side.totals(sums.data(), counts.data());
    }
    return nb::make_tuple(give(std::move(sums)), give(std::move(counts)));
}

template <class T>
Handle<T> residual(nb::handle self, BlockIn<T> left, BlockIn<T> right) {
    const auto& cells = nb::cast<const HeldCells<T>&>(self);
    Handle<T> a;
    const Fit<T> fit{panel<T>(left), panel<T>(right), {}, {}, 0};
    if (fit.left.rows != cells.by_rows->rows() || fit.right.rows != cells.by_rows->cols() ||
        fit.left.cols != fit.right.cols)
        throw InvalidArgument("the factors do not fit the cells");
    a.views(left).views(right).needs(self).op =
        std::make_unique<CellResidual<T>>(*cells.by_rows, *cells.by_columns, fit);
    return a;
}

template <class T>
std::optional<Handle<float>> written_residual(const HeldCells<T>& cells, BlockIn<T> left, BlockIn<T> right) {
    const auto* const list = dynamic_cast<const SparseCells<T>*>(cells.by_rows.get());
    if (!list) return std::nullopt;
    OwnedOperator<float> written;
    {
        const nb::gil_scoped_release release;
        written = svdkit::written_residual(*list, panel<T>(left), panel<T>(right));
    }
    if (!written.op) return std::nullopt;
    Handle<float> a;
    a.arrays = cells.arrays;
    a.memory = std::move(written.memory);
    a.op = std::move(written.op);
    return a;
}

template <class T>
double loss(const HeldCells<T>& cells, BlockIn<T> left, BlockIn<T> right) {
    const Block<T> none(cells.by_rows->cols(), 0), nothing(cells.by_rows->rows(), 0);
    const nb::gil_scoped_release release;
    return cells.by_rows->multiply({panel<T>(left), panel<T>(right), {}, {}, 0}, none, nothing);
}

template <class T>
nb::tuple solve(const HeldCells<T>& cells, BlockIn<T> left, BlockIn<T> right, index_t k, std::string_view method,
                double penalty, double tol, index_t max_iterations, std::uint64_t seed, int threads,
                nb::object callback, double time_limit) {
    const CompletionOptions options{.k = k,
                                    .method = parse("method", method, kCompletionMethods),
                                    .penalty = penalty,
                                    .tol = tol,
                                    .max_iterations = max_iterations,
                                    .seed = seed,
                                    .threads = threads};
    Monitor watch = monitor(callback, time_limit);
    Completion<T> out;
    {
        const nb::gil_scoped_release release;
        out = complete(cells.both(), panel<T>(left), panel<T>(right), options, watch);
    }
    nb::dict more;
    more["loss"] = out.loss;
    more["mean_weight"] = out.mean_weight;
    more["history"] = give(std::move(out.history));
    more["restarts"] = out.restarts;
    more["pulled"] = nb::make_tuple(out.pulled_rows, out.pulled_cols);
    const nb::tuple triplets = give_triplets(std::move(out.result), true);
    return nb::make_tuple(triplets[0], triplets[1], triplets[2], triplets[3], more);
}

template <class T>
void bind_cells(nb::module_& m, const char* name) {
    nb::class_<HeldCells<T>>(m, name, "Cells of a matrix with weights, in place, by rows and by columns.")
        .def_static("dense", &dense<T>, nb::arg("a").noconvert(), nb::arg("weights").noconvert().none(),
                    nb::arg("value_unit"), nb::arg("weight_unit"),
                    "All entries of weight > 0; without weights all that are numbers.")
        .def_static("sparse", &sparse<T>, nb::arg("pointers").noconvert(), nb::arg("columns").noconvert(),
                    nb::arg("values").noconvert(), nb::arg("weights").noconvert().none(),
                    nb::arg("col_pointers").noconvert(), nb::arg("rows").noconvert(), nb::arg("col_values").noconvert(),
                    nb::arg("col_weights").noconvert().none(), nb::arg("value_unit"), nb::arg("weight_unit"),
                    "CSR and CSC forms of the cells, without duplicates.")
        .def(
            "row_totals", [](const HeldCells<T>& cells) { return totals(*cells.by_rows); },
            "Of every row: the sum of the weights, and the number of cells.")
        .def(
            "column_totals", [](const HeldCells<T>& cells) { return totals(*cells.by_columns); },
            "Of every column: the sum of the weights, and the number of cells.")
        .def_static("residual", &residual<T>, nb::arg("cells"), nb::arg("left").noconvert(),
                    nb::arg("right").noconvert(), "W o (A - left right^T) as an operator.")
        .def("written_residual", &written_residual<T>, nb::arg("left").noconvert(), nb::arg("right").noconvert(),
             "The same with its entries written down, in single precision; None where the cells are not listed.")
        .def("loss", &loss<T>, nb::arg("left").noconvert(), nb::arg("right").noconvert(),
             "sum w (a - left right^T)^2 in the units of the cells.")
        .def("complete", &solve<T>, nb::arg("left").noconvert(), nb::arg("right").noconvert(), nb::arg("k"),
             nb::arg("method"), nb::arg("penalty"), nb::arg("tol"), nb::arg("max_iterations"), nb::arg("seed"),
             nb::arg("threads"), nb::arg("callback").none(), nb::arg("time_limit"),
             "(U, s, Vh, report, more): a fit of rank at most k from left right^T.");
}

}  // namespace

void bind_completion(nb::module_& m) {
    bind_cells<float>(m, "CellsF32");
    bind_cells<double>(m, "CellsF64");
}

}  // namespace svdkit::bindings
