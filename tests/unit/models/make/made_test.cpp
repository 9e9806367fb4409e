#include "models/make/made.h"

#include <filesystem>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/core/sha256.h"
#include "models/make/onnx_writer.h"
#include "models/spec/zoo.h"
#include "models/store/store.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

using ::testing::HasSubstr;

TEST(ProtoMessage, IsEncodedAsTheSpecificationHasIt) {
  // "Encoding", protobuf.dev: 150 in field 1 is 08 96 01, "testing" in field 2 is 12 07 and its letters.
  const auto text = [](ProtoMessage message) { return std::move(message).text(); };
  EXPECT_EQ(text(ProtoMessage().integer(1, 150)), "\x08\x96\x01");
  EXPECT_EQ(text(ProtoMessage().bytes(2, "testing")), "\x12\x07testing");
  EXPECT_EQ(text(ProtoMessage().message(3, ProtoMessage().integer(1, 150))), "\x1a\x03\x08\x96\x01");
  EXPECT_EQ(text(ProtoMessage().real(2, 1)), std::string("\x15\0\0\x80\x3f", 5));
  EXPECT_EQ(text(ProtoMessage().integer(20, 1)), "\xa0\x01\x01");
}

TEST(MadeWeights, OfResNet50AreWhatItsDescriptorSays) {
  const test::TempDir dir;
  const ModelStore store(dir.path());
  const auto spec = find_model("resnet50");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(pull_command(*spec), "posecam models make resnet50");
  const auto missing = store.weights(*spec, "openvino");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("run: posecam models make resnet50"));
  const auto pulled = store.pull(*spec, {});
  ASSERT_FALSE(pulled);
  EXPECT_THAT(pulled.error().message, HasSubstr("not published; run: posecam models make resnet50"));

  const auto made = store.pull(*spec, {.make = true});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(made->front().pulled);
  EXPECT_TRUE(store.weights(*spec, "openvino"));
  EXPECT_TRUE(store.weights(*spec, "opencv"));
  const auto again = store.pull(*spec, {.make = true});
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->front().pulled);
}

TEST(MadeWeights, AreSpokenOfAsMadeWhereTheyAreNotWhatTheDescriptorSays) {
  auto spec = find_model("resnet50");
  ASSERT_TRUE(spec);
  for (BackendWeights& weights : spec->weights) weights.files.front().sha256 = std::string(64, '0');
  const test::TempDir dir;
  const auto made = ModelStore(dir.path()).pull(*spec, {.make = true});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("resnet50.onnx: as made here: sha256 is "));
  EXPECT_THAT(made.error().message, ::testing::Not(HasSubstr("/proc/")));
}

TEST(MadeWeights, OfEveryNetworkOfTheZooAreWhatItsDescriptorSays) {
  const test::TempDir dir;
  const auto names = zoo_names();
  ASSERT_TRUE(names) << names.error().message;
  for (const std::string& name : *names) {
    const auto spec = find_model(name);
    ASSERT_TRUE(spec) << spec.error().message;
    const Maker make = find_maker(*spec);
    if (make == nullptr) continue;
    test::write_file(dir.path() / name, make());
    for (const BackendWeights& weights : spec->weights) {
      ASSERT_EQ(weights.files.size(), 1U) << name;
      EXPECT_EQ(weights.files.front().bytes, std::filesystem::file_size(dir.path() / name)) << name;
      EXPECT_EQ(weights.files.front().sha256, *sha256_of(dir.path() / name)) << name;
    }
  }
}

TEST(MadeWeights, AreThoseOfTheZooAloneWhateverOthersCallTheirs) {
  const test::TempDir dir;
  test::write_file(dir.path() / "resnet50.json", test::read_file(test::source_dir() / "models/zoo/resnet50.json"));
  const auto spec = find_model((dir.path() / "resnet50.json").native());
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(find_maker(*spec), nullptr);
  EXPECT_THAT(pull_command(*spec), HasSubstr("models pull "));
}

TEST(MadeWeights, AreNotThoseOfNetworksThatSomebodyTrained) {
  const test::TempDir dir;
  const auto spec = find_model("openpose");
  ASSERT_TRUE(spec);
  const auto made = ModelStore(dir.path()).pull(*spec, {.make = true});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::kUsage);
  EXPECT_EQ(made.error().message, "model 'openpose' is not made but pulled; run: posecam models pull openpose");
}

}  // namespace
}  // namespace posecam
