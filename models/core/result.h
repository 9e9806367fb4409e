#pragma once
// Failure is part of the type: every operation that can fail for reasons outside the program returns Result<T>.
// A subset of C++23's std::expected, so that it can become an alias of it.

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace posecam {

/// What kind of thing went wrong; decides the action of the caller and the exit code of the program.
enum class Errc {
  kUsage,      ///< the user asked for something that does not exist or does not fit together
  kModel,      ///< descriptor, weights or configuration
  kDevice,     ///< inference device or its runtime
  kMedia,      ///< a clip, camera or stream
  kOutput,     ///< an output file cannot be made or written
  kNoSpace,    ///< nor can it because its disk is full
  kBusy,       ///< the device is full for the moment: try again
  kBadInput,   ///< the device refused this batch; others may pass
  kCoreLost,   ///< this core is gone; others may go on
  kCancelled,  ///< the caller asked to stop
};

/// One failure. The message says what, where, with what, and the remedy; it ends without a full stop or newline.
struct Error {
  Errc code{};          ///< what to do about it
  std::string message;  ///< for people
};

/// Either a T or an Error. Dereferencing a failed Result is a bug of the caller (assert).
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return state_.index() == 0; }  ///< true: there is a value

  T& operator*() & {
    assert(*this);
    return *std::get_if<0>(&state_);
  }
  const T& operator*() const& {
    assert(*this);
    return *std::get_if<0>(&state_);
  }
  T&& operator*() && {
    assert(*this);
    return std::move(*std::get_if<0>(&state_));
  }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }

  /// Only of a failed one (assert).
  const Error& error() const& {
    assert(!*this);
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    assert(!*this);
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return !error_.has_value(); }
  const Error& error() const {
    assert(error_);
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace posecam
