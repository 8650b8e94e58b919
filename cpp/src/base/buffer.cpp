#include "svdkit/base/buffer.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "svdkit/base/error.hpp"

namespace svdkit {

namespace {
struct Memory {
    void* pointer;
    bool zeroed;
};

// malloc, aligned by hand: what aligned_alloc frees is a little too small for the next request of the same size, so
// that memory grows when long-lived results are allocated in between. The pointer to free lies before the block.
void* allocate_small(std::size_t bytes) {
    char* raw = static_cast<char*>(std::malloc(bytes + kAlignment + sizeof(void*)));
    if (!raw) return nullptr;
    const auto address = reinterpret_cast<std::uintptr_t>(raw + sizeof(void*));
    char* aligned = raw + sizeof(void*) + (kAlignment - address % kAlignment) % kAlignment;
    std::memcpy(aligned - sizeof(void*), &raw, sizeof raw);
    return aligned;
}

void free_small(void* pointer) {
    void* raw;
    std::memcpy(&raw, static_cast<char*>(pointer) - sizeof(void*), sizeof raw);
    std::free(raw);
}

#ifdef __linux__
// Large buffers have mappings of their own: malloc would carve them from a heap that small, long-lived results then
// cut into pieces that no later call can use. From half a huge page on they are whole huge pages, so that neither
// passes over a panel nor random access to its rows miss the TLB.
constexpr std::size_t kMapped = std::size_t{128} << 10;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t mapped_bytes(std::size_t bytes) {
    const std::size_t page = bytes < kHugePage / 2 ? 4096 : kHugePage;
    return (bytes + page - 1) / page * page;
}

void* map(std::size_t bytes, int flags) {
    void* pointer = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return pointer == MAP_FAILED ? nullptr : pointer;
}

// A mapping that starts at a huge page: one page too many, its ends given back.
void* map_huge(std::size_t bytes) {
    char* raw = static_cast<char*>(map(bytes + kHugePage, 0));
    if (!raw) return nullptr;
    const std::size_t before = (kHugePage - reinterpret_cast<std::uintptr_t>(raw) % kHugePage) % kHugePage;
    if (before > 0) munmap(raw, before);
    if (before < kHugePage) munmap(raw + before + bytes, kHugePage - before);
    madvise(raw + before, bytes, MADV_HUGEPAGE);
    return raw + before;
}

Memory allocate_aligned(std::size_t bytes) {
    if (bytes < kMapped) return {allocate_small(bytes), false};
    const std::size_t size = mapped_bytes(bytes);
    return {size % kHugePage == 0 ? map_huge(size) : map(size, MAP_POPULATE), true};
}

void free_aligned(void* pointer, std::size_t bytes) {
    if (bytes < kMapped) {
        free_small(pointer);
    } else {
        munmap(pointer, mapped_bytes(bytes));
    }
}
#else
Memory allocate_aligned(std::size_t bytes) { return {allocate_small(bytes), false}; }
void free_aligned(void* pointer, std::size_t) { free_small(pointer); }
#endif

thread_local MemoryMeter* current_meter = nullptr;
}  // namespace

MemoryMeter::MemoryMeter() : outer_(current_meter) { current_meter = this; }
MemoryMeter::~MemoryMeter() { current_meter = outer_; }

void MemoryMeter::add(std::ptrdiff_t bytes) {
    held_ += bytes;
    peak_ = std::max(peak_, static_cast<std::size_t>(std::max<std::ptrdiff_t>(held_, 0)));
    if (outer_) outer_->add(bytes);
}

namespace detail {

namespace {
Memory allocate(std::size_t count, std::size_t element) {
    if (count == 0) return {nullptr, true};
    const std::size_t limit = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) - kAlignment;
    Memory memory{nullptr, false};
    if (count <= limit / element) memory = allocate_aligned(count * element);
    if (!memory.pointer) {
        throw OutOfMemory("svdkit: cannot allocate " + std::to_string(count) + " x " + std::to_string(element) +
                          " bytes of workspace; ask for a smaller k or use a smaller basis");
    }
    if (current_meter) current_meter->add(static_cast<std::ptrdiff_t>(count * element));
    return memory;
}
}  // namespace

void* allocate_bytes(std::size_t count, std::size_t element) { return allocate(count, element).pointer; }

void* allocate_zeros(std::size_t count, std::size_t element) {
    const Memory memory = allocate(count, element);
    if (!memory.zeroed) std::memset(memory.pointer, 0, count * element);
    return memory.pointer;
}

void release_bytes(void* pointer, std::size_t bytes) noexcept {
    if (!pointer) return;
    if (current_meter) current_meter->add(-static_cast<std::ptrdiff_t>(bytes));
    free_aligned(pointer, bytes);
}

}  // namespace detail
}  // namespace svdkit
