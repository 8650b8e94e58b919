// Scratch: temporary memory that kernels need at every step, allocated once a call.
//
// While a ScratchScope lives, freed scratch of this thread is kept and handed out again, so an iteration allocates
// nothing after its first step. Without a scope, scratch is ordinary memory.
#pragma once

#include "svdkit/base/buffer.hpp"

namespace svdkit {

class ScratchScope {
public:
    ScratchScope();
    ~ScratchScope();
    ScratchScope(const ScratchScope&) = delete;
    ScratchScope& operator=(const ScratchScope&) = delete;
};

namespace detail {
Buffer<std::byte> acquire_scratch(index_t bytes);
void return_scratch(Buffer<std::byte>&& buffer) noexcept;
}  // namespace detail

/// `size` uninitialised elements.
template <class T>
class Scratch {
public:
    explicit Scratch(index_t size) : buffer_(detail::acquire_scratch(size * static_cast<index_t>(sizeof(T)))) {}
    ~Scratch() { detail::return_scratch(std::move(buffer_)); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    T* data() const { return reinterpret_cast<T*>(buffer_.data()); }
    T& operator[](index_t i) const { return data()[i]; }

private:
    Buffer<std::byte> buffer_;
};

/// A temporary panel with rows of whole cache lines, uninitialised.
template <class T>
class ScratchPanel {
public:
    ScratchPanel(index_t rows, index_t cols)
        : rows_(rows), cols_(cols), ld_(padded_ld<T>(cols)), memory_(rows * padded_ld<T>(cols)) {}
    Panel<T> panel() const { return {memory_.data(), rows_, cols_, ld_}; }

private:
    index_t rows_, cols_, ld_;
    Scratch<T> memory_;
};

}  // namespace svdkit
