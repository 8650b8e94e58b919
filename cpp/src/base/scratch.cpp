#include "svdkit/base/scratch.hpp"

#include <vector>

namespace svdkit {

namespace {
thread_local int open_scopes = 0;
thread_local std::vector<Buffer<std::byte>> kept;
}  // namespace

ScratchScope::ScratchScope() { ++open_scopes; }
ScratchScope::~ScratchScope() {
    if (--open_scopes == 0) kept.clear();
}

namespace detail {

Buffer<std::byte> acquire_scratch(index_t bytes) {
    // The smallest kept buffer that is large enough.
    std::size_t best = kept.size();
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (kept[i].size() >= bytes && (best == kept.size() || kept[i].size() < kept[best].size())) best = i;
    }
    if (best == kept.size()) return Buffer<std::byte>(bytes);
    Buffer<std::byte> found = std::move(kept[best]);
    kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(best));
    return found;
}

void return_scratch(Buffer<std::byte>&& buffer) noexcept {
    if (open_scopes == 0 || buffer.size() == 0) return;
    try {
        kept.push_back(std::move(buffer));
    } catch (...) {  // no memory for the list: the buffer is simply freed
    }
}

}  // namespace detail
}  // namespace svdkit
