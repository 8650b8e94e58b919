#include "svdkit/op/sparse.hpp"

#include <cmath>

#include "svdkit/base/scratch.hpp"
#include "svdkit/kernel/norm.hpp"
#include "svdkit/kernel/scan.hpp"
#include "svdkit/op/kronecker.hpp"

namespace svdkit {
namespace {

// CSC products need conj(A^T) x and A^T x of the stored CSR form; its own adjoint conjugates. Conjugating the panels
// instead of the matrix: A x = conj(S^H conj(x)) for A = S^T.
template <class T>
class Conjugated {
public:
    explicit Conjugated(ConstPanel<T> in) : panel_(in) {
        if constexpr (is_complex<T>) {
            copy_.emplace(in.rows, in.cols);
            panel_ = copy_->panel();
            for (index_t i = 0; i < in.rows; ++i)
                for (index_t j = 0; j < in.cols; ++j) copy_->panel()(i, j) = conj(in(i, j));
        }
    }
    ConstPanel<T> panel() const { return panel_; }

private:
    std::optional<ScratchPanel<T>> copy_;
    ConstPanel<T> panel_;
};

template <class T>
void conjugate(Panel<T> p) {
    if constexpr (is_complex<T>) {
        for (index_t i = 0; i < p.rows; ++i)
            for (index_t j = 0; j < p.cols; ++j) p(i, j) = conj(p(i, j));
    }
}

}  // namespace

template <class T, class Index>
Sparse<T, Index>::Sparse(CsrView<T, Index> compressed, Layout layout) : a_(compressed), layout_(layout) {
    check_structure(a_);
    partition_ = partition_rows(a_);
}

template <class T, class Index>
const EntryTiles<real_t<T>>* Sparse<T, Index>::tiles() const {
    if constexpr (!is_complex<T>) {
        if (!EntryTiles<T>::pay(a_)) return nullptr;
        std::call_once(cut_, [this] { tiles_ = std::make_unique<EntryTiles<T>>(a_); });
    }
    return tiles_.get();
}

template <class T, class Index>
void Sparse<T, Index>::along(ConstPanel<T> x, Panel<T> y) const {
    if constexpr (!is_complex<T>) {
        if (const auto* copy = tiles(); copy && copy->forward_pays()) return copy->forward(x, y);
    }
    spmm(a_, partition_, x, y);
}

template <class T, class Index>
void Sparse<T, Index>::across(ConstPanel<T> y, Panel<T> z) const {
    if constexpr (!is_complex<T>) {
        if (const auto* copy = tiles()) return copy->adjoint(y, z);
    }
    spmm_adjoint(a_, partition_, y, z);
}

template <class T, class Index>
void Sparse<T, Index>::both(ConstPanel<T> x, Panel<T> y, Panel<T> z) const {
    if (!tiles()) return spmm_gram(a_, partition_, x, y, z);
    along(x, y);
    across(y, z);
}

template <class T, class Index>
void Sparse<T, Index>::apply(ConstPanel<T> x, Panel<T> y) const {
    if (layout_ == Layout::csr) {
        along(x, y);
    } else {
        across(Conjugated<T>(x).panel(), y);
        conjugate(y);
    }
}

template <class T, class Index>
void Sparse<T, Index>::apply_adjoint(ConstPanel<T> y, Panel<T> z) const {
    if (layout_ == Layout::csr) {
        across(y, z);
    } else {
        along(Conjugated<T>(y).panel(), z);
        conjugate(z);
    }
}

template <class T, class Index>
void Sparse<T, Index>::apply_gram(ConstPanel<T> x, Panel<T> y, Panel<T> z) const {
    if (layout_ == Layout::csr) {
        both(x, y, z);
    } else {
        apply(x, y);
        apply_adjoint(y, z);
    }
}

template <class T, class Index>
void Sparse<T, Index>::apply_outer(ConstPanel<T> y, Panel<T> z, Panel<T> w) const {
    if (layout_ == Layout::csc) {
        both(Conjugated<T>(y).panel(), z, w);
        conjugate(z);
        conjugate(w);
    } else {
        apply_adjoint(y, z);
        apply(z, w);
    }
}

// Only the values are copied; the structure is shared.
template <class T, class Index>
OwnedOperator<T> Sparse<T, Index>::scaled_copy(int exponent) const {
    auto values = std::make_shared<Buffer<T>>(a_.nnz());
    const auto half = std::ldexp(real_t<T>(1), exponent / 2), rest = std::ldexp(real_t<T>(1), exponent - exponent / 2);
    for (index_t p = 0; p < a_.nnz(); ++p) (*values)[p] = a_.values[p] * half * rest;
    CsrView<T, Index> copy = a_;
    copy.values = values->data();
    return {values, std::make_unique<Sparse>(copy, layout_)};
}

template <class T, class Index>
OwnedOperator<T> Sparse<T, Index>::rearranged(const KroneckerShape& shape) const {
    return rearranged_sparse(a_, layout_, shape);
}

// Duplicates add up, so this bounds the largest entry from below or above by their number: enough to choose a scale.
template <class T, class Index>
std::optional<double> Sparse<T, Index>::max_abs() const {
    return scan_values(a_.values, a_.nnz()).max_abs;
}

template <class T, class Index>
std::optional<double> Sparse<T, Index>::norm_fro() const {
    return svdkit::norm_fro(a_);
}

template <class T, class Index>
OperatorCost Sparse<T, Index>::cost() const {
    const double nnz = static_cast<double>(a_.nnz());
    return {(is_complex<T> ? 8 : 2) * nnz, nnz * (sizeof(T) + sizeof(Index))};
}

template <class T, class Index>
std::string Sparse<T, Index>::note() const {
    if (is_complex<T> || !EntryTiles<real_t<T>>::pay(a_)) return {};
    const index_t megabytes = (EntryTiles<real_t<T>>::bytes(a_.nnz()) + 500000) / 1000000;
    return "products use a copy of the entries, in tiles that fit the cache (" + std::to_string(megabytes) + " MB)";
}

#define INSTANTIATE(T)                      \
    template class Sparse<T, std::int32_t>; \
    template class Sparse<T, std::int64_t>;
SVDKIT_FOR_EACH_SCALAR(INSTANTIATE)
#undef INSTANTIATE

}  // namespace svdkit
