// The published MoveNets: what posecam makes of their maps, a batch at a time, is what their own post-processing says.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "models/core/file.h"
#include "models/spec/zoo.h"
#include "pipeline/cpu/openvino_backend.h"
#include "pipeline/image/preprocess.h"
#include "postprocess/decode/decoders.h"
#include "postprocess/decode/multipose/multipose.h"
#include "tests/support/decoder_of.h"
#include "tests/support/mat_view.h"
#include "tests/support/shared.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

// Convolutions over several rows add up in another order than over one.
constexpr float kRounding = 1e-4F;

struct Picture {
  std::string name;
  cv::Mat pixels;
};

std::vector<Picture> pictures() {
  std::vector<Picture> all;
  for (const auto& file : fs::directory_iterator(test::shared_dir() / "eval/images")) {
    all.push_back({file.path().filename().string(), cv::imread(file.path().string())});
  }
  std::ranges::sort(all, {}, &Picture::name);
  return all;
}

/// A zoo model's network with some outputs, `batch` frames at a time.
class Network {
 public:
  Network(ModelSpec model, std::vector<std::string> outputs, int batch) : spec_(std::move(model)) {
    spec_.outputs = std::move(outputs);
    spec_.input.batch = batch;
    const fs::path file = test::shared_dir() / "models" / spec_.weights.front().files.front().mirror_path;
    auto backend = make_openvino_backend(spec_, file, {.cores = {0}, .precision = Precision::kF32});
    EXPECT_TRUE(backend) << backend.error().message;
    if (!backend) return;
    backend_ = *std::move(backend);
    auto slot = backend_->make_slot(spec_, 0);
    EXPECT_TRUE(slot) << slot.error().message;
    if (slot) slot_ = *std::move(slot);
  }

  const ModelSpec& spec() const { return spec_; }
  bool runs() const { return slot_ != nullptr; }
  Letterbox write(const Picture& picture, int row) {
    return Preprocessor(spec_.input)
        .write(test::view_of(picture.pixels), slot_->input().row(static_cast<std::size_t>(row)));
  }
  void run() { ASSERT_TRUE(slot_->run(static_cast<std::uint32_t>(spec_.input.batch))); }
  /// Of one frame.
  std::vector<TensorView> outputs(int row) const {
    std::vector<TensorView> views;
    for (std::size_t i = 0; i < spec_.outputs.size(); ++i) {
      views.push_back(slot_->output(i).row(static_cast<std::size_t>(row)));
    }
    return views;
  }

 private:
  ModelSpec spec_;
  std::unique_ptr<InferenceBackend> backend_;
  std::unique_ptr<Slot> slot_;
};

std::unique_ptr<Postprocessor> postprocessor(ModelSpec spec, MultiposeDecoder decoder, int most) {
  decoder.threshold = 0;
  decoder.keypoint_threshold = 0;
  decoder.max_people = most;
  test::set_decoder(spec, decoder);
  auto made = spec.decoder->make(spec, {});
  EXPECT_TRUE(made) << made.error().message;
  return *std::move(made);
}

/// How far apart two poses are at most, in image sizes and in scores.
float difference(const Pose& a, const Pose& b) {
  const Box p = a.box();
  const Box q = b.box();
  float most = std::max({std::abs(a.score - b.score), std::abs(p.x - q.x), std::abs(p.y - q.y),
                         std::abs(p.width - q.width), std::abs(p.height - q.height)});
  for (std::size_t i = 0; i < 17; ++i) {
    const auto& k = a.keypoints[i];
    const auto& l = b.keypoints[i];
    // One that is all but not there may fall on either side of 0.
    if (k.has_value() != l.has_value()) most = std::max(most, k ? k->score : l->score);
    if (k && l) most = std::max({most, std::abs(k->x - l->x), std::abs(k->y - l->y), std::abs(k->score - l->score)});
  }
  return most;
}

TEST(MoveNet, FindsInItsMapsWhoItsOwnRowsSay) {
  POSECAM_NEEDS_SHARED("models/movenet-multipose/movenet-multipose.xml");
  POSECAM_NEEDS_SHARED("eval/images");
  const auto model = find_model("movenet-multipose");
  ASSERT_TRUE(model) << model.error().message;
  constexpr int kRows = 5;
  constexpr int kItsLimit = 6;
  Network maps(*model, model->outputs, kRows);
  Network rows(*model, {"Identity:0"}, 1);
  ASSERT_TRUE(maps.runs() && rows.runs());
  const auto of_maps = postprocessor(maps.spec(), test::decoder_of<MultiposeDecoder>(*model), kItsLimit);
  MultiposeDecoder baked;
  baked.output = "Identity:0";
  const auto of_rows = postprocessor(rows.spec(), baked, kItsLimit);
  const auto all = pictures();
  std::size_t people = 0;
  for (std::size_t i = 0; i < all.size(); i += kRows) {
    const int here = static_cast<int>(std::min(all.size() - i, std::size_t{kRows}));
    for (int row = 0; row < here; ++row) maps.write(all[i + static_cast<std::size_t>(row)], row);
    maps.run();
    for (int row = 0; row < here; ++row) {
      const Picture& picture = all[i + static_cast<std::size_t>(row)];
      const Letterbox letterbox = rows.write(picture, 0);
      rows.run();
      FrameResult expected, found;
      ASSERT_TRUE(of_rows->run(rows.outputs(0), letterbox, expected));
      ASSERT_TRUE(of_maps->run(maps.outputs(row), letterbox, found));
      ASSERT_EQ(found.poses.size(), expected.poses.size()) << picture.name;
      for (std::size_t p = 0; p < expected.poses.size(); ++p) {
        EXPECT_LT(difference(expected.poses[p], found.poses[p]), kRounding) << picture.name << ", person " << p;
        ++people;
      }
    }
  }
  EXPECT_GT(people, all.size());
}

// Its graph multiplies by a side of a cell, 1/48 for Lightning, that is stored as f16: wrong by 0.03 %.
constexpr float kItsRounding = 5e-4F;

TEST(MoveNet, PlacesThePersonWhereItsOwnCoordinatesAre) {
  POSECAM_NEEDS_SHARED("models/movenet-thunder/movenet-thunder.xml");
  POSECAM_NEEDS_SHARED("eval/images");
  for (const char* name : {"movenet-thunder", "movenet-lightning"}) {
    const auto model = find_model(name);
    ASSERT_TRUE(model) << model.error().message;
    Network maps(*model, model->outputs, 2);
    ModelSpec whole = *model;
    whole.input.name = "input:0";
    whole.input.layout = Layout::kNhwc;
    Network coordinates(whole, {"Identity:0"}, 1);
    ASSERT_TRUE(maps.runs() && coordinates.runs());
    const auto of_maps = postprocessor(maps.spec(), test::decoder_of<MultiposeDecoder>(*model), 1);
    auto some = pictures();
    some.resize(std::min<std::size_t>(some.size(), 6));
    for (const Picture& picture : some) {
      const Letterbox letterbox = maps.write(picture, 1);
      maps.run();
      coordinates.write(picture, 0);
      coordinates.run();
      FrameResult found;
      ASSERT_TRUE(of_maps->run(maps.outputs(1), letterbox, found));
      ASSERT_EQ(found.poses.size(), 1U) << picture.name;
      const auto expected = coordinates.outputs(0)[0].as<float>();
      for (std::size_t i = 0; i < 17; ++i) {
        const auto side = static_cast<float>(letterbox.input.width);
        const Point at = letterbox.to_image({expected[3 * i + 1] * side, expected[3 * i] * side});
        const auto& keypoint = found.poses[0].keypoints[i];
        if (!keypoint) continue;  // outside the picture: multipose_test
        EXPECT_NEAR(keypoint->x, std::clamp(at.x, 0.F, 1.F), kItsRounding) << name << ' ' << picture.name << ' ' << i;
        EXPECT_NEAR(keypoint->y, std::clamp(at.y, 0.F, 1.F), kItsRounding) << name << ' ' << picture.name << ' ' << i;
        EXPECT_NEAR(keypoint->score, expected[3 * i + 2], kRounding) << name << ' ' << picture.name << ' ' << i;
      }
    }
  }
}

}  // namespace
}  // namespace posecam
