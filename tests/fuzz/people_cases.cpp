#include <algorithm>
#include <cmath>

#include "postprocess/decode/single/coordinates.h"
#include "postprocess/decode/single/heatmaps.h"
#include "postprocess/decode/single/simcc.h"
#include "tests/fuzz/decoder_case.h"
#include "tests/support/decoder_of.h"
#include "tests/support/movenet_maps.h"
#include "tests/support/paf_scene.h"

namespace posecam::fuzz {
namespace {

/// A model of one person with these outputs; its input is 64x48 at most.
Case single_case(std::vector<std::string> outputs, Input& input) {
  Case c;
  c.spec = test::paf_spec(input.flag() ? coco17() : body25());
  c.spec.outputs = std::move(outputs);
  c.spec.input.size = {8 * input.below(1, 8), 8 * input.below(1, 6)};
  c.most = 1;
  c.outside = OnePerson::kMostOutside;
  return c;
}

void add_tensor(Case& c, const Shape& shape, Input& input) {
  c.shapes.push_back(shape);
  fill(c.values.emplace_back(shape.elements()), input);
  patch(c.values.back(), input, 20);
}

MapsSection maps_of(std::string output, Input& input) {
  MapsSection maps;
  maps.channels = {std::move(output), input.below(0, 2)};
  maps.layout = input.flag() ? Layout::kNchw : Layout::kNhwc;
  maps.stride = 1 << input.below(0, 3);
  return maps;
}

Shape shape_of(const MapsSection& maps, const ModelSpec& spec) {
  const std::int64_t channels = maps.channels.first + static_cast<std::int64_t>(spec.skeleton->parts.size());
  const std::int64_t width = spec.input.size.width / maps.stride;
  const std::int64_t height = spec.input.size.height / maps.stride;
  return maps.layout == Layout::kNchw ? Shape{1, channels, height, width} : Shape{1, height, width, channels};
}

}  // namespace

Case coordinates_case(Input& input) {
  Case c = single_case({"points", "scores", "person", "maps"}, input);
  CoordinatesDecoder decoder;
  decoder.output = "points";
  decoder.count = static_cast<int>(c.spec.skeleton->parts.size()) + input.below(0, 3);
  decoder.values = input.below(2, 5);
  decoder.x = input.below(0, 1);
  decoder.y = 1 - decoder.x;
  decoder.unit = static_cast<CoordinatesDecoder::Unit>(input.below(0, 2));
  decoder.pixels = {1 + static_cast<float>(input.byte()), 0.5F};
  const int score = input.below(0, 2);
  if (score == 1) decoder.score = {"", decoder.values - 1, input.flag()};
  if (score == 2) decoder.score = {"scores", 0, input.flag()};
  if (input.flag()) decoder.person = {"person", input.flag(), input.fraction()};
  const MapsSection maps = maps_of("maps", input);
  if (input.flag()) decoder.refine = {maps, 2 * input.below(0, 5) + 1};
  test::set_decoder(c.spec, decoder);
  add_tensor(c, {1, decoder.count, decoder.values}, input);
  add_tensor(c, {1, decoder.count}, input);
  add_tensor(c, {1, 1}, input);
  add_tensor(c, shape_of(maps, c.spec), input);
  return c;
}

Case heatmaps_case(Input& input) {
  Case c = single_case({"maps"}, input);
  HeatmapsDecoder decoder;
  decoder.maps = maps_of("maps", input);
  decoder.refine = static_cast<HeatmapsDecoder::Refine>(input.below(0, 2));
  decoder.taps = 2 * input.below(1, 15) + 1;
  decoder.cell_offset = static_cast<float>(input.byte()) / 255;
  test::set_decoder(c.spec, decoder);
  add_tensor(c, shape_of(decoder.maps, c.spec), input);
  return c;
}

Case simcc_case(Input& input) {
  Case c = single_case({"x", "y"}, input);
  SimccDecoder decoder;
  decoder.x = "x";
  decoder.y = "y";
  decoder.ratio = static_cast<float>(input.below(1, 4)) / 2;
  decoder.score = input.flag() ? SimccDecoder::Score::kSmaller : SimccDecoder::Score::kMean;
  test::set_decoder(c.spec, decoder);
  const auto parts = static_cast<std::int64_t>(c.spec.skeleton->parts.size());
  for (const int pixels : {c.spec.input.size.width, c.spec.input.size.height}) {
    add_tensor(c, {1, parts, std::lround(static_cast<float>(pixels) * decoder.ratio)}, input);
  }
  return c;
}

Case people_rows_case(Input& input) {
  Case c;
  c.spec = test::movenet_spec({32 * input.below(1, 8), 32 * input.below(1, 8)});
  c.spec.outputs = {"rows"};
  MultiposeDecoder decoder;
  decoder.output = "rows";
  decoder.threshold = static_cast<float>(input.byte()) / 255;
  decoder.keypoint_threshold = static_cast<float>(input.byte()) / 255;
  c.most = decoder.max_people = input.below(1, 12);
  test::set_decoder(c.spec, decoder);
  c.shapes = {Shape{1, input.below(0, 40), 56}};
  c.values = {std::vector<float>(c.shapes[0].elements())};
  fill(c.values[0], input);
  patch(c.values[0], input, 40);
  return c;
}

Case people_maps_case(HeadPeople people, Input& input) {
  Case c;
  test::Maps maps(people, input.flag() ? Layout::kNchw : Layout::kNhwc, input.below(1, 24), input.below(1, 24));
  for (std::size_t map = 0; map < maps.names().size(); ++map) {
    fill(maps.values(map), input);
    patch(maps.values(map), input, 8);
    c.shapes.push_back(maps.views()[map].shape);
    c.values.push_back(maps.values(map));
  }
  MultiposeDecoder decoder = maps.decoder();
  decoder.stride = input.below(1, 16);
  decoder.threshold = static_cast<float>(input.byte()) / 255;
  decoder.keypoint_threshold = static_cast<float>(input.byte()) / 255;
  c.most = decoder.max_people = people == HeadPeople::kOne ? 1 : input.below(1, 12);
  c.spec = test::movenet_spec({decoder.stride * maps.width(), decoder.stride * maps.height()});
  c.spec.outputs = maps.names();
  test::set_decoder(c.spec, decoder);
  return c;
}

}  // namespace posecam::fuzz
