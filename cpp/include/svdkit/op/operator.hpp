// Operator: a matrix, known only by what it does to a block of vectors.
//
//   apply          Y = A X          X is cols x b, Y is rows x b
//   apply_adjoint  Z = A^H Y
//   apply_gram     Y = A X and Z = A^H Y, in one read of A where the operator can
//   apply_outer    Z = A^H Y and W = A Z, the same for A^H
//
// Outputs are overwritten and never alias inputs. Blocks are row-major panels. Operators compose and never own what
// they view. One virtual call per block product costs nothing beside it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "svdkit/base/view.hpp"
#include "svdkit/op/kronecker_shape.hpp"

namespace svdkit {

/// What a product costs, for cost models.
struct OperatorCost {
    double flops_per_vector = 0;  ///< of one A x (an adjoint product costs the same)
    double bytes_per_pass = 0;    ///< read by one pass over A, whatever the block width
};

template <class T>
class Operator;

/// An operator together with the memory that it views, and what the report should say of that.
template <class T>
struct OwnedOperator {
    std::shared_ptr<void> memory;
    std::unique_ptr<Operator<T>> op;
    std::string note = {};
};

template <class T>
class Operator {
public:
    virtual ~Operator() = default;

    virtual index_t rows() const = 0;
    virtual index_t cols() const = 0;
    virtual void apply(ConstPanel<T> x, Panel<T> y) const = 0;
    virtual void apply_adjoint(ConstPanel<T> y, Panel<T> z) const = 0;
    virtual void apply_gram(ConstPanel<T> x, Panel<T> y, Panel<T> z) const {
        apply(x, y);
        apply_adjoint(y, z);
    }

    virtual void apply_outer(ConstPanel<T> y, Panel<T> z, Panel<T> w) const {
        apply_adjoint(y, z);
        apply(z, w);
    }

    /// Times A is read by apply_gram and by apply_outer: 1 when it is fused, 2 otherwise.
    virtual int gram_passes() const { return 2; }
    virtual int outer_passes() const { return 2; }
    /// The entries, when they lie in memory as a dense matrix.
    virtual std::optional<ConstView<T>> dense_view() const { return std::nullopt; }
    /// 2^exponent A as a copy whose products take the same path, bit for bit; null where there is nothing to copy.
    virtual OwnedOperator<T> scaled_copy([[maybe_unused]] int exponent) const { return {}; }
    /// The rearrangement whose truncated SVD is the best sum of Kronecker products (op/kronecker.hpp), viewing what
    /// this operator views; null where products alone do not tell the entries.
    virtual OwnedOperator<T> rearranged([[maybe_unused]] const KroneckerShape& shape) const { return {}; }
    /// Largest |a_ij|, when it is cheap to have.
    virtual std::optional<double> max_abs() const { return std::nullopt; }
    /// (sum |a_ij|^2)^(1/2), when it is cheap to have: one or two reads of entries in memory.
    virtual std::optional<double> norm_fro() const { return std::nullopt; }
    virtual OperatorCost cost() const {
        const double entries = static_cast<double>(rows()) * static_cast<double>(cols());
        return {2 * entries, static_cast<double>(sizeof(T)) * entries};
    }
    /// What the operator wants the report to say (a copy it had to make, for example); empty: nothing.
    virtual std::string note() const { return {}; }
};

}  // namespace svdkit
