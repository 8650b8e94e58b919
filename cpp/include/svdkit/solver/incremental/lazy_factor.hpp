// LazyFactor: a tall orthonormal factor X = B K that is rotated, extended and corrected in a few of its rows at a time.
//
//   X <- X G + sum_i E_i Y_i      as      K <- K G,   B <- B + sum_i E_i Y_i K^-1
//
// The tall B is touched only where the vectors E_i have entries, so sparse updates cost their entries, not the height.
// K^-1 exists only while new directions join old ones; where they replace them K becomes singular although the update
// is perfectly conditioned. So the condition of K is measured at every step, and past a limit, or when most rows are
// touched anyway, B <- B K G and K <- I come first (materialise): exact even for a singular K G.
// Orthogonality is watched without a look at the tall B: B^T B <- B^T B + (E^T B)^T Y + Y^T (E^T B') follows every lazy
// step in t k^2 flops, and X^T X = K^T (B^T B) K. It carries rounding of cond(K)^2 epsilon, which can only raise a
// false alarm; the tall product is formed after an alarm, and once every row was written 16 times. Cost of a lazy step:
// 2 entries k + 4 k^3 flops; of a materialised one 2 height k^2 more. Memory: height k + k^2, in arrays that double
// when they are full, so appended rows cost what they hold. Papers: Deng et al., ICLR 2024 (the lazy factor); Brand,
// LAA 415 (2006) (products of small factors).
#pragma once

#include <optional>
#include <vector>

#include "svdkit/solver/incremental/tall_vectors.hpp"

namespace svdkit {

class LazyFactor {
public:
    /// E Y: vectors (null: unit vectors) that begin at `first_row` of the factor, and their coefficients, count x r.
    struct Addition {
        const TallVectors* vectors = nullptr;
        index_t first_row = 0;
        ConstPanel<double> coefficients = {};
        ConstPanel<double> inner = {}, gram = {};  ///< E^T B and E^T E of sparse vectors, where they are known
    };

    LazyFactor() : LazyFactor(0, true) {}
    /// No rows yet. A factor that is not `kept` only counts its rows.
    LazyFactor(index_t most_columns, bool kept);

    index_t rows() const { return rows_; }
    index_t cols() const { return factor_.rows() == 0 ? 0 : factor_.cols(); }
    bool kept() const { return kept_; }
    index_t capacity_columns() const { return ld_; }
    index_t bytes() const;

    void append_zero_rows(index_t count);
    /// What was measured and done so far.
    struct History {
        Block<double> gram{};  ///< B^T B as far as it is known, else empty
        index_t written = 0;   ///< rows since it was measured
        index_t materialisations = 0;
        double condition = 1;  ///< of K
    };
    /// B and K as they are, to store and restore them.
    ConstPanel<double> base() const { return {base_.data(), kept_ ? rows_ : 0, base_cols(), ld_}; }
    const Block<double>& factor() const { return factor_; }
    void restore(ConstPanel<double> base, ConstPanel<double> factor, index_t rows, History history);
    const Block<double>& gram() const { return gram_; }
    index_t written() const { return written_; }

    /// E^T B, count x cols: E^T X = E^T B K.
    Block<double> inner(const TallVectors& vectors) const;
    /// X <- X G + sum E Y, lazily while cond(K) <= limit. G is cols x r.
    void advance(ConstPanel<double> g, const std::vector<Addition>& additions, double limit);
    struct Change {
        ConstPanel<double> g = {};
        std::vector<Addition> additions{};
    };
    /// The same of two factors: what is lazy of it at the same time.
    static void advance_both(LazyFactor& a, const Change& to_a, LazyFactor& b, const Change& to_b, double limit);
    void materialise();
    /// Largest entry of |X^T X - I|: from what is known of B^T B, unless that says more than `alarm` or has become old.
    double orthogonality(double alarm);
    /// The same, measured; the factor is materialised.
    double measured_orthogonality();
    /// Rows of X, given by number.
    Block<double> take(const std::vector<index_t>& which) const;
    /// Without these rows, ascending.
    void remove(const std::vector<index_t>& which);
    /// X itself.
    Block<double> formed() const;

    /// From now on what changes is remembered, until all of it is undone or accepted: lazy steps by the rows that they
    /// touch. Removals and `restore` are not among it.
    void remember_changes();
    void undo_changes();
    void accept_changes() { before_.reset(); }

    double condition() const { return condition_; }
    index_t materialisations() const { return materialisations_; }

private:
    struct Before {
        Block<double> factor, gram;
        index_t rows, written, materialisations;
        bool lazy;
        double condition;
        std::vector<index_t> places{};  // rows of B as they were, one line of `lines` each
        std::vector<double> lines{};
        Buffer<double> all{};  // all of B, as it was after those
    };
    void remember_rows(const Addition& addition);
    void remember_all();
    index_t base_cols() const { return factor_.rows(); }
    void add(const Addition& addition, ConstPanel<double> y);
    double off_identity() const;
    Panel<double> all(index_t cols) const { return {base_.data(), rows_, cols, ld_}; }
    void rotate_base(ConstPanel<double> q);
    bool worth_lazy(const Block<double>& next, const std::vector<Addition>& additions) const;
    bool advance_lazily(Block<double>& next, const Change& change, double limit);
    void advance_formed(const Block<double>& next, const Change& change);

    index_t ld_ = 0, rows_ = 0;
    bool kept_ = true;
    Buffer<double> base_;   // rows x ld, zero beyond the columns in use; its capacity is at least rows * ld
    Block<double> factor_;  // K
    Block<double> gram_;    // B^T B, while it is known
    index_t written_ = 0;   // rows since it was measured
    bool lazy_ = false;     // whether K may differ from I
    double condition_ = 1;
    index_t materialisations_ = 0;
    std::optional<Before> before_;
};

}  // namespace svdkit
