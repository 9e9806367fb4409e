#pragma once
// FrameResult -> text of the formats that programs downstream read. Pure formatting: each function appends to a string
// that the caller reuses and allocates nothing once that is large enough. Output is valid JSON for any input: numbers
// are finite, texts are escaped.
//
// Pixels are continuous source pixels (0 = left edge of the first one), as normalised coordinates times the size, with
// three decimals, square or not as the source has them; scores have six. The COCO format alone counts pixel centres;
// see there.

#include <string>

#include "models/spec/frame_result.h"
#include "postprocess/documents/coco_numbers.h"
#include "postprocess/documents/frame_info.h"

namespace posecam {

/// One line of NDJSON, newline included: a superset of an OpenPose 1.3 document with stream, time, model, latency and
/// objects. Schema: postprocess/schema/ndjson-frame.schema.json. `result.model` must not be null.
void append_ndjson_line(const FrameInfo& info, const FrameResult& result, std::string& out);

/// One document of OpenPose's `--write_json`, version 1.3 (peopleJsonSaver.cpp): body keypoints in the order of the
/// model's skeleton as x, y, confidence, and 0, 0, 0 for those not found.
void append_openpose_document(const FrameInfo& info, const FrameResult& result, std::string& out);

/// The name OpenPose gives that document: "<name>_<12 digits of frame_id>_keypoints.json", "<name>_keypoints.json" for
/// a still, "<12 digits>_keypoints.json" without a name. Characters that cannot be in a file name become '_'.
std::string openpose_file_name(const FrameInfo& info);

/// What was found on one frame as elements of a COCO results array, each preceded by ",\n" unless `first`, which
/// becomes false with the first one. Of a frame on which people's keypoints were looked for, its people (category 1):
/// COCO-17 keypoints as x, y, confidence; 0, 0, 0 for those not found. COCO's own annotations give the index of a
/// pixel, so half a pixel is taken off. Of other frames the objects: box, and category as category_id_of() has it.
/// COCO's boxes are continuous pixels, from which nothing is taken off.
void append_coco_results(const FrameInfo& info, const FrameResult& result, bool& first, std::string& out);
/// The same with the categories and keypoints of an annotation file; the keypoints of `numbers` are parts of the
/// skeleton of `result.model`.
void append_coco_results(const FrameInfo& info, const FrameResult& result, const CocoNumbers& numbers, bool& first,
                         std::string& out);

}  // namespace posecam
