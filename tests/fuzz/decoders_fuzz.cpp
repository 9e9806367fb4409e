// Tensors of any content into every decoder: what comes out keeps the promises of its headers, can be written in every
// format and drawn on every kind of frame, and depends on nothing but the tensors.

#include <memory>
#include <vector>

#include "postprocess/decode/classes.h"
#include "postprocess/decode/decoders.h"
#include "postprocess/decode/paf/paf.h"
#include "tests/fuzz/decoder_case.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/result_checks.h"
#include "tests/support/box_networks.h"
#include "tests/support/decoder_of.h"
#include "tests/support/paf_scene.h"

namespace posecam::fuzz {
namespace {

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
  auto decoder = test::decoder_of<PafDecoder>(c.spec);
  decoder.stride = input.below(1, 16);
  decoder.taps = input.below(1, 30);
  test::set_decoder(c.spec, decoder);
  c.spec.input.size = {width * decoder.stride, height * decoder.stride};
  c.most = decoder.max_people;
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
  YoloxDecoder decoder;
  decoder.output = "boxes";
  decoder.boxes = boxes;
  c.most = decoder.rules.max_detections = input.below(1, 40);
  test::set_decoder(c.spec, decoder);
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
  SsdDecoder decoder;
  decoder.output = "boxes";
  c.most = decoder.rules.max_detections = input.below(1, 40);
  test::set_decoder(c.spec, decoder);
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
  c.most = classes.top = input.below(1, 10);
  test::set_decoder(c.spec, classes);
  c.shapes = {Shape{1, static_cast<std::int64_t>(c.spec.labels.size()) + classes.scores.first}};
  c.values = {std::vector<float>(c.shapes[0].elements())};
  fill(c.values[0], input);
  patch(c.values[0], input, 20);
  return c;
}

/// The model of that name among those that all properties are tested on, of any size.
Case box_case(std::string_view name, Input& input) {
  const Size size{32 * input.below(1, 5), 32 * input.below(1, 5)};
  const int labels = input.below(1, 6);
  const int rows = input.below(0, 60);
  Case c;
  for (auto& network : test::box_networks(size, labels, rows)) {
    if (network.name != name) continue;
    c.spec = std::move(network.spec);
    c.shapes = std::move(network.shapes);
    c.nms = network.nms_threshold;
    break;
  }
  expect(!c.shapes.empty(), "no network", name);
  c.most = 300;
  for (const Shape& shape : c.shapes) {
    c.values.emplace_back(shape.elements());
    fill(c.values.back(), input);
    patch(c.values.back(), input, 20);
  }
  if (input.flag()) c.options.labels = {1, 0, 1};
  return c;
}

struct Family {
  std::string_view kind;  ///< of decoders()
  Case (*read)(Input& input);
};
/// Chosen by the first byte of an input: a new one goes to the end, so that saved inputs keep their meaning.
constexpr Family kFamilies[] = {
    {"paf", [](Input& input) { return paf_case(coco18(), false, input); }},
    {"paf", [](Input& input) { return paf_case(coco18(), true, input); }},
    {"paf", [](Input& input) { return paf_case(body25(), false, input); }},
    {"paf", [](Input& input) { return paf_case(body25(), true, input); }},
    {"yolox", [](Input& input) { return yolox_case(YoloxDecoder::Boxes::kCells, input); }},
    {"yolox", [](Input& input) { return yolox_case(YoloxDecoder::Boxes::kPixels, input); }},
    {"ssd", ssd_case},
    {"classes", class_case},
    {"coordinates", coordinates_case},
    {"heatmaps", heatmaps_case},
    {"simcc", simcc_case},
    {"multipose", people_rows_case},
    {"multipose", [](Input& input) { return people_maps_case(HeadPeople::kMany, input); }},
    {"multipose", [](Input& input) { return people_maps_case(HeadPeople::kOne, input); }},
    {"yolo", [](Input& input) { return box_case("yolo channels-first", input); }},
    {"yolo", [](Input& input) { return box_case("yolo end-to-end", input); }},
    {"yolo-pose", [](Input& input) { return box_case("yolo-pose channels-first", input); }},
    {"yolo-pose", [](Input& input) { return box_case("yolo-pose end-to-end", input); }},
    {"yolo-pose", [](Input& input) { return box_case("yolo-pose of two outputs", input); }},
    {"ssd-raw", [](Input& input) { return box_case("ssd-raw", input); }},
    {"tf-detection", [](Input& input) { return box_case("tf-detection", input); }},
    {"centernet", [](Input& input) { return box_case("centernet", input); }},
    {"centernet", [](Input& input) { return box_case("centernet maps", input); }},
    {"nanodet", [](Input& input) { return box_case("nanodet", input); }},
    {"nanodet", [](Input& input) { return box_case("nanodet plus", input); }},
    {"fastestdet", [](Input& input) { return box_case("fastestdet", input); }},
};

bool every_decoder_is_here() {
  for (const DecoderKind& kind : decoders()) {
    expect(std::ranges::find(kFamilies, kind.name, &Family::kind) != std::end(kFamilies), "no cases for", kind.name);
  }
  return true;
}

Case read_case(const Family& family, Input& input) {
  Case c = family.read(input);
  read_options(c.options, input);
  if (input.byte() % 16 == 15) spoil(c, input);
  return c;
}

/// A frame that was scaled into the network's input: its content is at least a pixel.
Letterbox read_letterbox(const Case& c, Input& input) {
  Letterbox letterbox;
  letterbox.image = {1 + static_cast<int>(input.word() % 8192), 1 + static_cast<int>(input.word() % 8192)};
  letterbox.input = c.spec.input.size;
  const auto content = [&](int side) { return 1.0F + static_cast<float>(input.byte() % std::max(side, 1)); };
  letterbox.content = {content(letterbox.input.width), content(letterbox.input.height)};
  letterbox.offset = {static_cast<float>(input.below(0, 3)), static_cast<float>(input.below(0, 3))};
  return letterbox;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  [[maybe_unused]] static const bool complete = every_decoder_is_here();
  Input input(data, size);
  const std::size_t family = input.byte();
  if (family >= std::size(kFamilies)) return 0;
  const Case c = read_case(kFamilies[family], input);
  auto decoder = c.spec.decoder->make(c.spec, c.options);
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
  const auto most = static_cast<std::size_t>(c.most);
  check_poses(result, static_cast<std::size_t>(c.options.max_people.value_or(c.most)), c.outside);
  check_detections(result, most, c.options.nms_threshold.value_or(c.nms));
  check_classes(result, most);

  FrameResult again;
  expect((*decoder)->run(c.views(), letterbox, again) && same_result(result, again), "decoding twice differs");
  check_writers(result, input);
  check_drawing(result, input);
  return 0;
}

}  // namespace posecam::fuzz
