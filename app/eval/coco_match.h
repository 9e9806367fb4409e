#pragma once
// A model's people and objects in the words of an annotation file: names are compared, numbers follow from them.

#include <string>
#include <vector>

#include "app/eval/evaluation.h"
#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "postprocess/documents/coco_numbers.h"
#include "postprocess/eval/coco_data.h"

namespace posecam {

/// How results are written, and what people must know of it: a line each, without a full stop.
struct CocoMatch {
  CocoNumbers numbers;
  std::vector<std::string> notes;
};

/// Labels and categories match by their names, whatever their case, with spaces, hyphens and underscores alike;
/// keypoints as keypoint_key() has it. Notes name the labels and the keypoints that have no match on the other side.
/// kUsage where nothing matches. `where` is the annotation file.
Result<CocoMatch> match_coco(const CocoAnnotations& annotations, const std::string& where, const ModelSpec& model);

/// The pictures of an annotation file.
std::vector<EvalPicture> pictures_of(const CocoAnnotations& annotations);

/// What was found on them, as the text of a COCO results file.
std::string coco_results(const CocoAnnotations& annotations, const Analysis& analysis, const CocoNumbers& numbers);

/// The note on keypoints whose sigma nobody published (keypoint_sigma()); empty if there are none.
std::string note_on_sigmas(const CocoAnnotations& annotations, const std::string& where);

/// The note on results of categories that the annotations lack; empty if there are none.
std::string note_on_categories(const CocoAnnotations& annotations, const std::vector<CocoResult>& results);

}  // namespace posecam
