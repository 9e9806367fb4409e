#pragma once
// Where the results of each input go, checked before anything runs.

#include <string>
#include <vector>

#include "app/commands/run_options.h"
#include "app/session/inputs.h"
#include "models/core/result.h"

namespace posecam {

/// Outputs of one input; empty: not asked for.
struct Outputs {
  std::string video;
  std::string json_lines;  ///< "-" is stdout
  std::string json_folder;
  std::string coco;
  std::string motion;
};

/// "out.mp4" for input "clip" of several: "out-clip.mp4".
std::string with_stem(const std::string& file, const std::string& name);

/// One per input. kUsage if two outputs are the same file, an output is an input, or the video has a container that is
/// not known.
Result<std::vector<Outputs>> plan_outputs(const RunOptions& options, const std::vector<Input>& inputs);

/// Makes the folder of --write-json and sees that every file can be made where it is to be. Changes nothing that is
/// there. kMedia with the remedy.
Result<void> check_writable(const Outputs& outputs);

/// Removes the unfinished files of a stream that never had a frame.
void discard_parts(const Outputs& outputs);

}  // namespace posecam
