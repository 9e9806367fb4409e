#pragma once
// A small valid descriptor that tests bend one key at a time.

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "tests/unit/postprocess/decode/decoder_sections.h"

namespace posecam::test {

inline nlohmann::json pose_document() {
  return nlohmann::json::parse(R"({
    "schema_version": 1, "name": "small", "description": "A test", "task": "pose", "license": "Apache-2.0",
    "source": "https://example.org/small",
    "weights": {"openvino": {"precision": "f32", "files": [
      {"name": "small.xml", "url": "https://example.org/small.xml", "mirror_path": "a/small.xml", "bytes": 10,
       "sha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}},
    "inputs": [{"name": "data", "dtype": "f32", "layout": "nchw", "color": "bgr", "size": {"width": 64, "height": 32},
      "batch": 2, "multiple_of": 8, "mean": [1, 2, 3], "scale": [0.5, 1, 2], "resize": "letterbox",
      "anchor": "center", "pad_value": 7}],
    "outputs": ["heat", "paf"],
    "decoder": {"kind": "paf", "heatmaps": {"output": "heat", "first": 0}, "pafs": {"output": "paf", "first": 19},
      "stride": 4, "threshold": 0.25, "paf_threshold": 0.125, "taps": 13, "max_people": 9},
    "skeleton": "body-25"
  })");
}

inline nlohmann::json detection_document() {
  auto document = pose_document();
  document["task"] = "detection";
  document.erase("skeleton");
  document["labels"] = {"person", "dog"};
  document["decoder"] = {{"kind", "yolox"}, {"output", "heat"}, {"strides", {8, 16}}};
  return document;
}

inline nlohmann::json classification_document() {
  auto document = detection_document();
  document["task"] = "classification";
  document["decoder"] = {{"kind", "classes"},
                         {"scores", {{"output", "heat"}, {"first", 1}}},
                         {"values", "logits"},
                         {"scale", 0.5},
                         {"top", 3}};
  return document;
}

inline nlohmann::json document_of(std::string_view task);

/// A descriptor with that decoder.
inline nlohmann::json document_with(const DecoderSection& section) {
  auto document = document_of(section.task);
  document["decoder"] = nlohmann::json::parse(section.json);
  return document;
}

/// A descriptor of that task, or with the first section of that kind of decoder.
inline nlohmann::json document_of(std::string_view task) {
  for (const DecoderSection& section : kDecoderSections) {
    if (section.kind == task) return document_with(section);
  }
  return task == "pose" ? pose_document() : task == "detection" ? detection_document() : classification_document();
}

/// The document with the value at a JSON pointer ("/inputs/0/size") replaced by a JSON text; "-" removes it.
inline nlohmann::json bent(nlohmann::json document, std::string_view pointer, std::string_view value) {
  const nlohmann::json::json_pointer where{std::string(pointer)};
  if (value == "-") {
    document.at(where.parent_pointer()).erase(where.back());
  } else {
    document[where] = nlohmann::json::parse(value);
  }
  return document;
}

}  // namespace posecam::test
