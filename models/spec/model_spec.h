#pragma once
// What the program must know about a network to feed it and to read its outputs: one strict JSON file per model,
// schema in models/schema/model-spec.schema.json. Nothing is guessed from tensor shapes.

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "models/core/skeleton.h"
#include "models/core/tensor.h"

namespace posecam {

struct Decoder;      // postprocess/decode/decoder.h; here it is only carried
struct DecoderKind;  // models/spec/decoder_kind.h

enum class Task : std::uint8_t { kPose, kDetection, kClassification };  ///< what is found: people, boxes, classes
enum class Layout : std::uint8_t { kNchw, kNhwc };                      ///< planes of channels, or pixels
enum class ColorOrder : std::uint8_t { kBgr, kRgb };                    ///< of the channels
enum class ResizeRule : std::uint8_t { kLetterbox, kStretch };  ///< keeps the aspect of the image, or fills the input
enum class PadAnchor : std::uint8_t { kTopLeft, kCenter };      ///< where the scaled image sits; the rest is padding

/// One file of weights. `url` is where it is published, `mirror_path` its place in a mirror directory.
struct WeightFile {
  std::string name;         ///< file name in the model's folder of the store
  std::string url;          ///< empty: published nowhere
  std::string mirror_path;  ///< "<folder>/<file>"
  std::uint64_t bytes = 0;  ///< exact size; 0: any (a local file whose descriptor does not say it)
  std::string sha256;       ///< 64 lower-case hex digits; empty: not checked, likewise
  int batch = 0;            ///< compiled networks: rows of one run; 0: the input's batch
};

inline constexpr std::string_view kCompileWeights = "compile";  ///< BackendWeights::backend of what only compilers read

/// The weights one backend reads. The first file is the one to open; the others lie beside it (IR's .bin). A network
/// compiled for Neuron has a file for each batch size.
struct BackendWeights {
  std::string
      backend;  ///< "openvino", "opencv", "neuron"; "compile": read by no device, `posecam compile` starts there
  /// "int8", "f16", "f32": of the stored weights. neuron: also the type of tensors whose type the runtime does not say.
  std::string precision;
  std::vector<WeightFile> files;  ///< at least one
  std::string target{};  ///< neuron: what it is compiled for: "inf1", "inf2", "trn1", "trn2", "sim"; else empty
};

/// The image input. A frame is scaled into width x height, colour-ordered, then each channel c becomes
/// (value - mean[c]) * scale[c], with value in 0..255 and c in the network's own channel order.
struct InputSpec {
  std::string name;  ///< of the tensor
  DType dtype = DType::kF32;
  Layout layout = Layout::kNchw;
  ColorOrder color = ColorOrder::kBgr;
  Size size;                            ///< pixels
  int batch = 1;                        ///< rows of one compiled batch
  int multiple_of = 0;                  ///< other sizes must be multiples of this; 0: the size is fixed
  std::array<float, 3> mean{};          ///< on the scale of 0..255
  std::array<float, 3> scale{1, 1, 1};  ///< factor
  ResizeRule resize = ResizeRule::kLetterbox;
  PadAnchor anchor = PadAnchor::kTopLeft;
  float pad_value = 0;  ///< in 0..255, before mean and scale

  Shape shape() const;  ///< batch x 3 x h x w or batch x h x w x 3
};

inline constexpr std::size_t kMostDescriptorBytes = std::size_t{1} << 20;  ///< of a file

/// Immutable after load. Copyable value.
struct ModelSpec {
  std::string name;         ///< in the zoo, and of the folder with its weights
  std::string description;  ///< for people
  Task task = Task::kPose;
  std::string license;                  ///< SPDX identifier
  std::string source;                   ///< home page of the network
  std::vector<BackendWeights> weights;  ///< each backend at most once, at least one
  InputSpec input;
  std::vector<std::string> outputs;          ///< names, in the order slots hand them out
  std::shared_ptr<const Decoder> decoder;    ///< how outputs are read; never null once loaded, shared by all copies
  std::shared_ptr<const Skeleton> skeleton;  ///< pose models; null for others
  std::vector<std::string> labels;           ///< detection and classification models, by label id
  std::filesystem::path path;                ///< the descriptor it came from

  /// Reads and checks a descriptor, whose decoder is one of these. kModel with "FILE: KEY: expectation" on the first
  /// thing that is wrong.
  static Result<ModelSpec> load(const std::filesystem::path& path, std::span<const DecoderKind> decoders);
  /// The same from text; `where` names the source in messages.
  static Result<ModelSpec> parse(std::string_view json, const std::filesystem::path& where,
                                 std::span<const DecoderKind> decoders);

  /// The same network at another input size; kUsage if it is fixed, not a multiple, or out of range (8..4096).
  Result<ModelSpec> at_resolution(Size size) const;

  /// Index into `outputs`; kModel with the names that exist.
  Result<std::size_t> output_index(std::string_view output) const;
  /// The weights for a backend, or nullptr.
  const BackendWeights* weights_for(std::string_view backend) const;
};

}  // namespace posecam
