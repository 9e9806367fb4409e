#include "postprocess/decode/decoders.h"

#include "models/spec/zoo.h"
#include "postprocess/decode/boxes/centernet.h"
#include "postprocess/decode/boxes/fastestdet.h"
#include "postprocess/decode/boxes/nanodet.h"
#include "postprocess/decode/boxes/ssd.h"
#include "postprocess/decode/boxes/ssd_raw.h"
#include "postprocess/decode/boxes/tf_detection.h"
#include "postprocess/decode/boxes/yolox.h"
#include "postprocess/decode/classes.h"
#include "postprocess/decode/multipose/multipose.h"
#include "postprocess/decode/paf/paf.h"
#include "postprocess/decode/single/coordinates.h"
#include "postprocess/decode/single/heatmaps.h"
#include "postprocess/decode/single/simcc.h"
#include "postprocess/decode/yolo/yolo.h"
#include "postprocess/decode/yolo/yolo_pose.h"

namespace posecam {
namespace {

constexpr DecoderKind kDecoders[] = {
    {"paf", Task::kPose, PafDecoder::read},
    {"coordinates", Task::kPose, CoordinatesDecoder::read},
    {"heatmaps", Task::kPose, HeatmapsDecoder::read},
    {"simcc", Task::kPose, SimccDecoder::read},
    {"multipose", Task::kPose, MultiposeDecoder::read},
    {"yolo-pose", Task::kPose, YoloPoseDecoder::read},
    {"yolox", Task::kDetection, YoloxDecoder::read},
    {"yolo", Task::kDetection, YoloDecoder::read},
    {"ssd", Task::kDetection, SsdDecoder::read},
    {"ssd-raw", Task::kDetection, SsdRawDecoder::read},
    {"tf-detection", Task::kDetection, TfDetectionDecoder::read},
    {"centernet", Task::kDetection, CenterNetDecoder::read},
    {"nanodet", Task::kDetection, NanoDetDecoder::read},
    {"fastestdet", Task::kDetection, FastestDetDecoder::read},
    {"classes", Task::kClassification, ClassDecoder::read},
};

}  // namespace

std::span<const DecoderKind> decoders() { return kDecoders; }

Result<ModelSpec> find_model(std::string_view name_or_path) {
  const auto descriptor = find_descriptor(name_or_path);
  if (!descriptor) return descriptor.error();
  return ModelSpec::load(*descriptor, decoders());
}

}  // namespace posecam
