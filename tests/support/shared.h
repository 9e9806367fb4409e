#pragma once
// Real weights, clips and maps live beside the checkout and are optional: tests that need them skip by name.

#include <filesystem>

#include <gtest/gtest.h>

namespace posecam::test {

inline std::filesystem::path shared_dir() { return POSECAM_SHARED_DIR; }
inline std::filesystem::path source_dir() { return POSECAM_SOURCE_DIR; }

}  // namespace posecam::test

/// Skips the test, naming the file, unless shared/RELATIVE exists.
#define POSECAM_NEEDS_SHARED(relative)                                      \
  if (!std::filesystem::exists(::posecam::test::shared_dir() / (relative))) \
  GTEST_SKIP() << "shared/" << (relative) << " is not here"
