// Everything a C++ user of svdkit needs.
//
//   #include <svdkit/svdkit.hpp>
//   svdkit::Dense<double> a({data, m, n, /*row_stride=*/n, /*col_stride=*/1});
//   auto [u, s, v, report] = svdkit::tsvd<double>(a, {.k = 20});
#pragma once

#include "svdkit/base/buffer.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/base/monitor.hpp"
#include "svdkit/base/random.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/base/types.hpp"
#include "svdkit/base/view.hpp"
#include "svdkit/op/adjoint.hpp"
#include "svdkit/op/callback.hpp"
#include "svdkit/op/centered.hpp"
#include "svdkit/op/dense.hpp"
#include "svdkit/op/low_rank.hpp"
#include "svdkit/op/multiple.hpp"
#include "svdkit/op/operator.hpp"
#include "svdkit/op/product.hpp"
#include "svdkit/op/scaled.hpp"
#include "svdkit/op/sparse.hpp"
#include "svdkit/op/stacked.hpp"
#include "svdkit/op/sum.hpp"
#include "svdkit/solver/incremental/incremental.hpp"
#include "svdkit/solver/options.hpp"
#include "svdkit/solver/randomized.hpp"
#include "svdkit/solver/report.hpp"
#include "svdkit/solver/result.hpp"
#include "svdkit/solver/tsvd.hpp"
