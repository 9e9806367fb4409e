#include "models/make/resnet50.h"

#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "models/make/onnx_writer.h"

namespace posecam {
namespace {

using Ints = std::vector<std::int64_t>;

constexpr std::uint64_t kSeed = 50;
constexpr float kEpsilon = 1e-5F;
constexpr std::int64_t kClasses = 1000;
constexpr std::int64_t kParts = 17;       // COCO's
constexpr std::int64_t kFeatures = 2048;  // of an image, behind the last block
constexpr std::int64_t kExpansion = 4;    // channels that a block gives, in widths

struct Stage {
  int blocks;
  std::int64_t width;
  std::int64_t stride;  ///< of the first block
};
constexpr Stage kStages[] = {{3, 64, 1}, {4, 128, 2}, {6, 256, 2}, {3, 512, 2}};

class Builder {
 public:
  std::string make();
  std::string make_coordinates();

 private:
  std::string node(std::string_view op, const std::string& name, const std::vector<std::string>& inputs,
                   const std::vector<OnnxWriter::Attribute>& attributes = {}) {
    onnx_.node(op, name, inputs, attributes);
    return name;
  }
  std::string filled(const std::string& name, std::int64_t count, float value) {
    onnx_.constant(name, Ints{count}, std::vector<float>(static_cast<std::size_t>(count), value));
    return name;
  }
  std::string drawn(const std::string& name, const Ints& shape, double variance);
  std::string conv(const std::string& name, const std::string& x, std::int64_t taken, std::int64_t given,
                   std::int64_t kernel, std::int64_t stride, float gain = 1);
  std::string relu(const std::string& x) { return node("Relu", x + ".relu", {x}); }
  std::string block(const std::string& name, const std::string& x, std::int64_t taken, std::int64_t width,
                    std::int64_t stride);
  std::string trunk(const std::string& images);
  std::string dense(const std::string& name, const std::string& x, std::int64_t given);

  OnnxWriter onnx_;
  std::mt19937_64 random_{kSeed};
};

/// Uniform, of that variance. Every step but the last two is exact in a double, so the bytes are the same everywhere.
std::string Builder::drawn(const std::string& name, const Ints& shape, double variance) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  const double reach = std::sqrt(3 * variance);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    const auto bits = static_cast<double>(random_() >> 40U);  // 24 of them
    value = static_cast<float>(((bits + 0.5) * 0x1p-23 - 1) * reach);
  }
  onnx_.constant(name, shape, values);
  return name;
}

/// Convolution without bias (He et al. 2015, Delving Deep into Rectifiers: variance 2 / inputs of a value) and batch
/// normalisation.
std::string Builder::conv(const std::string& name, const std::string& x, std::int64_t taken, std::int64_t given,
                          std::int64_t kernel, std::int64_t stride, float gain) {
  const double variance = 2.0 / static_cast<double>(taken * kernel * kernel);
  const std::string weight = drawn(name + ".weight", {given, taken, kernel, kernel}, variance);
  node("Conv", name, {x, weight},
       {{"kernel_shape", Ints{kernel, kernel}}, {"strides", Ints{stride, stride}}, {"pads", Ints(4, kernel / 2)}});
  const std::string bn = name + ".bn";
  return node("BatchNormalization", bn,
              {name, filled(bn + ".weight", given, gain), filled(bn + ".bias", given, 0),
               filled(bn + ".running_mean", given, 0), filled(bn + ".running_var", given, 1)},
              {{"epsilon", kEpsilon}});
}

std::string Builder::block(const std::string& name, const std::string& x, std::int64_t taken, std::int64_t width,
                           std::int64_t stride) {
  const std::int64_t given = width * kExpansion;
  std::string y = relu(conv(name + ".conv1", x, taken, width, 1, 1));
  y = relu(conv(name + ".conv2", y, width, width, 3, stride));
  // The last one of a block counts for little: 16 blocks would otherwise double the activations 16 times.
  y = conv(name + ".conv3", y, width, given, 1, 1, 0.25F);
  const bool same = stride == 1 && taken == given;
  const std::string shortcut = same ? x : conv(name + ".downsample", x, taken, given, 1, stride, 0.70710678F);
  return relu(node("Add", name + ".add", {y, shortcut}));
}

/// From images in planes to kFeatures values.
std::string Builder::trunk(const std::string& images) {
  std::string x = relu(conv("conv1", images, 3, 64, 7, 2));
  x = node("MaxPool", "maxpool", {x}, {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints(4, 1)}});
  std::int64_t taken = 64;
  for (std::size_t stage = 0; stage < std::size(kStages); ++stage) {
    const auto& [blocks, width, stride] = kStages[stage];
    for (int i = 0; i < blocks; ++i) {
      x = block(fmt::format("layer{}.{}", stage + 1, i), x, taken, width, i == 0 ? stride : 1);
      taken = width * kExpansion;
    }
  }
  x = node("GlobalAveragePool", "avgpool", {x});
  return node("Flatten", "flatten", {x}, {{"axis", std::int64_t{1}}});
}

/// Fully connected.
std::string Builder::dense(const std::string& name, const std::string& x, std::int64_t given) {
  const std::string weight = drawn("fc.weight", {given, kFeatures}, 1 / static_cast<double>(kFeatures));
  return node("Gemm", name, {x, weight, filled("fc.bias", given, 0)}, {{"transB", std::int64_t{1}}});
}

std::string Builder::make() {
  const std::string x = dense("scores", trunk("images"), kClasses);
  return onnx_.finish("resnet50", "images", Ints{3, 224, 224}, x, Ints{kClasses});
}

std::string Builder::make_coordinates() {
  std::string x = node("Transpose", "planes", {"images"}, {{"perm", Ints{0, 3, 1, 2}}});
  x = node("Sigmoid", "shares", {dense("fc", trunk(x), kParts * 2)});
  onnx_.integers("coords.shape", Ints{-1, kParts, 2});
  x = node("Reshape", "coords", {x, "coords.shape"});
  return onnx_.finish("fitness-coords", "images", Ints{256, 192, 3}, x, Ints{kParts, 2});
}

}  // namespace

std::string make_resnet50() { return Builder().make(); }
std::string make_fitness_coords() { return Builder().make_coordinates(); }

}  // namespace posecam
