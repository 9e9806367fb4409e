#pragma once
// Lines for people, on standard error.

#include <cstdio>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace posecam {

/// What standard error does not take, because its reader went away or its disk is full, is lost, and that is all:
/// fmt::print would throw.
template <class... Args>
void tell(fmt::format_string<Args...> text, Args&&... args) {
  const std::string line = fmt::format(text, std::forward<Args>(args)...);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace posecam
