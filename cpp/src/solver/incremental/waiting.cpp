// Batches that wait: appended, taken in, looked at and put back; what is read of a state.
#include <algorithm>
#include <cmath>
#include <utility>

#include "magnitudes.hpp"
#include "svdkit/base/threads.hpp"
#include "svdkit/solver/incremental/incremental.hpp"

namespace svdkit {
namespace {

constexpr index_t kCombine = 16;

}  // namespace

index_t IncrementalSvd::combine() const {
    return std::min(chunk(true), options_.combine > 0 ? options_.combine : std::max(3 * options_.k / 4, kCombine));
}

// What waits is always taken in before anything is done to a new batch: whatever goes wrong there, that one is not in.
void IncrementalSvd::append(Side side, TallVectors vectors, double forgetting, Monitor& monitor) {
    const ThreadScope threads(options_.threads);
    const bool waits = vectors.sparse && vectors.count < combine();
    if (waits && side == waiting_.side && waiting_.vectors.count < combine()) {
        look_away();
    } else {
        take_in();
    }
    const Numbers before = numbers();
    bring_to_unit(vectors, 0);
    forget(forgetting);
    certificate_.energy += detail::sum_of_squares(vectors);
    certificate_.appended(kind(side));
    if (waits) {
        waiting_.side = side;
        return waiting_.vectors.append(vectors);
    }
    if (vectors.count <= chunk(vectors.sparse)) return append_chunk(side, vectors, nullptr);
    try {
        append_whole(side, vectors, monitor);
    } catch (...) {  // interrupted: as if never called
        set(before);
        throw;
    }
}

// Half of an update tells the values, unless the orthogonality is due: restoring it changes them.
void IncrementalSvd::look_at_values() {
    if (waiting_.vectors.count == 0 || before_) return;
    const ThreadScope threads(options_.threads);
    before_ = numbers();
    left_.remember_changes();
    right_.remember_changes();
    try {
        step_ = decompose_chunk(waiting_.side, waiting_.vectors);
        if (check_is_due()) look();
    } catch (...) {
        look_away();
        throw;
    }
}

void IncrementalSvd::look() {
    look_at_values();
    if (!step_) return;
    const ThreadScope threads(options_.threads);
    try {
        follow(waiting_.side, waiting_.vectors, nullptr, *std::exchange(step_, std::nullopt));
    } catch (...) {
        look_away();
        throw;
    }
}

void IncrementalSvd::look_away() {
    if (!before_) return;
    left_.undo_changes();
    right_.undo_changes();
    set(std::move(*before_));
    before_.reset();
    step_.reset();
}

void IncrementalSvd::take_in() {
    if (before_) {
        look();
    } else if (waiting_.vectors.count > 0) {
        append_chunk(waiting_.side, waiting_.vectors, nullptr);
    }
    waiting_.vectors = {};
    left_.accept_changes();
    right_.accept_changes();
    before_.reset();
}

std::vector<double> IncrementalSvd::values() {
    look_at_values();
    std::vector<double> s(values_);
    for (double& value : s) value = std::ldexp(value, static_cast<int>(certificate_.exponent));
    return s;
}

index_t IncrementalSvd::bytes() const {
    const index_t entries = static_cast<index_t>(waiting_.vectors.value.size());
    return left_.bytes() + right_.bytes() + entries * static_cast<index_t>(sizeof(double) + sizeof(index_t));
}

void IncrementalSvd::set(Numbers numbers) {
    values_ = std::move(numbers.values);
    certificate_ = numbers.certificate;
    counts_ = numbers.counts;
    orthogonality_ = numbers.orthogonality;
}

void IncrementalSvd::restore(LazyFactor left, LazyFactor right, Numbers numbers, Waiting waiting) {
    left_ = std::move(left);
    right_ = std::move(right);
    set(std::move(numbers));
    waiting_ = std::move(waiting);
    before_.reset();
    step_.reset();
}

}  // namespace svdkit
