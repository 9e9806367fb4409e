#pragma once
// Outputs in a folder of their own, and what is written to them.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "pipeline/output/result_file.h"
#include "pipeline/output/result_sink.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {

class OutputTest : public testing::Test {
 protected:
  std::string at(std::string_view name) const { return (folder_.path() / name).string(); }

  static ResultFile must_create(const std::string& location) {
    auto file = ResultFile::create(location);
    EXPECT_TRUE(file) << file.error().message;
    return *std::move(file);
  }
  static std::shared_ptr<const FrameResult> one_person() {
    auto spec = std::make_shared<ModelSpec>();
    spec->name = "openpose";
    spec->skeleton = find_skeleton("coco-18");
    auto result = std::make_shared<FrameResult>();
    result->model = spec;
    result->poses.emplace_back();
    result->poses[0].keypoints[0] = Keypoint{0.5F, 0.5F, 0.9F};
    return result;
  }
  static FrameInfo frame(std::uint64_t id) {
    FrameInfo info;
    info.name = "clip";
    info.frame_id = id;
    info.size = {64, 48};
    return info;
  }

  TempDir folder_;
};

}  // namespace posecam::test
