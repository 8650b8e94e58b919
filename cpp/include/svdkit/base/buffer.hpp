// Owned memory: aligned, uninitialised, counted.
//
// Buffer<T> is an array; Block<T> is a panel that owns its memory, rows padded to whole
// cache lines so that kernels load full vectors (padding is zero and stays zero).
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include "svdkit/base/view.hpp"

namespace svdkit {

inline constexpr std::size_t kAlignment = 64;

namespace detail {
/// a b, or the largest index when that is too large for one: then allocation fails and says so.
inline index_t checked_product(index_t a, index_t b) {
    index_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<index_t>::max() : product;
}

void* allocate_bytes(std::size_t count, std::size_t element);
/// Of zeros; large memory that is new comes so, page by page when it is first touched.
void* allocate_zeros(std::size_t count, std::size_t element);
void release_bytes(void* pointer, std::size_t bytes) noexcept;
}  // namespace detail

/// Counts the bytes that this thread's Buffers hold, and their peak, while it lives.
class MemoryMeter {
public:
    MemoryMeter();
    ~MemoryMeter();
    MemoryMeter(const MemoryMeter&) = delete;
    MemoryMeter& operator=(const MemoryMeter&) = delete;
    std::size_t peak_bytes() const { return peak_; }
    void add(std::ptrdiff_t bytes);

private:
    std::ptrdiff_t held_ = 0;
    std::size_t peak_ = 0;
    MemoryMeter* outer_;
};

template <class T>
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(index_t size)
        : data_(static_cast<T*>(detail::allocate_bytes(static_cast<std::size_t>(size), sizeof(T)))), size_(size) {}
    static Buffer zeros(index_t size) {
        Buffer buffer;
        buffer.data_ = static_cast<T*>(detail::allocate_zeros(static_cast<std::size_t>(size), sizeof(T)));
        buffer.size_ = size;
        return buffer;
    }
    Buffer(Buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Buffer() { detail::release_bytes(data_, static_cast<std::size_t>(size_) * sizeof(T)); }

    T* data() const { return data_; }
    index_t size() const { return size_; }
    T& operator[](index_t i) const { return data_[i]; }
    T* begin() const { return data_; }
    T* end() const { return data_ + size_; }

private:
    T* data_ = nullptr;
    index_t size_ = 0;
};

/// Smallest leading dimension >= cols that fills whole 64-byte lines.
template <class T>
constexpr index_t padded_ld(index_t cols) {
    constexpr index_t line = static_cast<index_t>(kAlignment / sizeof(T));
    return (cols + line - 1) / line * line;
}

template <class T>
class Block {
public:
    Block() = default;
    /// rows x cols of zeros; `ld` 0 pads the rows to whole cache lines.
    Block(index_t rows, index_t cols, index_t ld = 0)
        : rows_(rows),
          cols_(cols),
          ld_(ld ? ld : padded_ld<T>(cols)),
          buffer_(Buffer<T>::zeros(detail::checked_product(rows_, ld_))) {}

    index_t rows() const { return rows_; }
    index_t cols() const { return cols_; }
    index_t ld() const { return ld_; }
    T* data() const { return buffer_.data(); }
    T& operator()(index_t i, index_t j) const { return buffer_[i * ld_ + j]; }
    Panel<T> panel() const { return {buffer_.data(), rows_, cols_, ld_}; }
    operator Panel<T>() const { return panel(); }
    operator Panel<const T>() const { return panel(); }
    operator Columns<T>() const { return panel(); }
    operator Columns<const T>() const { return panel(); }
    Buffer<T>&& take() && { return std::move(buffer_); }

private:
    index_t rows_ = 0;
    index_t cols_ = 0;
    index_t ld_ = 0;
    Buffer<T> buffer_;
};

}  // namespace svdkit
