#pragma once
// A store of a test's own.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/core/sha256.h"
#include "models/store/store.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/models/spec/spec_document.h"

namespace posecam {

/// Bytes without a period, so that no part of a file equals another.
inline std::string some_bytes(std::size_t n) {
  std::string text(n, '\0');
  std::uint32_t state = 1;
  for (char& c : text) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24U);
  }
  return text;
}

/// A store, a mirror with "a/net.bin" of 1 MiB, and a model that describes it for openvino.
class Store : public ::testing::Test {
 protected:
  Store() {
    test::write_file(mirror() / "a/net.bin", content_);
    spec_ = *ModelSpec::parse(test::pose_document().dump(), "unused/small.json", decoders());
    spec_.weights = {{"openvino", "f32", {file("net.bin", "a/net.bin")}}};
  }

  std::filesystem::path mirror() const { return dir_.path() / "mirror"; }
  std::filesystem::path target() const { return dir_.path() / "store/small/net.bin"; }
  std::filesystem::path part() const { return target().native() + ".part"; }

  WeightFile file(const std::string& name, const std::string& mirror_path) const {
    return {name, "", mirror_path, content_.size(), *sha256_of(mirror() / mirror_path)};
  }
  void publish(const std::string& url) { spec_.weights[0].files[0].url = url; }

  Result<std::vector<FileReport>> pull(const std::string& from = {}) const {
    return store_.pull(spec_, {.mirror = from, .ca_file = ca_file_, .limits = limits_});
  }
  /// The message of a pull that must fail and leave nothing behind.
  std::string failure(const std::string& from = {}) const {
    const auto reports = pull(from);
    if (reports) return "pulled";
    EXPECT_EQ(reports.error().code, Errc::kModel);
    EXPECT_FALSE(std::filesystem::exists(target()));
    return reports.error().message;
  }
  void expect_good() const {
    const auto path = store_.weights(spec_, "openvino");
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_EQ(*path, target());
    EXPECT_FALSE(std::filesystem::exists(part()));
  }

  const test::TempDir dir_;
  const std::string content_ = some_bytes(1 << 20);
  const ModelStore store_{dir_.path() / "store"};
  ModelSpec spec_;
  std::string ca_file_;
  DownloadLimits limits_;
};

}  // namespace posecam
