#include "svdkit/base/view.hpp"

#include <numeric>
#include <vector>

#include "check.hpp"

using namespace svdkit;

TEST(view_strides_are_in_elements) {
    std::vector<double> data(24);
    std::iota(data.begin(), data.end(), 0.0);
    const View<double> rows{data.data(), 4, 6, 6, 1}, columns{data.data(), 4, 6, 1, 4};
    CHECK(rows(2, 3) == 15.0);
    CHECK(columns(2, 3) == 14.0);
    const View<double> every_other{data.data(), 2, 3, 12, 2};
    CHECK(every_other(1, 2) == 16.0);
    const View<double> backwards{data.data() + 23, 4, 6, -6, -1};
    CHECK(backwards(0, 0) == 23.0 && backwards(3, 5) == 0.0);
}

TEST(view_transposed_shares_its_data) {
    std::vector<double> data(6);
    std::iota(data.begin(), data.end(), 0.0);
    const View<double> a{data.data(), 2, 3, 3, 1};
    const View<double> t = a.transposed();
    CHECK(t.rows == 3 && t.cols == 2);
    for (index_t i = 0; i < 2; ++i)
        for (index_t j = 0; j < 3; ++j) CHECK(&t(j, i) == &a(i, j));
    t(2, 1) = 50;
    const ConstView<double> c = a;
    CHECK(c(1, 2) == 50.0);
}

TEST(panel_ranges_keep_the_leading_dimension) {
    std::vector<float> data(40);
    std::iota(data.begin(), data.end(), 0.0f);
    const Panel<float> p{data.data(), 5, 6, 8};
    CHECK(p.row(2) == data.data() + 16);
    const Panel<float> rows = p.row_range(1, 3), columns = p.col_range(2, 4);
    CHECK(rows.rows == 3 && rows.cols == 6 && rows.ld == 8);
    CHECK(columns.rows == 5 && columns.cols == 4 && columns.ld == 8);
    CHECK(rows(0, 0) == 8.0f && columns(1, 1) == 11.0f);
    CHECK(p.row_range(1, 3).col_range(2, 4)(2, 3) == p(3, 5));
}
