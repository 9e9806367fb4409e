#include "models/spec/model_spec.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postprocess/decode/boxes/ssd.h"
#include "postprocess/decode/boxes/yolox.h"
#include "postprocess/decode/decoders.h"
#include "postprocess/decode/paf/paf.h"
#include "tests/support/decoder_of.h"
#include "tests/support/shared.h"
#include "tests/unit/models/spec/bad_documents.h"
#include "tests/unit/models/spec/spec_document.h"

namespace posecam {
namespace {

using test::bent;
using test::detection_document;
using test::pose_document;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// The message of a document that must be refused; empty if it was accepted.
std::string refusal(std::string_view json) {
  const auto spec = ModelSpec::parse(json, "m.json", decoders());
  if (spec) return {};
  EXPECT_EQ(spec.error().code, Errc::kModel);
  return spec.error().message;
}

TEST(ModelSpec, ReadsASkeletonOfItsOwn) {
  auto document = pose_document();
  document["skeleton"] = {
      {"name", "tennis-4"},
      {"parts", {"racket", "right_wrist", "right_elbow", "Neck"}},
      {"limbs", nlohmann::json::parse(R"([["right_elbow", "right_wrist"], ["right_wrist", "racket"]])")}};
  const auto spec = ModelSpec::parse(document.dump(), "m.json", decoders());
  ASSERT_TRUE(spec) << spec.error().message;
  const Skeleton& own = *spec->skeleton;
  EXPECT_EQ(own.name, "tennis-4");
  EXPECT_EQ(own.tag, "body-pose/tennis-4");
  EXPECT_THAT(own.parts, ElementsAre("racket", "right_wrist", "right_elbow", "Neck"));
  ASSERT_EQ(own.limbs.size(), 2U);
  EXPECT_EQ(own.limbs[1].from, 1);
  EXPECT_EQ(own.limbs[1].to, 0);
  EXPECT_EQ(own.limbs[1].paf_x, 2) << "channels in the order of limbs";
  EXPECT_EQ(own.limbs[1].paf_y, 3);
  EXPECT_EQ(own.to_coco17[10], 1) << "its right wrist";
  EXPECT_FALSE(own.to_coco17[9]);
  EXPECT_EQ(own.neck, 3);
}

TEST(ModelSpec, ReadsEveryKeyOfAPoseModel) {
  const auto spec = ModelSpec::parse(pose_document().dump(), "dir/m.json", decoders());
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->name, "small");
  EXPECT_EQ(spec->description, "A test");
  EXPECT_EQ(spec->task, Task::kPose);
  EXPECT_EQ(spec->license, "Apache-2.0");
  EXPECT_EQ(spec->source, "https://example.org/small");
  EXPECT_EQ(spec->path, "dir/m.json");
  EXPECT_EQ(spec->skeleton.get(), &body25());
  EXPECT_THAT(spec->outputs, ElementsAre("heat", "paf"));

  ASSERT_EQ(spec->weights.size(), 1U);
  EXPECT_EQ(spec->weights[0].precision, "f32");
  const WeightFile& file = spec->weights[0].files.at(0);
  EXPECT_EQ(file.name, "small.xml");
  EXPECT_EQ(file.url, "https://example.org/small.xml");
  EXPECT_EQ(file.mirror_path, "a/small.xml");
  EXPECT_EQ(file.bytes, 10U);
  EXPECT_THAT(file.sha256, StartsWith("01234567"));

  const InputSpec& input = spec->input;
  EXPECT_EQ(input.name, "data");
  EXPECT_EQ(input.dtype, DType::kF32);
  EXPECT_EQ(input.color, ColorOrder::kBgr);
  EXPECT_EQ(input.size, (Size{64, 32}));
  EXPECT_EQ(input.batch, 2);
  EXPECT_EQ(input.multiple_of, 8);
  EXPECT_THAT(input.mean, ElementsAre(1, 2, 3));
  EXPECT_THAT(input.scale, ElementsAre(0.5F, 1, 2));
  EXPECT_EQ(input.resize, ResizeRule::kLetterbox);
  EXPECT_EQ(input.anchor, PadAnchor::kCenter);
  EXPECT_EQ(input.pad_value, 7);

  const auto& paf = test::decoder_of<PafDecoder>(*spec);
  EXPECT_EQ(paf.heatmaps.output, "heat");
  EXPECT_EQ(paf.pafs.output, "paf");
  EXPECT_EQ(paf.pafs.first, 19);
  EXPECT_EQ(paf.stride, 4);
  EXPECT_EQ(paf.threshold, 0.25F);
  EXPECT_EQ(paf.paf_threshold, 0.125F);
  EXPECT_EQ(paf.max_people, 9);
  EXPECT_EQ(paf.taps, 13);
}

TEST(ModelSpec, ReadsDetectionModelsOfBothKinds) {
  const auto yolox = ModelSpec::parse(detection_document().dump(), "m.json", decoders());
  ASSERT_TRUE(yolox) << yolox.error().message;
  EXPECT_EQ(yolox->task, Task::kDetection);
  EXPECT_EQ(yolox->skeleton, nullptr);
  EXPECT_THAT(yolox->labels, ElementsAre("person", "dog"));
  EXPECT_THAT(test::decoder_of<YoloxDecoder>(*yolox).strides, ElementsAre(8, 16));

  const auto ssd = ModelSpec::parse(
      bent(detection_document(), "/decoder", R"({"kind": "ssd", "output": "paf", "max_detections": 3})").dump(), "m",
      decoders());
  ASSERT_TRUE(ssd) << ssd.error().message;
  EXPECT_EQ(test::decoder_of<SsdDecoder>(*ssd).output, "paf");
  EXPECT_EQ(test::decoder_of<SsdDecoder>(*ssd).rules.max_detections, 3);
}

TEST(ModelSpec, LeavesOptionalKeysAtTheirDefaults) {
  auto document = pose_document();
  for (const char* key : {"/inputs/0/batch", "/inputs/0/multiple_of", "/decoder/threshold",
                          "/weights/openvino/files/0/url", "/weights/openvino/files/0/mirror_path"}) {
    document = bent(document, key, "-");
  }
  const auto spec = ModelSpec::parse(document.dump(), "m.json", decoders());
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->input.batch, 1);
  EXPECT_EQ(spec->input.multiple_of, 0);
  EXPECT_EQ(test::decoder_of<PafDecoder>(*spec).threshold, 0.05F);
  EXPECT_EQ(spec->weights[0].files[0].url, "");
  EXPECT_EQ(spec->weights[0].files[0].mirror_path, "small/small.xml");
}

TEST(ModelSpec, AcceptsAWholeNumberWrittenWithAFraction) {
  EXPECT_EQ(refusal(bent(pose_document(), "/inputs/0/size/width", "64.0").dump()), "");
}

TEST(ModelSpec, RefusesEachFaultWithItsKeyAndExpectation) {
  for (const auto& bad : test::kBadDocuments) {
    const auto base = test::document_of(bad.base);
    EXPECT_THAT(refusal(bent(base, bad.pointer, bad.value).dump()), StartsWith("m.json: " + std::string(bad.message)))
        << bad.pointer << " = " << bad.value;
  }
}

TEST(ModelSpec, RefusesTextThatIsNotStrictJson) {
  EXPECT_THAT(refusal(""), StartsWith("m.json: not valid JSON: parse error at line 1, column 1"));
  EXPECT_THAT(refusal("[]"), StartsWith("m.json: expected an object, found a list of 0"));
  EXPECT_THAT(refusal("{\"name\": NaN}"), StartsWith("m.json: not valid JSON"));
  EXPECT_THAT(refusal("{\"name\": 1e999}"), HasSubstr("number overflow"));
  EXPECT_THAT(refusal("{\"name\": \"\xff\"}"), StartsWith("m.json: not valid JSON"));
  EXPECT_THAT(refusal("{} {}"), StartsWith("m.json: not valid JSON"));
  EXPECT_THAT(refusal("{\"name\": 1, // comment\n}"), StartsWith("m.json: not valid JSON"));
}

TEST(ModelSpec, RefusesDuplicateKeysByTheirPath) {
  std::string text = pose_document().dump();
  const std::string once = "\"width\":64";
  ASSERT_NE(text.find(once), std::string::npos);
  text.replace(text.find(once), once.size(), "\"width\":64,\"width\":8");
  EXPECT_EQ(refusal(text), "m.json: inputs[0].size.width: the key appears twice");
  EXPECT_EQ(refusal(R"({"a": [1, {"b": 1}, {"b": 1, "b": 2}]})"), "m.json: a[2].b: the key appears twice");
}

TEST(ModelSpec, RefusesDeepNestingWithoutFollowingIt) {
  EXPECT_THAT(refusal(std::string(200'000, '[') + std::string(200'000, ']')), HasSubstr("nested deeper than 16"));
}

TEST(ModelSpec, KeepsMessagesShortAndFreeOfControlCharacters) {
  auto document = pose_document();
  document[std::string(100'000, 'k')] = 1;
  EXPECT_LT(refusal(document.dump()).size(), 1000U);
  document = pose_document();
  document["\x1b[2J"] = 1;
  EXPECT_EQ(refusal(document.dump()).find('\x1b'), std::string::npos);
  document = pose_document();
  document["name"] = std::string(100'000, '\x01');
  EXPECT_LT(refusal(document.dump()).size(), 1000U);
  EXPECT_EQ(refusal(document.dump()).find('\x01'), std::string::npos);
}

TEST(ModelSpec, RefusesAnInputThatWouldNotFitInMemory) {
  auto document = bent(pose_document(), "/inputs/0/size", R"({"width": 4096, "height": 4096})");
  EXPECT_EQ(refusal(document.dump()), "");
  document["inputs"][0]["batch"] = 1024;
  EXPECT_THAT(refusal(document.dump()),
              StartsWith("m.json: inputs[0].size: expected batch x 3 x height x width of at"));
}

TEST(ModelSpec, RefusesTwoFilesOfOneNameUnlessTheyAreTheSame) {
  auto document = pose_document();
  document["weights"]["opencv"] = document["weights"]["openvino"];
  EXPECT_EQ(refusal(document.dump()), "");
  document["weights"]["opencv"]["files"][0]["bytes"] = 11;
  EXPECT_THAT(refusal(document.dump()), HasSubstr("files[0].name: expected the same bytes and sha256 as weights.open"));
  document = pose_document();
  document["weights"]["openvino"]["files"].push_back(document["weights"]["openvino"]["files"][0]);
  EXPECT_THAT(refusal(document.dump()), HasSubstr("files[1].name: expected a name of its own"));
}

TEST(ModelSpec, SaysWhyADescriptorCannotBeRead) {
  const auto missing = ModelSpec::load("/nonexistent/m.json", decoders());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kModel);
  EXPECT_EQ(missing.error().message,
            "/nonexistent/m.json: cannot read the model descriptor: No such file or directory; give the path of one "
            "(FILE.json)");
  const auto folder = ModelSpec::load("/", decoders());
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("Is a directory"));
  EXPECT_THAT(ModelSpec::load("/dev/zero", decoders()).error().message, HasSubstr("not a file"));
}

TEST(ModelSpec, ChangesResolutionOnlyWhereTheNetworkAllows) {
  const auto spec = ModelSpec::parse(pose_document().dump(), "m.json", decoders());
  ASSERT_TRUE(spec);
  const auto larger = spec->at_resolution({656, 368});
  ASSERT_TRUE(larger) << larger.error().message;
  EXPECT_EQ(larger->input.shape(), (Shape{2, 3, 368, 656}));
  EXPECT_EQ(larger->outputs, spec->outputs);
  for (const Size size : {Size{60, 32}, Size{64, 0}, Size{-64, 32}, Size{4104, 32}}) {
    const auto refused = spec->at_resolution(size);
    ASSERT_FALSE(refused) << size.width << "x" << size.height;
    EXPECT_EQ(refused.error().code, Errc::kUsage);
    EXPECT_THAT(refused.error().message, HasSubstr("must be multiples of 8 from 8 to 4096"));
  }
  const auto fixed = ModelSpec::parse(bent(pose_document(), "/inputs/0/multiple_of", "-").dump(), "m.json", decoders());
  ASSERT_TRUE(fixed);
  EXPECT_TRUE(fixed->at_resolution({64, 32}));
  const auto refused = fixed->at_resolution({128, 64});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("fixed at 64x32"));
}

TEST(ModelSpec, ShapesFollowTheLayout) {
  auto spec = ModelSpec::parse(pose_document().dump(), "m.json", decoders());
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->input.shape(), (Shape{2, 3, 32, 64}));
  spec->input.layout = Layout::kNhwc;
  EXPECT_EQ(spec->input.shape(), (Shape{2, 32, 64, 3}));
}

TEST(ModelSpec, FindsOutputsAndWeightsByName) {
  const auto spec = ModelSpec::parse(pose_document().dump(), "m.json", decoders());
  ASSERT_TRUE(spec);
  const auto paf = spec->output_index("paf");
  ASSERT_TRUE(paf);
  EXPECT_EQ(*paf, 1U);
  const auto none = spec->output_index("boxes");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "model 'small': no output 'boxes'; it has heat, paf");
  EXPECT_EQ(spec->weights_for("openvino"), spec->weights.data());
  EXPECT_EQ(spec->weights_for("opencv"), nullptr);
}

nlohmann::json compiled_document() {
  auto document = test::pose_document();
  const auto file = document["weights"]["openvino"]["files"][0];
  auto four = file;
  four["name"] = "small-b4.neff";
  four["batch"] = 4;
  auto one = file;
  one["name"] = "small-b1.neff";
  one["batch"] = 1;
  document["weights"] = {{"neuron", {{"target", "inf2"}, {"precision", "bf16"}, {"files", {four, one}}}}};
  return document;
}

TEST(ModelSpec, KnowsWhatANetworkIsCompiledForAndItsBatches) {
  const auto spec = ModelSpec::parse(compiled_document().dump(), "x.json", decoders());
  ASSERT_TRUE(spec) << spec.error().message;
  const BackendWeights* weights = spec->weights_for("neuron");
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(weights->target, "inf2");
  EXPECT_EQ(weights->files[0].batch, 4);
  EXPECT_EQ(weights->files[1].batch, 1);
}

TEST(ModelSpec, RefusesTwoCompiledFilesOfOneBatch) {
  auto document = compiled_document();
  document["weights"]["neuron"]["files"][1]["batch"] = 4;
  EXPECT_THAT(refusal(document.dump()), HasSubstr("weights.neuron.files[1]: expected a batch of its own"));
}

}  // namespace
}  // namespace posecam
