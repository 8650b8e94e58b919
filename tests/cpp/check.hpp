// A test framework in one page.
//
//   TEST(views_are_strided) { CHECK(view(1, 2) == 3.0); CHECK_CLOSE(norm, 1.0, 1e-14); }
//
// A failed check is printed with its place and ends only its own test; main() is in main.cpp.
#pragma once

#include <cmath>
#include <complex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace svdkit::test {

struct Test {
    std::string name;
    void (*run)();
};

inline std::vector<Test>& tests() {
    static std::vector<Test> all;
    return all;
}

struct Registered {
    Registered(const char* name, void (*run)()) { tests().push_back({name, run}); }
};

/// Thrown by a failed check. Not a std::exception, so that no CHECK_THROWS mistakes it for one.
struct Failure {
    std::string message;
};

[[noreturn]] inline void fail(const char* file, int line, const std::string& message) {
    throw Failure{std::string(file) + ":" + std::to_string(line) + ": " + message};
}

template <class A, class B>
void check_close(const A& a, const B& b, double tol, const char* text, const char* file, int line) {
    const double distance = static_cast<double>(std::abs(a - b));
    if (distance <= tol) return;  // false for NaN
    std::ostringstream out;
    out.precision(17);
    out << text << ": " << a << " and " << b << " differ by " << distance << ", more than " << tol;
    fail(file, line, out.str());
}

/// Calls `f` and returns what Expected it threw said; fails if it threw something else or nothing.
template <class Expected, class F>
std::string check_throws(F&& f, const char* text, const char* file, int line) {
    try {
        f();
    } catch (const Expected& error) {
        if constexpr (std::is_base_of_v<std::exception, Expected>) {
            return error.what();
        } else {
            return {};
        }
    } catch (const Failure&) {
        throw;
    } catch (const std::exception& error) {
        fail(file, line, std::string(text) + " threw another type: " + error.what());
    }
    fail(file, line, std::string(text) + " threw nothing");
}

}  // namespace svdkit::test

#define TEST(name)                                                               \
    static void test_##name();                                                   \
    static const svdkit::test::Registered registered_##name{#name, test_##name}; \
    static void test_##name()

#define CHECK(...) \
    ((__VA_ARGS__) ? void() : svdkit::test::fail(__FILE__, __LINE__, "CHECK(" #__VA_ARGS__ ") does not hold"))

/// |a - b| <= tol, for real and complex numbers. Never true for a NaN.
#define CHECK_CLOSE(a, b, tol) svdkit::test::check_close(a, b, tol, #a " ~ " #b, __FILE__, __LINE__)

/// Gives the message of the exception.
#define CHECK_THROWS(expression, Type) \
    svdkit::test::check_throws<Type>([&] { (void)(expression); }, #expression, __FILE__, __LINE__)
