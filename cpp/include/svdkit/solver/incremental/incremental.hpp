// Incremental SVD: the k leading triplets of a matrix that changes, A ~ U diag(s) V^T, without the matrix.
//
//   rows     [U S V^T; E^T] = [U 0; 0 I] [S 0; C_1 C_2] [V Q]^T      E = [V Q] C^T (Expansion)
//   columns  the transpose          A + D E^T     [U Q_d] ([S 0; 0 0] + C_d^T C_e) [V Q_e]^T
//
// The small core is decomposed, k triplets are kept, and U and V follow lazily (LazyFactor). Every step is the exact
// truncated SVD of the updated *model*, not of the matrix behind it: what truncation lost stays lost. How much that can
// be is certified: `error_bound` bounds |A - U S V^T|_F; while only rows (or only columns) are appended, every s_j is a
// lower bound, 0 <= A^T A - V S^2 V^T <= gap I, and |A|_F^2 is known, hence the share that the triplets explain.
// Small sparse batches wait, and are taken in together once there are `combine` vectors: a core costs (k + t)^3,
// however few t are, and every core loses something. Asking for anything takes them in at once (for values and the
// certificate, up to the core only), but so that the next batch can undo it: what is asked, and when, changes no bit of
// what comes later. Batches of more than `chunk` vectors go through one truncated SVD of the whole extended model
// (whole_batch). Orthogonality is looked at every 16 updates (LazyFactor: k^3 flops) and restored when it exceeds 2048
// epsilon. All numbers are held in units of a power of two, so no square leaves the range. Double precision throughout:
// single would lose its digits in updates. Cost of t sparse vectors with z entries: z (k + t) + t^2 k + 2 (k + t)^3 +
// 16 (k + t)^2 k flops. Memory: (m + n) k. Papers: Zha & Simon, SISC 21 (1999); Brand, LAA 415 (2006); Deng et al.,
// ICLR 2024; Ghashami, Liberty, Phillips & Woodruff, SICOMP 45 (2016) (shrink: frequent directions).
#pragma once

#include <limits>
#include <optional>

#include "svdkit/base/monitor.hpp"
#include "svdkit/solver/incremental/expansion.hpp"

namespace svdkit {

struct IncrementalOptions {
    index_t k = 1;
    double refresh_condition = 1e3;  ///< of a lazy factor, past which it is multiplied out
    double tol = 0;                  ///< of batches solved as a whole; 0: 1e-11
    index_t chunk = 0;               ///< vectors taken in by one core; 0: chosen
    index_t combine = 0;             ///< sparse vectors that wait for each other; 0: max(3 k / 4, 16); 1: none waits
    bool shrink = false;             ///< frequent directions: subtract s_{k+1}^2 from every square
    bool left = true;                ///< keep U
    std::uint64_t seed = 0;
    int threads = 0;
};

enum class Side { rows, columns };
inline Side across(Side side) { return side == Side::rows ? Side::columns : Side::rows; }

class IncrementalSvd {
public:
    IncrementalSvd(index_t rows, index_t cols, const IncrementalOptions& options);

    index_t rows() const { return left_.rows() + not_taken_in(Side::rows); }
    index_t cols() const { return right_.rows() + not_taken_in(Side::columns); }
    index_t rank() { return look_at_values(), kept(); }
    const IncrementalOptions& options() const { return options_; }
    index_t bytes() const;

    /// Appends rows (vectors of length n, which the first ones decide) or columns; A is multiplied by `forget` first.
    /// Interrupted, nothing is changed.
    void append(Side side, TallVectors vectors, double forget, Monitor& monitor);
    /// A + D E^T. Of more than `chunk` vectors in several steps: interrupted, some are done.
    void add(TallVectors d, TallVectors e, double forget, Monitor& monitor);
    /// The rows (columns) of another state's matrix are appended.
    void merge(Side side, IncrementalSvd& other);
    /// Without these rows (columns), ascending.
    void remove(Side side, const std::vector<index_t>& which);
    /// Multiplies both factors out, measures their orthogonality and restores it.
    void refresh();

    std::vector<double> values();
    Block<double> left() { return look(), left_.formed(); }
    Block<double> right() { return look(), right_.formed(); }
    /// Some rows of U or V: 2 k^2 flops each.
    Block<double> take(Side side, const std::vector<index_t>& which) { return look(), factor(side).take(which); }

    /// What is known of the matrix behind the model, in units of 2^exponent (squares: of 4^exponent).
    struct Certificate {
        double energy = 0;         ///< |A|_F^2
        double error = 0;          ///< bounds |A - U S V^T|_F
        double gap = 0;            ///< bounds A^T A - V S^2 V^T; infinite once it is not known
        index_t kind = 0;          ///< appended so far: 0 nothing, 1 rows, 2 columns, 3 something else
        index_t exact_energy = 1;  ///< 0: the energy is an estimate
        index_t exponent = 0;

        void appended(index_t kinds) {
            kind |= kinds;
            if (kind == 3) gap = std::numeric_limits<double>::infinity();
        }
        void edited() {
            appended(3);
            exact_energy = 0;
        }
    };
    static index_t kind(Side side) { return side == Side::rows ? 1 : 2; }
    /// What was done, in all.
    struct Counts {
        index_t updates = 0, whole_batches = 0, formed = 0, reorthonormalisations = 0, entries = 0, last_entries = 0;
        index_t since_check = 0;
    };
    /// Vectors that wait for more, of one side.
    struct Waiting {
        Side side = Side::rows;
        TallVectors vectors{};
    };
    const Certificate& certificate() { return look_at_values(), certificate_; }
    const Counts& counts() { return look(), counts_; }
    double orthogonality() { return look(), orthogonality_; }
    const LazyFactor& factor(Side side) const { return side == Side::rows ? left_ : right_; }
    index_t chunk(bool sparse) const;
    index_t combine() const;
    index_t waiting_count() const { return waiting_.vectors.count; }

    /// All but the factors, in units.
    struct Numbers {
        std::vector<double> values;
        Certificate certificate;
        Counts counts;
        double orthogonality;
    };
    /// The vectors that wait, put back if they had been taken in; then these numbers and both factors are the state.
    const Waiting& waiting() { return look_away(), waiting_; }
    Numbers numbers() const { return {values_, certificate_, counts_, orthogonality_}; }
    void restore(LazyFactor left, LazyFactor right, Numbers numbers, Waiting waiting);
    LazyFactor empty_factor(Side side) const;

private:
    /// The first half of an update: the new directions, and which of them stay.
    struct Step {
        Expansion expansion;
        Block<double> left, right;  ///< vectors of the core
        index_t kept = 0;
    };
    index_t kept() const { return static_cast<index_t>(values_.size()); }
    index_t not_taken_in(Side side) const {
        const bool taken_in = before_ && !step_;
        return taken_in || side != waiting_.side ? 0 : waiting_.vectors.count;
    }
    void set(Numbers numbers);
    void look_at_values();
    void look();
    void look_away();
    void take_in();
    LazyFactor& side_factor(Side side) { return side == Side::rows ? left_ : right_; }
    void forget(double factor);
    void bring_to_unit(TallVectors& vectors, int unit);
    void change_unit(int exponent);
    bool is_formed(const LazyFactor& factor, const TallVectors& vectors) const;
    Expansion expand(LazyFactor& factor, const TallVectors& vectors, bool formed);
    Step decompose_chunk(Side side, const TallVectors& vectors);
    void follow(Side side, const TallVectors& vectors, const TallVectors* block, const Step& step);
    void append_chunk(Side side, const TallVectors& vectors, const TallVectors* block);
    void append_whole(Side side, const TallVectors& vectors, Monitor& monitor);
    void add_chunk(const TallVectors& d, const TallVectors& e);
    index_t settle(const std::vector<double>& theta, double beyond, double lost);
    bool check_is_due() const;
    void finish_update(index_t entries);
    void reorthonormalise();

    IncrementalOptions options_;
    LazyFactor left_, right_;
    std::vector<double> values_;  // in units
    Certificate certificate_;
    Counts counts_;
    double orthogonality_ = 0;
    Waiting waiting_;
    std::optional<Numbers> before_;  // what waits is taken in, to be looked at
    std::optional<Step> step_;       // but not yet in the factors
};

}  // namespace svdkit
