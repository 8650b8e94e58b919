// Every instruction-set level, layout and block width gives the products of the triple loop.
#include "svdkit/kernel/block_pass.hpp"

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/kernel/simd.hpp"

using namespace svdkit;
using namespace svdkit::test;

namespace {

struct LevelScope {
    std::string before = simd_level();
    explicit LevelScope(const std::string& name) { set_simd_level(name); }
    ~LevelScope() { set_simd_level(before); }
};

template <class T>
void check_passes(ConstView<T> a, index_t width, double units = 30) {
    const Block<T> x = gaussian<T>(a.cols, width, 1), w = gaussian<T>(a.rows, width, 2);
    Block<T> y(a.rows, width), z(a.cols, width);
    const Block<T> expected_y = multiply<T>(a, x), expected_z = multiply_adjoint<T>(a, w);
    const double limit = tolerance<T>(units) * std::sqrt(static_cast<double>(a.rows + a.cols));
    forward_pass<T>(a, x, y);
    CHECK(distance(y, expected_y) <= limit);
    forward_pass<T>(a, x, y, true);
    for (index_t i = 0; i < a.rows; ++i)
        for (index_t j = 0; j < width; ++j) y(i, j) /= T(2);
    CHECK(distance(y, expected_y) <= limit);
    adjoint_pass<T>(a, w, z);
    CHECK(distance(z, expected_z) <= limit);
    gram_pass<T>(a, x, y, z);
    CHECK(distance(y, expected_y) <= limit);
    CHECK(distance(z, multiply_adjoint<T>(a, expected_y)) <= limit * std::sqrt(static_cast<double>(a.rows)) * 3);
}

template <class T>
void all_layouts(index_t rows, index_t cols, index_t width) {
    const Block<T> store = gaussian<T>(3 * rows, 2 * cols + 1, 7);
    const index_t ld = store.ld();
    check_passes<T>({store.data(), rows, cols, ld, 1}, width);                                 // row-major
    check_passes<T>({store.data(), rows, cols, 1, rows}, width);                               // column-major
    check_passes<T>({store.data(), rows, cols, 3 * ld, 2}, width);                             // strided
    check_passes<T>({store.data() + (rows - 1) * ld + cols - 1, rows, cols, -ld, -1}, width);  // backwards
}

template <class T>
void many_shapes() {
    for (const auto& level : simd_levels()) {
        const LevelScope scope(level);
        for (index_t width : {1, 3, 4, 8, 13, 16, 24, 32, 48, 64, 70}) all_layouts<T>(45, 37, width);
        for (const auto& [rows, cols] :
             {std::pair<index_t, index_t>{1, 1}, {1, 50}, {50, 1}, {2, 3}, {400, 9}, {9, 400}})
            all_layouts<T>(rows, cols, 8);
    }
}

// Long enough for adjoint parts that depend on the threads, and, for 70 vectors, panels in parts and two reads of A.
constexpr index_t kRows = 300, kLong = 2200;

template <class T>
void long_rows() {
    const Block<T> store = gaussian<T>(kRows, kLong, 3);
    const ConstView<T> a{store.data(), kRows, kLong, store.ld(), 1};
    const double units = 200;  // sums of 2200 terms are large while they are rounded
    for (index_t width : {8, 70}) {
        check_passes<T>(a, width, units);
        check_passes<T>(a.transposed(), width, units);
    }
}

template <class T>
void bits_without_threads() {
    const Block<T> store = gaussian<T>(kRows, kLong, 3);
    const ConstView<T> long_a{store.data(), kRows, kLong, store.ld(), 1};
    const Block<T> square = gaussian<T>(900, 700, 3);
    const auto same_bits = [](ConstView<T> a, index_t width) {
        const Block<T> x = gaussian<T>(a.cols, width, 4), w = gaussian<T>(a.rows, width, 5);
        Block<T> y[2] = {{a.rows, width}, {a.rows, width}}, z[2] = {{a.cols, width}, {a.cols, width}};
        for (int threads : {1, 2, 3, 5}) {
            const index_t run = threads > 1;
            const ThreadScope scope(threads);
            gram_pass<T>(a, x, y[run], z[run]);
            CHECK(distance(y[0], y[run]) == 0 && distance(z[0], z[run]) == 0);
        }
        for (int threads : {1, 2, 3, 5}) {
            const index_t run = threads > 1;
            const ThreadScope scope(threads);
            adjoint_pass<T>(a, w, z[run]);
            forward_pass<T>(a, x, y[run]);
            CHECK(distance(y[0], y[run]) == 0 && distance(z[0], z[run]) == 0);
        }
    };
    for (index_t width : {8, 70}) {
        same_bits({square.data(), 900, 700, square.ld(), 1}, width);
        same_bits(long_a, width);
        same_bits(long_a.transposed(), width);
    }
}

}  // namespace

TEST(block_pass_every_level_layout_and_width) { FOR_EACH_SCALAR(many_shapes); }

TEST(block_pass_of_long_rows_and_wide_panels) { FOR_EACH_SCALAR(long_rows); }

TEST(block_pass_bits_do_not_depend_on_threads) { FOR_EACH_SCALAR(bits_without_threads); }

TEST(block_pass_reads_no_padding) {
    // NaN right behind every row and column that belongs to the operands must not come in.
    const double nan = std::nan("");
    const index_t rows = 19, cols = 21, width = 5, ld = 40;
    Block<double> a(rows + 1, ld, ld), x(cols + 1, ld, ld), y(rows, ld, ld);
    for (auto* block : {&a, &x, &y}) std::fill(block->data(), block->data() + block->rows() * ld, nan);
    for (index_t i = 0; i < rows; ++i)
        for (index_t j = 0; j < cols; ++j) a(i, j) = 1;
    for (index_t j = 0; j < cols; ++j)
        for (index_t c = 0; c < width; ++c) x(j, c) = 1;
    forward_pass<double>({a.data(), rows, cols, ld, 1}, {x.data(), cols, width, ld}, {y.data(), rows, width, ld});
    for (index_t i = 0; i < rows; ++i) {
        for (index_t c = 0; c < width; ++c) CHECK(y(i, c) == static_cast<double>(cols));
        for (index_t c = width; c < ld; ++c) CHECK(std::isnan(y(i, c)));  // and nothing is written outside
    }
}

TEST(block_pass_of_nothing) {
    const Block<double> a(0, 5, 5), x = gaussian<double>(5, 3, 1);
    Block<double> y(0, 3), z = gaussian<double>(5, 3, 2);
    forward_pass<double>(view_of(a), x, y);
    adjoint_pass<double>(view_of(a), y, z);
    for (index_t i = 0; i < 5; ++i) CHECK(z(i, 0) == 0.0);
}

TEST(simd_level_unknown_is_refused) {
    CHECK_THROWS(set_simd_level("v99"), std::invalid_argument);
    CHECK(!simd_levels().empty());
}
