// An operator as a solver sees it: reads of A counted, products timed, and A^H in place of A where that side is
// smaller.
#pragma once

#include <chrono>

#include "svdkit/base/monitor.hpp"
#include "svdkit/op/operator.hpp"

namespace svdkit {

template <class T>
class Counted {
public:
    explicit Counted(const Operator<T>& a) : a_(a) {}

    /// From now on the operator is its own adjoint.
    void flip() { flipped_ = !flipped_; }
    bool flipped() const { return flipped_; }
    const Operator<T>& original() const { return a_; }

    index_t rows() const { return flipped_ ? a_.cols() : a_.rows(); }
    index_t cols() const { return flipped_ ? a_.rows() : a_.cols(); }
    void apply(ConstPanel<T> x, Panel<T> y) { flipped_ ? adjoint(x, y) : forward(x, y); }
    void apply_adjoint(ConstPanel<T> y, Panel<T> z) { flipped_ ? forward(y, z) : adjoint(y, z); }

    void apply_gram(ConstPanel<T> x, Panel<T> y, Panel<T> z) {
        timed(gram_passes(), [&] { flipped_ ? a_.apply_outer(x, y, z) : a_.apply_gram(x, y, z); });
    }
    int gram_passes() const { return flipped_ ? a_.outer_passes() : a_.gram_passes(); }

    /// Any other work that reads A once.
    template <class Work>
    void read(const Work& work) {
        timed(1, work);
    }

    index_t passes() const { return passes_; }
    double seconds() const { return seconds_; }

private:
    void forward(ConstPanel<T> x, Panel<T> y) {
        timed(1, [&] { a_.apply(x, y); });
    }
    void adjoint(ConstPanel<T> y, Panel<T> z) {
        timed(1, [&] { a_.apply_adjoint(y, z); });
    }
    template <class Product>
    void timed(int reads, const Product& product) {
        const auto start = std::chrono::steady_clock::now();
        product();
        seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        passes_ += reads;
    }

    const Operator<T>& a_;
    bool flipped_ = false;
    index_t passes_ = 0;
    double seconds_ = 0;
};

}  // namespace svdkit
