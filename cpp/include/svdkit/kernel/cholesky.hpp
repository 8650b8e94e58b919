// Cholesky factor of a positive definite matrix, threaded: C = L L^H.
//
// Left-looking by block columns: the rows of a block column are updated by all columns before it, a fixed piece of rows
// by one product each, so that the bits do not depend on the number of threads; then a small factorisation and a
// triangular solve. Cost: n^3 / 3 flops (complex: 4 times that), n^2 (n / block) / 2 numbers read; nothing allocated.
// Paper: Golub & Van Loan, Matrix Computations (4th ed.), section 4.2.
#pragma once

#include "svdkit/base/view.hpp"

namespace svdkit {

/// Reads the lower triangle of C (n x n, row-major) and replaces C by L, zeros above its diagonal. Returns 0, or the
/// order j > 0 of the leading minor that is not positive; C is then partly overwritten.
template <class T>
index_t cholesky(Panel<T> c);

}  // namespace svdkit
