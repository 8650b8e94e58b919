#include "svdkit/base/buffer.hpp"

#include <complex>
#include <cstdint>
#include <limits>
#include <new>
#include <thread>
#include <utility>

#include "check.hpp"
#include "svdkit/base/error.hpp"
#include "svdkit/base/scratch.hpp"

using namespace svdkit;

namespace {
template <class T>
bool aligned(const T* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer) % kAlignment == 0;
}
}  // namespace

TEST(buffer_is_aligned) {
    for (index_t size : {1, 3, 7, 64, 1001}) {
        CHECK(aligned(Buffer<float>(size).data()));
        CHECK(aligned(Buffer<std::complex<double>>(size).data()));
    }
    CHECK(Buffer<double>(0).size() == 0);
    CHECK(Buffer<double>().data() == nullptr);
}

TEST(buffer_moves_and_never_copies) {
    Buffer<double> a(5);
    a[4] = 3;
    double* data = a.data();
    Buffer<double> b = std::move(a);
    CHECK(b.data() == data && b.size() == 5 && b[4] == 3.0);
    Buffer<double> c(2);
    c = std::move(b);
    CHECK(c.data() == data && c.size() == 5);
}

TEST(block_rows_fill_whole_lines_of_zeros) {
    CHECK(padded_ld<double>(1) == 8 && padded_ld<double>(8) == 8 && padded_ld<double>(9) == 16);
    CHECK(padded_ld<float>(17) == 32 && padded_ld<std::complex<double>>(5) == 8);
    const Block<double> block(7, 5);
    CHECK(block.ld() == 8);
    for (index_t i = 0; i < 7; ++i) {
        CHECK(aligned(block.panel().row(i)));
        for (index_t j = 0; j < block.ld(); ++j) CHECK(block.data()[i * block.ld() + j] == 0.0);
    }
    CHECK(Block<float>(4, 3, 3).ld() == 3);
    CHECK(Block<float>(0, 3).rows() == 0);
}

TEST(block_hands_over_its_memory) {
    Block<double> block(3, 2, 2);
    block(2, 1) = 9;
    const Buffer<double> buffer = std::move(block).take();
    CHECK(buffer.size() == 6 && buffer[5] == 9.0);
}

TEST(out_of_memory_says_how_much_was_asked_for) {
    const std::string message = CHECK_THROWS(Buffer<double>(index_t{1} << 50), OutOfMemory);
    CHECK(message.find("1125899906842624") != std::string::npos);
    CHECK_THROWS(Buffer<double>(index_t{1} << 50), std::bad_alloc);
}

TEST(out_of_memory_when_the_byte_count_overflows) {
    const volatile index_t side = index_t{1} << 40;  // volatile: no compiler shall warn of what is tested here
    CHECK_THROWS(Buffer<double>(std::numeric_limits<index_t>::max()), OutOfMemory);
    CHECK_THROWS(Buffer<double>(std::numeric_limits<index_t>::max() / 8 + 1), OutOfMemory);
    CHECK_THROWS(Buffer<double>(-1), OutOfMemory);
    CHECK_THROWS(Block<double>(side, side), std::bad_alloc);
}

TEST(meter_sees_the_peak) {
    const MemoryMeter meter;
    {
        const Buffer<double> a(1000);
        CHECK(meter.peak_bytes() == 8000);
        {
            const Buffer<float> b(500);
        }
        const Buffer<float> c(400);
        CHECK(meter.peak_bytes() == 10000);
    }
    const Buffer<double> d(100);
    CHECK(meter.peak_bytes() == 10000);
}

TEST(meter_nested_meters_both_count) {
    const MemoryMeter outer;
    const Buffer<double> a(100);
    {
        const MemoryMeter inner;
        const Buffer<double> b(50);
        CHECK(inner.peak_bytes() == 400);
    }
    CHECK(outer.peak_bytes() == 1200);
}

TEST(meter_counts_its_own_thread_only) {
    const MemoryMeter meter;
    std::thread([] { const Buffer<double> elsewhere(100000); }).join();
    CHECK(meter.peak_bytes() == 0);
}

TEST(meter_survives_memory_older_than_itself) {
    Buffer<double> old(1000);
    const MemoryMeter meter;
    old = Buffer<double>();
    const Buffer<double> fresh(100);
    CHECK(meter.peak_bytes() <= 800);
}

TEST(scratch_is_kept_within_a_scope) {
    const MemoryMeter meter;
    const ScratchScope scope;
    {
        const Scratch<double> first(1000);
    }
    const std::size_t once = meter.peak_bytes();
    for (int i = 0; i < 10; ++i) {
        const Scratch<double> again(1000);
        CHECK(aligned(again.data()));
    }
    CHECK(meter.peak_bytes() == once);
}

TEST(scratch_panels_do_not_overlap) {
    const ScratchScope scope;
    const ScratchPanel<double> a(10, 3), b(10, 3);
    for (index_t i = 0; i < 10; ++i)
        for (index_t j = 0; j < 3; ++j) a.panel()(i, j) = 1, b.panel()(i, j) = 2;
    for (index_t i = 0; i < 10; ++i)
        for (index_t j = 0; j < 3; ++j) CHECK(a.panel()(i, j) == 1.0 && b.panel()(i, j) == 2.0);
}
