#pragma once
// Annotated pictures through the engine.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/core/result.h"
#include "pipeline/engine/engine.h"

namespace posecam {

/// A picture that is analysed.
struct EvalPicture {
  std::string file;  ///< relative to the folder of pictures
  Size annotated;    ///< pixels; 0 x 0 where nobody says
};

/// What analyse_pictures() comes to; an element for each picture, in their order.
struct Analysis {
  std::vector<std::shared_ptr<const FrameResult>> results;  ///< analysed, each
  std::vector<Size> sizes;                                  ///< pixels
  double seconds = 0;  ///< from the first picture's reading to the last one's result; loading the model is not in it
};

/// Blocks until every picture has its result; they do not depend on how many cores or rows there are. kMedia for a
/// picture that is missing, unreadable or not of the annotated size; kDevice if one could not be analysed. `progress`
/// is called from this thread before each picture with the number of those that went before it.
Result<Analysis> analyse_pictures(std::span<const EvalPicture> pictures, const std::filesystem::path& folder,
                                  Engine& engine, const std::function<void(std::size_t done)>& progress);

/// The same with a detector before it: `engine` looks at everybody whom `detector` finds in a picture, `max_people`
/// (-1: all) of them at most. `progress` counts each picture twice.
Result<Analysis> analyse_people(std::span<const EvalPicture> pictures, const std::filesystem::path& folder,
                                Engine& detector, Engine& engine, std::int32_t max_people,
                                const std::function<void(std::size_t done)>& progress);

/// The bytes of a picture or of a document about pictures; kMedia.
Result<std::string> read_media(const std::filesystem::path& path);

}  // namespace posecam
