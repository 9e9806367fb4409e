#pragma once
// The pictures of a COCO annotation file through the engine, as the text of a COCO results file.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include "models/core/result.h"
#include "pipeline/engine/engine.h"
#include "postprocess/eval/coco_data.h"

namespace posecam {

/// What analyse_images() comes to.
struct Evaluation {
  std::string results;     ///< JSON array, as ResultFormat::kCoco writes it
  std::size_t images = 0;  ///< of the annotation file
  std::size_t people = 0;  ///< found in all of them
  double seconds = 0;  ///< from the first picture's reading to the last one's result; loading the model is not in it
};

/// Blocks until every image has its result; they do not depend on how many cores or rows there are. kMedia for a
/// picture that is missing, unreadable or not of the annotated size; kDevice if one could not be analysed. `progress`
/// is called from this thread before each image with the number of those that went before it.
Result<Evaluation> analyse_images(const CocoAnnotations& annotations, const std::filesystem::path& folder,
                                  Engine& engine, const std::function<void(std::size_t done)>& progress);

/// The bytes of a picture or of a document about pictures; kMedia.
Result<std::string> read_media(const std::filesystem::path& path);

}  // namespace posecam
