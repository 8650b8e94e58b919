#include "svdkit/base/buffer.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <cstdlib>
#include <limits>
#include <string>

#include "svdkit/base/error.hpp"

namespace svdkit {

namespace {
// Buffers from this size on are whole huge pages: a pass over a panel then misses the TLB rarely.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

thread_local MemoryMeter* current_meter = nullptr;
}

MemoryMeter::MemoryMeter() : outer_(current_meter) { current_meter = this; }
MemoryMeter::~MemoryMeter() { current_meter = outer_; }

void MemoryMeter::add(std::ptrdiff_t bytes) {
    held_ += bytes;
    peak_ = std::max(peak_, static_cast<std::size_t>(std::max<std::ptrdiff_t>(held_, 0)));
    if (outer_) outer_->add(bytes);
}

namespace detail {

void* allocate_bytes(std::size_t count, std::size_t element) {
    if (count == 0) return nullptr;
    const std::size_t limit = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) - kAlignment;
    void* pointer = nullptr;
    if (count <= limit / element) {
        const std::size_t alignment = count * element >= kHugePage ? kHugePage : kAlignment;
        const std::size_t bytes = (count * element + alignment - 1) / alignment * alignment;
        pointer = std::aligned_alloc(alignment, bytes);
#ifdef __linux__
        if (pointer && alignment == kHugePage) madvise(pointer, bytes, MADV_HUGEPAGE);
#endif
    }
    if (!pointer) {
        throw OutOfMemory("svdkit: cannot allocate " + std::to_string(count) + " x " + std::to_string(element) +
                          " bytes of workspace; ask for a smaller k or use a smaller basis");
    }
    if (current_meter) current_meter->add(static_cast<std::ptrdiff_t>(count * element));
    return pointer;
}

void release_bytes(void* pointer, std::size_t bytes) noexcept {
    if (pointer && current_meter) current_meter->add(-static_cast<std::ptrdiff_t>(bytes));
    std::free(pointer);
}

}  // namespace detail
}  // namespace svdkit
