// 2^e A for a power of two: exact, and safe at any magnitude.
//
// Half of the exponent is applied before the product and half after it, so that neither the input nor the
// output leaves the range of the type: svd(2^e A) then has the bits of svd(A). (That is why the two products of
// apply_gram do not share a read of A: what lies between them would leave the range.)
#pragma once

#include <cmath>

#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T>
class Multiple final : public Operator<T> {
public:
    Multiple(const Operator<T>& a, int exponent) : a_(a), exponent_(exponent) {}

    index_t rows() const override { return a_.rows(); }
    index_t cols() const override { return a_.cols(); }
    void apply(ConstPanel<T> x, Panel<T> y) const override;
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) const override;
    std::optional<double> norm_fro() const override {
        const auto norm = a_.norm_fro();
        return norm ? std::optional(std::ldexp(*norm, exponent_)) : std::nullopt;
    }
    OperatorCost cost() const override { return a_.cost(); }
    std::string note() const override { return a_.note(); }

private:
    const Operator<T>& a_;
    int exponent_;
};

}  // namespace svdkit
