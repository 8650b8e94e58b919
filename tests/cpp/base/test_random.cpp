#include "svdkit/base/random.hpp"

#include <cmath>

#include "check.hpp"
#include "dense_reference.hpp"
#include "svdkit/base/threads.hpp"

using namespace svdkit;
using namespace svdkit::test;

// Known answers of the Random123 library, philox4x32 with ten rounds.
TEST(philox_known_answers) {
    CHECK(philox({0, 0, 0, 0}, {0, 0}) == PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    constexpr std::uint32_t ones = 0xffffffff;
    CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
          PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

namespace {

template <class T>
void parts_equal_the_whole() {
    const Block<T> whole(3000, 11);
    fill_gaussian<T>(whole.panel(), 42, Stream::start);
    for (index_t row : {0, 1, 1500})
        for (index_t col : {0, 1, 2, 5}) {
            const Block<T> part(700, 6);
            fill_gaussian<T>(part.panel(), 42, Stream::start, 0, row, col);
            CHECK(distance<T>(part, whole.panel().row_range(row, 700).col_range(col, 6)) == 0.0);
        }
}

template <class T>
void moments_are_normal() {
    const index_t rows = 20000, cols = 4;
    const Block<T> x = gaussian<T>(rows, cols, 3);
    const double count = static_cast<double>(rows * cols), parts = is_complex<T> ? 2 : 1;
    std::complex<double> mean = 0;
    double square = 0, fourth = 0, neighbours = 0;
    for (index_t i = 0; i < rows; ++i)
        for (index_t j = 0; j < cols; ++j) {
            const std::complex<double> z(x(i, j));
            mean += z / count;
            square += std::norm(z) / count;
            fourth += z.real() * z.real() * z.real() * z.real() / count;
            neighbours += z.real() * std::complex<double>(x(i, (j + 1) % cols)).real() / count;
        }
    CHECK(std::abs(mean) < 0.02);
    CHECK_CLOSE(square, parts, 0.04);
    CHECK_CLOSE(fourth, 3.0, 0.15);
    CHECK(std::abs(neighbours) < 0.02);
}

}  // namespace

TEST(gaussian_entries_depend_on_their_place_only) { FOR_EACH_SCALAR(parts_equal_the_whole); }

TEST(gaussian_moments) { FOR_EACH_SCALAR(moments_are_normal); }

TEST(gaussian_does_not_depend_on_threads) {
    const Block<double> one(5000, 7), four(5000, 7);
    {
        const ThreadScope scope(1);
        fill_gaussian<double>(one.panel(), 5, Stream::sketch);
    }
    const ThreadScope scope(4);
    fill_gaussian<double>(four.panel(), 5, Stream::sketch);
    CHECK(distance(one, four) == 0.0);
}

TEST(gaussian_streams_differ) {
    const auto first = [](std::uint64_t seed, Stream stream, std::uint32_t index) {
        const Block<double> x(1, 1);
        fill_gaussian<double>(x.panel(), seed, stream, index);
        return x(0, 0);
    };
    const double values[] = {
        first(0, Stream::start, 0),       first(1, Stream::start, 0), first(std::uint64_t{1} << 32, Stream::start, 0),
        first(0, Stream::replacement, 0), first(0, Stream::start, 1), first(0, Stream::verification, 1)};
    for (const double& a : values)
        for (const double& b : values) CHECK(&a == &b || a != b);
}
