// Errors, typed by what the caller can do about them. Bindings map them in one place:
//   InvalidArgument -> ValueError, OutOfMemory -> MemoryError, NumericalError -> LinAlgError,
//   Interrupted -> whatever exception interrupted us (KeyboardInterrupt).
// Not converging is no error: it is part of the Report.
#pragma once

#include <new>
#include <stdexcept>
#include <string>

namespace svdkit {

/// The message names argument, value, rule and remedy.
class InvalidArgument : public std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

/// A LAPACK routine failed on finite data, and so did its fallback.
class NumericalError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Memory that cannot be had; says how many bytes were asked for.
class OutOfMemory : public std::bad_alloc {
public:
    explicit OutOfMemory(std::string message) : message_(std::move(message)) {}
    const char* what() const noexcept override { return message_.c_str(); }

private:
    std::string message_;
};

/// Ctrl-C, or an error raised inside a user's callback, seen between two block steps.
class Interrupted : public std::exception {
public:
    const char* what() const noexcept override { return "interrupted"; }
};

}  // namespace svdkit
