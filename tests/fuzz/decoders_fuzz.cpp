// Tensors of any content into every decoder: what comes out keeps the promises of its headers, can be written in every
// format and drawn on every kind of frame, and depends on nothing but the tensors.

#include <memory>
#include <vector>

#include "postprocess/decode/postprocessor.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/result_checks.h"
#include "tests/support/paf_scene.h"

namespace posecam::fuzz {
namespace {

/// A model, the options of its user, and the tensors of one frame, each in an allocation of its exact size.
struct Case {
  ModelSpec spec;
  DecodeOptions options;
  std::vector<std::vector<float>> values;
  std::vector<Shape> shapes;
  bool fits = true;  ///< the shapes are those of the spec

  std::vector<TensorView> views() const {
    std::vector<TensorView> views;
    for (std::size_t i = 0; i < values.size(); ++i) {
      views.push_back({reinterpret_cast<const std::byte*>(values[i].data()), DType::kF32, shapes[i]});
    }
    return views;
  }
};

/// Fills with zeros, one bit pattern, or noise of some loudness.
void fill(std::vector<float>& values, Input& input) {
  const int kind = input.below(0, 4);
  if (kind == 0) return;
  if (kind == 1) {
    std::ranges::fill(values, input.bits());
    return;
  }
  Noise noise(input.word());
  const float loud = kind == 2 ? 1.0F : input.bits();
  for (float& v : values) {
    const std::uint32_t bits = noise.next();
    v = kind == 4 ? std::bit_cast<float>(bits) : loud * static_cast<float>(bits) / 4294967296.0F;
  }
}

/// Single values and runs of them, anywhere.
void patch(std::vector<float>& values, Input& input, int most) {
  for (int i = 0; i < most && !input.empty() && !values.empty(); ++i) {
    const std::size_t at = input.word() % values.size();
    const std::size_t count = std::min<std::size_t>(1 + input.byte() % 32, values.size() - at);
    const float value = input.flag() ? input.bits() : input.fraction();
    std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(at), count, value);
  }
}

void read_options(DecodeOptions& options, Input& input) {
  const std::uint8_t set = input.byte();
  if (set & 1U) options.threshold = input.fraction();
  if (set & 2U) options.paf_threshold = input.fraction();
  if (set & 4U) options.nms_threshold = input.fraction();
  if (set & 8U) options.max_people = input.below(-1, 12);
  if (set & 16U) options.smoothing_taps = input.below(-1, 30);
}

/// The last dimension or the number of elements is another than the model says.
void spoil(Case& c, Input& input) {
  const std::size_t at = input.byte() % c.shapes.size();
  Shape& shape = c.shapes[at];
  std::int64_t& extent = shape[shape.rank() - 1 - input.byte() % shape.rank()];
  extent = std::max<std::int64_t>(0, extent + input.below(0, 1) * 2 - 1);
  c.values[at].resize(shape.elements());
  c.fits = false;
}

Case paf_case(const Skeleton& skeleton, bool reference, Input& input) {
  Case c;
  c.spec = test::paf_spec(skeleton);
  const int side = reference ? 6 : 18;  // the reference filters an enlarged map with a full kernel: milliseconds a cell
  const int width = input.below(0, side);
  const int height = input.below(0, side);
  test::Scene scene(skeleton, width, height);
  fill(scene.heatmaps, input);
  fill(scene.pafs, input);
  for (int people = input.below(0, 5); people > 0; --people) {
    const auto x = static_cast<float>(input.byte()) / 10;
    const auto y = static_cast<float>(input.byte()) / 10;
    scene.draw(test::standing(skeleton, x, y, static_cast<float>(input.byte()) / 10));
  }
  patch(scene.heatmaps, input, 8);
  patch(scene.pafs, input, 8);
  auto& decoder = std::get<PafDecoder>(c.spec.decoder);
  decoder.stride = input.below(1, 16);
  decoder.taps = input.below(1, 30);
  c.options.mode = reference ? DecodeOptions::Mode::kReference : DecodeOptions::Mode::kFast;
  int channels = 0;
  for (const Limb& limb : skeleton.limbs) channels = std::max({channels, limb.paf_x + 1, limb.paf_y + 1});
  c.shapes = {Shape{1, static_cast<std::int64_t>(skeleton.parts.size() + 1), height, width},
              Shape{1, channels, height, width}};
  c.values = {std::move(scene.heatmaps), std::move(scene.pafs)};
  return c;
}

ModelSpec detector(int labels) {
  ModelSpec spec = test::paf_spec(coco18());
  spec.task = Task::kDetection;
  spec.skeleton = nullptr;
  spec.outputs = {"boxes"};
  for (int i = 0; i < labels; ++i) spec.labels.push_back("label " + std::to_string(i));
  return spec;
}

Case yolox_case(YoloxDecoder::Boxes boxes, Input& input) {
  Case c;
  const int labels = input.below(1, 6);
  c.spec = detector(labels);
  c.spec.input.size = {32 * input.below(1, 5), 32 * input.below(1, 5)};
  c.spec.decoder = YoloxDecoder{.output = "boxes", .boxes = boxes, .max_detections = input.below(1, 40)};
  std::int64_t cells = 0;
  for (const int stride : {8, 16, 32}) cells += c.spec.input.size.width / stride * (c.spec.input.size.height / stride);
  c.shapes = {Shape{1, cells, 5 + labels}};
  c.values = {std::vector<float>(c.shapes[0].elements())};
  fill(c.values[0], input);
  patch(c.values[0], input, 40);
  return c;
}

Case ssd_case(Input& input) {
  Case c;
  c.spec = detector(input.below(1, 6));
  c.spec.input.size = {8 * input.below(1, 60), 8 * input.below(1, 60)};
  c.spec.decoder = SsdDecoder{.output = "boxes", .max_detections = input.below(1, 40)};
  c.shapes = {Shape{1, 1, input.below(0, 60), 7}};
  c.values = {std::vector<float>(c.shapes[0].elements())};
  fill(c.values[0], input);
  const bool plausible = input.flag();  // the first image, a label
  for (std::size_t row = 0; plausible && row < c.values[0].size(); row += 7) {
    c.values[0][row] = 0;
    c.values[0][row + 1] = static_cast<float>(input.below(0, 6));
  }
  patch(c.values[0], input, 40);
  return c;
}

Case class_case(Input& input) {
  Case c;
  c.spec = detector(input.below(1, 40));
  c.spec.task = Task::kClassification;
  ClassDecoder classes;
  classes.scores = {"boxes", input.below(0, 2)};
  classes.values = input.flag() ? ClassDecoder::Values::kLogits : ClassDecoder::Values::kProbabilities;
  classes.scale = input.fraction() + 1e-6F;
  classes.top = input.below(1, 10);
  c.spec.decoder = classes;
  c.shapes = {Shape{1, static_cast<std::int64_t>(c.spec.labels.size()) + classes.scores.first}};
  c.values = {std::vector<float>(c.shapes[0].elements())};
  fill(c.values[0], input);
  patch(c.values[0], input, 20);
  return c;
}

Case read_case(Input& input) {
  Case c;
  switch (const int kind = input.below(0, 7)) {
    case 0:
    case 1: c = paf_case(coco18(), kind == 1, input); break;
    case 2:
    case 3: c = paf_case(body25(), kind == 3, input); break;
    case 4: c = yolox_case(YoloxDecoder::Boxes::kCells, input); break;
    case 5: c = yolox_case(YoloxDecoder::Boxes::kPixels, input); break;
    case 6: c = ssd_case(input); break;
    default: c = class_case(input); break;
  }
  read_options(c.options, input);
  if (input.byte() % 16 == 15) spoil(c, input);
  return c;
}

/// A frame that was scaled into the network's input: its content is at least a pixel.
Letterbox read_letterbox(const Case& c, Input& input) {
  Letterbox letterbox;
  letterbox.image = {1 + static_cast<int>(input.word() % 8192), 1 + static_cast<int>(input.word() % 8192)};
  letterbox.input = c.spec.input.size;
  if (const auto* paf = std::get_if<PafDecoder>(&c.spec.decoder)) {
    letterbox.input = {static_cast<int>(c.shapes[0][3]) * paf->stride, static_cast<int>(c.shapes[0][2]) * paf->stride};
  }
  const auto content = [&](int side) { return 1.0F + static_cast<float>(input.byte() % std::max(side, 1)); };
  letterbox.content = {content(letterbox.input.width), content(letterbox.input.height)};
  letterbox.offset = {static_cast<float>(input.below(0, 3)), static_cast<float>(input.below(0, 3))};
  return letterbox;
}

float nms_threshold(const Case& c) {
  if (c.options.nms_threshold) return *c.options.nms_threshold;
  if (const auto* yolox = std::get_if<YoloxDecoder>(&c.spec.decoder)) return yolox->nms_threshold;
  return SsdDecoder{}.nms_threshold;
}

std::size_t most(const Case& c) {
  if (const auto* yolox = std::get_if<YoloxDecoder>(&c.spec.decoder))
    return static_cast<std::size_t>(yolox->max_detections);
  if (const auto* ssd = std::get_if<SsdDecoder>(&c.spec.decoder)) return static_cast<std::size_t>(ssd->max_detections);
  if (const auto* classes = std::get_if<ClassDecoder>(&c.spec.decoder)) return static_cast<std::size_t>(classes->top);
  return static_cast<std::size_t>(c.options.max_people.value_or(PafDecoder{}.max_people));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const Case c = read_case(input);
  auto decoder = Postprocessor::create(c.spec, c.options);
  if (!decoder) {
    expect(decoder.error().code == Errc::kUsage, "only the options can be wrong:", decoder.error().message);
    return 0;
  }
  const Letterbox letterbox = read_letterbox(c, input);
  FrameResult result;
  result.model = std::make_shared<const ModelSpec>(c.spec);
  const auto done = (*decoder)->run(c.views(), letterbox, result);
  if (!done) {
    expect(!c.fits && done.error().code == Errc::kModel, "tensors of the right shape:", done.error().message);
    expect(result.poses.empty() && result.detections.empty() && result.classes.empty(), "a failure finds nobody");
    return 0;
  }
  check_poses(result, most(c));
  check_detections(result, most(c), nms_threshold(c));
  check_classes(result, most(c));

  FrameResult again;
  expect((*decoder)->run(c.views(), letterbox, again) && same_result(result, again), "decoding twice differs");
  check_writers(result, input);
  check_drawing(result, input);
  return 0;
}

}  // namespace posecam::fuzz
