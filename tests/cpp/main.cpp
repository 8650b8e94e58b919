// svdkit_tests [PART]...: runs the tests whose names contain one of the parts, or all of them.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string_view>

#include "check.hpp"

int main(int argc, char** argv) {
    int passed = 0, failed = 0;
    for (const auto& test : svdkit::test::tests()) {
        const auto wanted = [&](const char* part) { return test.name.find(part) != std::string::npos; };
        if (argc > 1 && std::none_of(argv + 1, argv + argc, wanted)) continue;

        std::string message;
        const auto start = std::chrono::steady_clock::now();
        try {
            test.run();
        } catch (const svdkit::test::Failure& failure) {
            message = failure.message;
        } catch (const std::exception& error) {
            message = std::string("threw ") + error.what();
        } catch (...) {
            message = "threw something that is no std::exception";
        }
        const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
        std::printf("%s %s (%.0f ms)\n", message.empty() ? "ok    " : "FAILED", test.name.c_str(), time.count());
        if (!message.empty()) std::printf("       %s\n", message.c_str());
        std::fflush(stdout);
        ++(message.empty() ? passed : failed);
    }
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
