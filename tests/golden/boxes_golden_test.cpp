// Detectors of the zoo on pictures, from the file to the list: the whole way but for GStreamer.

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "models/spec/model_spec.h"
#include "pipeline/cpu/openvino_backend.h"
#include "pipeline/image/preprocess.h"
#include "postprocess/decode/boxes/tf_detection.h"
#include "postprocess/decode/decoder.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/mat_view.h"
#include "tests/support/shared.h"

namespace posecam {
namespace {

using testing::HasSubstr;

FrameResult found_in(const ModelSpec& spec, const std::filesystem::path& weights, const cv::Mat& picture,
                     const DecodeOptions& options = {}) {
  FrameResult result;
  auto backend = make_openvino_backend(spec, weights, {.cores = {0}, .precision = Precision::kF32});
  EXPECT_TRUE(backend) << backend.error().message;
  if (!backend) return result;
  auto slot = (*backend)->make_slot(spec, 0);
  auto decoder = spec.decoder->make(spec, options);
  EXPECT_TRUE(slot && decoder);
  if (!slot || !decoder) return result;
  const Letterbox letterbox = Preprocessor(spec.input).write(test::view_of(picture), (*slot)->input());
  EXPECT_TRUE((*slot)->run(1));
  std::vector<TensorView> outputs;
  for (std::size_t i = 0; i < spec.outputs.size(); ++i) outputs.push_back((*slot)->output(i));
  const auto ran = (*decoder)->run(outputs, letterbox, result);
  EXPECT_TRUE(ran) << ran.error().message;
  return result;
}

ModelSpec zoo_model(const std::string& name) {
  auto spec = ModelSpec::load(test::source_dir() / ("models/zoo/" + name + ".json"), decoders());
  EXPECT_TRUE(spec) << spec.error().message;
  return spec ? *spec : ModelSpec{};
}

struct Expected {
  std::string label;
  float score = 0;
  float ymin = 0;
  float xmin = 0;
  float ymax = 0;
  float xmax = 0;
};

bool is(const Detection& d, const ModelSpec& spec, const Expected& e) {
  const Box box{e.xmin, e.ymin, e.xmax - e.xmin, e.ymax - e.ymin};
  return spec.labels[static_cast<std::size_t>(d.label_id)] == e.label && std::abs(d.score - e.score) < 0.03F &&
         iou(d.box, box) > 0.9F;
}

// What TensorFlow Lite and its operator find (ai-edge-litert 2.3.0; pictures read by Pillow 13.0.0 and scaled
// as cv::INTER_LINEAR does), boxes clipped to the picture. OpenVINO calculates in floats what TensorFlow Lite rounds to
// 8 bits.
TEST(BoxesGolden, SsdMobilenetFindsWhatTensorFlowLiteDoes) {
  const std::string folder = "models/ssd-mobilenet-v1-coco/";
  const std::string file = "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite";
  POSECAM_NEEDS_SHARED(folder + file);
  const ModelSpec spec = zoo_model("ssd-mobilenet-v1-coco");
  DecodeOptions options;
  options.threshold = 0.42F;
  const std::vector<std::pair<std::string, std::vector<Expected>>> pictures{
      {"burger.jpg",
       {{"sandwich", 0.7656F, 0.0886F, 0.0380F, 0.9623F, 0.7958F},
        {"sandwich", 0.5117F, 0.1144F, 0.0854F, 0.6228F, 0.7828F},
        {"sandwich", 0.4375F, 0.0000F, 0.4746F, 0.5494F, 0.9911F}}},
      {"cats_and_dogs.jpg",
       {{"cat", 0.6445F, 0.6635F, 0.0454F, 0.9906F, 0.3726F},
        {"cat", 0.6094F, 0.2575F, 0.5019F, 1.0000F, 0.8247F},
        {"cat", 0.5625F, 0.6567F, 0.2171F, 1.0000F, 0.3659F},
        {"dog", 0.5117F, 0.3292F, 0.3250F, 1.0000F, 0.5552F},
        {"cat", 0.4492F, 0.6719F, 0.7262F, 0.9992F, 0.8978F},
        {"dog", 0.4258F, 0.3842F, 0.0750F, 1.0000F, 0.5467F}}},
      {"sparrow.png", {{"bird", 0.8242F, 0.2480F, 0.3639F, 0.7144F, 0.7319F}}}};
  for (const auto& [picture, expected] : pictures) {
    const cv::Mat image = cv::imread((test::shared_dir() / folder / picture).string());
    ASSERT_FALSE(image.empty()) << picture;
    const FrameResult result = found_in(spec, test::shared_dir() / folder / file, image, options);
    EXPECT_EQ(result.detections.size(), expected.size()) << picture;
    for (const Expected& e : expected) {
      EXPECT_THAT(result.detections,
                  testing::Contains(testing::Truly([&](const Detection& d) { return is(d, spec, e); })))
          << picture << ": " << e.label << " " << e.score;
    }
  }
}

TEST(BoxesGolden, TheOperatorOfTensorFlowLiteIsNamedWhereItIsLeft) {
  const std::string file = "models/ssd-mobilenet-v1-coco/coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite";
  POSECAM_NEEDS_SHARED(file);
  ModelSpec spec = zoo_model("ssd-mobilenet-v1-coco");
  spec.outputs = {"TFLite_Detection_PostProcess"};
  const auto backend = make_openvino_backend(spec, test::shared_dir() / file, {.cores = {0}});
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().code, Errc::kModel);
  EXPECT_THAT(backend.error().message,
              HasSubstr("ends with TFLite_Detection_PostProcess, which OpenVINO does not have: name the tensors before "
                        "it as outputs (Squeeze, convert_scores), and \"ssd-raw\" as the decoder"));
}

// 000000541055: person boxes of shared/eval/person_keypoints.json, (x, y, width, height) in pixels of 640x360.
TEST(BoxesGolden, FastestDetFindsThePeopleOfARealImage) {
  POSECAM_NEEDS_SHARED("models/fastestdet/FastestDet.onnx");
  POSECAM_NEEDS_SHARED("eval/images/000000541055.jpg");
  const cv::Mat image = cv::imread((test::shared_dir() / "eval/images/000000541055.jpg").string());
  ASSERT_FALSE(image.empty());
  DecodeOptions options;
  options.labels.assign(80, 0);
  options.labels[0] = 1;
  const FrameResult result =
      found_in(zoo_model("fastestdet"), test::shared_dir() / "models/fastestdet/FastestDet.onnx", image, options);
  EXPECT_LE(result.detections.size(), 7U);
  for (const Box& person : {Box{271.5F, 80.0F, 64.2F, 203.8F}, Box{201.5F, 101.9F, 86.4F, 222.8F},
                            Box{154.5F, 78.1F, 54.2F, 235.1F}, Box{325.2F, 79.3F, 163.4F, 247.6F}}) {
    EXPECT_THAT(result.detections, testing::Contains(testing::Truly([&](const Detection& d) {
                  const Box pixels{d.box.x * 640, d.box.y * 360, d.box.width * 640, d.box.height * 360};
                  return d.label_id == 0 && iou(pixels, person) > 0.4F;
                })));
  }
}

TEST(BoxesGolden, ReadsANetworkWithTheOutputsOfTensorFlowsDetectors) {
  ModelSpec spec;
  spec.name = "four-outputs";
  spec.task = Task::kDetection;
  spec.input.name = "image_tensor";
  spec.input.size = {8, 8};
  spec.input.resize = ResizeRule::kStretch;
  spec.outputs = {"detection_boxes", "num_detections", "detection_classes", "detection_scores"};
  spec.labels = {"person", "-", "car"};
  TfDetectionDecoder tf;
  tf.boxes = "detection_boxes";
  tf.classes = "detection_classes";
  tf.scores = "detection_scores";
  tf.count = "num_detections";
  spec.decoder = std::make_shared<const TfDetectionDecoder>(tf);
  const cv::Mat picture(8, 8, CV_8UC3, cv::Scalar(204, 0, 127.5));  // blue .8, red .5
  const FrameResult result = found_in(spec, test::source_dir() / "tests/data/four_outputs.onnx", picture);
  ASSERT_EQ(result.detections.size(), 2U);
  EXPECT_EQ(result.detections[0].label_id, 0);
  EXPECT_NEAR(result.detections[0].score, 0.8F, 1e-3F);
  EXPECT_NEAR(result.detections[0].box.x, 0.125F, 1e-4F);
  EXPECT_NEAR(result.detections[0].box.y, 0.25F, 1e-4F);
  EXPECT_NEAR(result.detections[0].box.width, 0.375F, 1e-4F);
  EXPECT_EQ(result.detections[1].label_id, 2);
  EXPECT_NEAR(result.detections[1].score, 0.5F, 5e-3F);
}

}  // namespace
}  // namespace posecam
