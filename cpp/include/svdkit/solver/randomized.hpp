// Randomized SVD: a random block, a few products with A^H A, a Rayleigh-Ritz step.
//
//   block Krylov:      V = span{W, G W, ..., G^q W},  G = A^H A, W random
//   power iterations:  V <- orth((G - alpha I) V),  alpha at most half of the smallest squared value in sight [1]
//   then               A V = U diag(s) Y^H
//
// All blocks together are more accurate than the last one alone, by as many digits as there are products [2]; they are
// kept, with A times them, where that takes at most twice the memory of A (or 64 MB): then the triplets and their
// residuals come from products that were made, and A is not read for them. Blocks are orthonormalised by Cholesky QR,
// never by squaring their condition a second time. Iterations stop when the squared values have less than `accuracy`
// sigma_{k+1}^2 to go, by the rate at which their change falls: the error per vector |sigma_i^2 - |A v_i|^2| /
// sigma_{k+1}^2 is then about that. Without a number of products blocks are 16 wide, which needs fewer vectors.
// Cost of an iteration, l = k + oversample: 4 m n l flops and one read of A where its products are fused.
// Papers: Halko, Martinsson & Tropp, SIAM Rev. 53 (2011); [1] Feng, Yu, Xie & Tang, ACM TOMS (2024);
// [2] Musco & Musco, NeurIPS 28 (2015).
#pragma once

#include "svdkit/base/monitor.hpp"
#include "svdkit/op/operator.hpp"
#include "svdkit/solver/result.hpp"

namespace svdkit {

enum class Sketch { gaussian, sparse, srht };

struct RandomizedOptions {
    index_t k = 1;
    index_t oversample = 10;
    index_t power_iterations = -1;  ///< products with A^H A before the last; -1: until `accuracy` is reached
    index_t passes = 0;             ///< times A is read, at least 2, instead; 0: as power_iterations say
    index_t block_size = 0;         ///< multiplied at a time; 0: k + oversample where products are counted, else 16
    double accuracy = 1e-2;         ///< error per vector that ends automatic iterations
    Sketch sketch = Sketch::gaussian;
    double max_abs = 0;  ///< largest |a_ij| if the caller knows it; 0: looked up
    std::uint64_t seed = 0;
    int threads = 0;  ///< 0: the default
};

template <class T>
Result<T> randomized(const Operator<T>& a, const RandomizedOptions& options, Monitor& monitor);

}  // namespace svdkit
