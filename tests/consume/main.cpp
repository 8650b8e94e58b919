// The second-difference matrix, once as an array and once as an operator of our own. Its singular values are
// known: 2 + 2 cos(pi i / (n + 1)), i = 1..n.
#include <svdkit/svdkit.hpp>

#include <cmath>
#include <cstdio>
#include <numbers>
#include <vector>

using svdkit::index_t;

class SecondDifference final : public svdkit::Operator<double> {
public:
    explicit SecondDifference(index_t n) : n_(n) {}
    index_t rows() const override { return n_; }
    index_t cols() const override { return n_; }
    void apply(svdkit::ConstPanel<double> x, svdkit::Panel<double> y) const override {
        for (index_t i = 0; i < n_; ++i)
            for (index_t j = 0; j < x.cols; ++j)
                y(i, j) = 2 * x(i, j) - (i > 0 ? x(i - 1, j) : 0) - (i + 1 < n_ ? x(i + 1, j) : 0);
    }
    void apply_adjoint(svdkit::ConstPanel<double> y, svdkit::Panel<double> z) const override { apply(y, z); }

private:
    index_t n_;
};

bool right(const char* what, const svdkit::Result<double>& result, index_t n) {
    double error = 0, residual = 0;
    for (std::size_t i = 0; i < result.s.size(); ++i) {
        const double angle = std::numbers::pi * static_cast<double>(i + 1) / static_cast<double>(n + 1);
        error = std::fmax(error, std::abs(result.s[i] - (2 + 2 * std::cos(angle))));
        residual = std::fmax(residual, result.report.residuals[i]);
    }
    std::printf("%-8s method %s: largest error %.1e, largest residual %.1e\n", what, result.report.method.c_str(),
                error, residual);
    return result.report.converged && error < 1e-12 && residual < 1e-9;
}

int main() {
    const index_t n = 60;
    const SecondDifference difference(n);

    std::vector<double> entries(static_cast<std::size_t>(n * n));
    for (index_t i = 0; i < n; ++i)
        for (index_t j = 0; j < n; ++j)
            entries[static_cast<std::size_t>(i * n + j)] = i == j ? 2 : std::abs(i - j) == 1 ? -1 : 0;
    const svdkit::Dense<double> dense({entries.data(), n, n, n, 1});

    std::printf("svdkit %s\n", SVDKIT_VERSION);
    const bool ok = right("array", svdkit::tsvd<double>(dense, {.k = 5}), n) &
                    right("operator", svdkit::tsvd<double>(difference, {.k = 5}), n);
    return ok ? 0 : 1;
}
