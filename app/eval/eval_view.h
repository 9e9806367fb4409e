#pragma once
// What `posecam eval` prints.

#include <cstddef>
#include <optional>
#include <string>

#include "app/eval/class_truth.h"
#include "models/core/geometry.h"
#include "postprocess/eval/coco_eval.h"

namespace posecam {

/// The run that gave the results.
struct EvalRun {
  std::string detector;  ///< the model that looked for people first; empty: none
  std::string model;
  std::string device;
  Size size;           ///< of the network's input
  double seconds = 0;  ///< for all images
};

/// What was compared.
struct EvalCounts {
  std::size_t images = 0;
  std::size_t found = 0;  ///< people or objects; of classes nothing
};

/// The figures as one JSON object or as a table; `run` is absent where results were read from a file.
void print_coco(CocoKind kind, const CocoStats& stats, const EvalCounts& counts, const std::optional<EvalRun>& run,
                bool as_json);
void print_classes(const ClassStats& stats, const EvalCounts& counts, const EvalRun& run, bool as_json);

}  // namespace posecam
