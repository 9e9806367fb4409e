#include "postprocess/decode/decoders.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postprocess/decode/decoder.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/models/spec/spec_document.h"

namespace posecam {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Result<ModelSpec> parse(const nlohmann::json& document) {
  return ModelSpec::parse(document.dump(), "m.json", decoders());
}

std::string refusal(const nlohmann::json& document) {
  const auto spec = parse(document);
  return spec ? "accepted" : spec.error().message;
}

/// Calls `change` with every "output" of a decoder section.
void for_each_output(nlohmann::json& section, const std::function<void(nlohmann::json&)>& change) {
  for (auto& [key, value] : section.items()) {
    if (value.is_structured()) for_each_output(value, change);
    if (key == "output") change(value);
  }
}

TEST(Decoders, EachHasAnExampleHere) {
  for (const DecoderKind& kind : decoders()) {
    const auto same = [&](const test::DecoderSection& section) { return section.kind == kind.name; };
    EXPECT_GE(std::ranges::count_if(test::kDecoderSections, same), 1) << kind.name;
  }
}

TEST(Decoders, AreReadDescribedAndMade) {
  for (const auto& section : test::kDecoderSections) {
    auto document = test::document_with(section);
    document["inputs"][0]["batch"] = 1;
    const auto spec = parse(document);
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(spec->decoder->describe(), section.described);
    EXPECT_THAT(spec->decoder->describe(), StartsWith(std::string(section.kind) + ": "));
    const auto made = spec->decoder->make(*spec, {});
    EXPECT_TRUE(made) << section.kind << ": " << made.error().message;
  }
}

TEST(Decoders, RefuseKeysTheyDoNotKnow) {
  for (const auto& section : test::kDecoderSections) {
    auto document = test::document_with(section);
    document["decoder"]["nonsense"] = 1;
    EXPECT_THAT(refusal(document), StartsWith("m.json: decoder.nonsense: unknown key; known here: kind, "));
  }
}

TEST(Decoders, NameOutputsThatTheNetworkHas) {
  for (const auto& section : test::kDecoderSections) {
    auto document = test::document_with(section);
    int outputs = 0;
    for_each_output(document["decoder"], [&](nlohmann::json& output) {
      const auto good = std::exchange(output, "none");
      EXPECT_THAT(refusal(document), HasSubstr(R"(output: expected one of the outputs "heat", "paf", found "none")"));
      output = good;
      ++outputs;
    });
    EXPECT_GT(outputs, 0) << section.kind;
  }
}

/// What the "kind" of a model for that task may be, as messages list it.
std::string kinds_of(Task task) {
  std::vector<std::string> names;
  for (const DecoderKind& kind : decoders()) {
    if (kind.task == task) names.push_back(fmt::format("\"{}\"", kind.name));
  }
  return fmt::format("{}{}", names.size() > 1 ? "one of " : "", fmt::join(names, ", "));
}

TEST(Decoders, BelongToOneTask) {
  constexpr std::pair<std::string_view, Task> kTasks[] = {
      {"pose", Task::kPose}, {"detection", Task::kDetection}, {"classification", Task::kClassification}};
  for (const auto& section : test::kDecoderSections) {
    for (const auto& [task, value] : kTasks) {
      if (task == section.task) continue;
      auto document = test::document_of(task);
      document["decoder"] = nlohmann::json::parse(section.json);
      EXPECT_EQ(refusal(document),
                fmt::format("m.json: decoder.kind: expected {}, found \"{}\"", kinds_of(value), section.kind));
    }
  }
}

TEST(FindModel, TakesAZooNameOrADescriptorByItsPath) {
  const auto zoo = find_model("openpose-lite");
  ASSERT_TRUE(zoo) << zoo.error().message;
  EXPECT_EQ(zoo->name, "openpose-lite");
  const test::TempDir dir;
  test::write_file(dir.path() / "own.json", test::pose_document().dump());
  const auto own = find_model((dir.path() / "own.json").native());
  ASSERT_TRUE(own) << own.error().message;
  EXPECT_EQ(own->name, "small");
  EXPECT_EQ(own->path, dir.path() / "own.json");
  const auto none = find_model("nobodys");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, StartsWith("no model 'nobodys' in the zoo"));
}

}  // namespace
}  // namespace posecam
