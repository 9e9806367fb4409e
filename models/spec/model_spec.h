#pragma once
// What the program must know about a network to feed it and to read its outputs: one strict JSON file per model,
// schema in models/schema/model-spec.schema.json. Nothing is guessed from tensor shapes.

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "models/core/skeleton.h"
#include "models/core/tensor.h"

namespace posecam {

enum class Task : std::uint8_t { kPose, kDetection, kClassification };
enum class Layout : std::uint8_t { kNchw, kNhwc };
enum class ColorOrder : std::uint8_t { kBgr, kRgb };
enum class ResizeRule : std::uint8_t { kLetterbox, kStretch };
enum class PadAnchor : std::uint8_t { kTopLeft, kCenter };  ///< where the scaled image sits; the rest is padding

/// One file of weights. `url` is where it is published, `mirror_path` its place in a mirror directory.
struct WeightFile {
  std::string name;  ///< file name in the model's folder of the store
  std::string url;
  std::string mirror_path;  ///< "<folder>/<file>"
  std::uint64_t bytes = 0;
  std::string sha256;  ///< 64 lower-case hex digits
  int batch = 0;       ///< compiled networks: rows of one run; 0: the input's batch
};

/// The weights one backend reads. The first file is the one to open; the others lie beside it (IR's .bin). A network
/// compiled for Neuron has a file for each batch size.
struct BackendWeights {
  std::string backend;    ///< "openvino", "opencv", "neuron"
  std::string precision;  ///< "int8", "f16", "f32": of the stored weights, for people to read
  std::vector<WeightFile> files;
  std::string target{};  ///< neuron: what it is compiled for: "inf1", "inf2", "trn1", "trn2", "sim"; else empty
};

/// The image input. A frame is scaled into width x height, colour-ordered, then each channel c becomes
/// (value - mean[c]) * scale[c], with value in 0..255 and c in the network's own channel order.
struct InputSpec {
  std::string name;
  DType dtype = DType::kF32;
  Layout layout = Layout::kNchw;
  ColorOrder color = ColorOrder::kBgr;
  Size size;            ///< pixels
  int batch = 1;        ///< rows of one compiled batch
  int multiple_of = 0;  ///< other sizes must be multiples of this; 0: the size is fixed
  std::array<float, 3> mean{};
  std::array<float, 3> scale{1, 1, 1};
  ResizeRule resize = ResizeRule::kLetterbox;
  PadAnchor anchor = PadAnchor::kTopLeft;
  float pad_value = 0;  ///< in 0..255, before mean and scale

  Shape shape() const;  ///< batch x 3 x h x w or batch x h x w x 3
};

/// A run of channels in one output (maps: NCHW, dimension 1).
struct ChannelRange {
  std::string output;
  int first = 0;
};

/// Part affinity fields (Cao et al. 2018): heatmaps and PAFs at 1/stride of the input.
struct PafDecoder {
  ChannelRange heatmaps;
  ChannelRange pafs;
  int stride = 8;
  float threshold = 0.05F;      ///< least heatmap value of a peak
  float paf_threshold = 0.05F;  ///< least dot product of a PAF sample with its limb
  int max_people = 127;
  int taps = 25;  ///< Gaussian on tf-pose's enlarged map that suits the network's maps; fewer keep more detail
};

/// YOLOX head: (cells of all strides) x (4 + 1 + classes). Exports differ in whether the network itself has turned the
/// four box values of a cell into centre and extent in input pixels.
struct YoloxDecoder {
  enum class Boxes : std::uint8_t { kCells, kPixels };
  std::string output;
  Boxes boxes = Boxes::kCells;
  std::vector<int> strides{8, 16, 32};
  float threshold = 0.3F;
  float nms_threshold = 0.45F;
  int max_detections = 300;
};

/// SSD's DetectionOutput layer: 1x1xNx7 rows of (image, label, confidence, x0, y0, x1, y1), normalised corners.
struct SsdDecoder {
  std::string output;
  float threshold = 0.5F;
  float nms_threshold = 0.45F;
  int max_detections = 200;
};

/// One value for each class of the whole image: (classes before the first label) + labels of them, of any rank.
struct ClassDecoder {
  enum class Values : std::uint8_t { kLogits, kProbabilities };  ///< logits still want a softmax
  ChannelRange scores;  ///< `first`: value of label 0; TensorFlow's ImageNet networks have "background" before it
  Values values = Values::kLogits;
  float scale = 1;      ///< a logit for each step of the output: networks with integer outputs give steps
  float threshold = 0;  ///< least probability of a class that is told
  int top = 5;          ///< most classes that are told
};

using DecoderSpec = std::variant<PafDecoder, YoloxDecoder, SsdDecoder, ClassDecoder>;

/// Immutable after load. Copyable value.
struct ModelSpec {
  std::string name;
  std::string description;
  Task task = Task::kPose;
  std::string license;  ///< SPDX identifier
  std::string source;   ///< home page of the network
  std::vector<BackendWeights> weights;
  InputSpec input;
  std::vector<std::string> outputs;  ///< names, in the order slots hand them out
  DecoderSpec decoder;
  const Skeleton* skeleton = nullptr;  ///< pose models; static storage
  std::vector<std::string> labels;     ///< detection and classification models, by label id
  std::filesystem::path path;          ///< the descriptor it came from

  /// Reads and checks a descriptor. kModel with "FILE: KEY: expectation" on the first thing that is wrong.
  static Result<ModelSpec> load(const std::filesystem::path& path);
  /// The same from text; `where` names the source in messages.
  static Result<ModelSpec> parse(std::string_view json, const std::filesystem::path& where);

  /// The same network at another input size; kUsage if it is fixed, not a multiple, or out of range (8..4096).
  Result<ModelSpec> at_resolution(Size size) const;

  /// Index into `outputs`; kModel with the names that exist.
  Result<std::size_t> output_index(std::string_view output) const;
  /// The weights for a backend, or nullptr.
  const BackendWeights* weights_for(std::string_view backend) const;
};

}  // namespace posecam
