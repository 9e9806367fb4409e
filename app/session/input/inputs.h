#pragma once
// What the user means by an INPUT: a clip, a picture, a folder of pictures, a camera, an address, or the test source.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/core/result.h"

namespace posecam {

/// A moving test picture of 640x480 that does not end, also by the name of GStreamer's element.
inline constexpr const char* kSynthetic = "synthetic";
inline constexpr const char* kTestsrc = "testsrc";

/// Standard input.
inline constexpr const char* kStdin = "-";

/// A clip; a picture or a folder of pictures; a picture that moves, which is a clip as well; a device; a stream from
/// elsewhere; what comes out of a pipe; kSynthetic.
enum class InputKind : std::uint8_t { kVideoFile, kImages, kMovingPicture, kCamera, kAddress, kPipe, kTestSource };

/// GStreamer opens and decodes it.
constexpr bool is_decoded(InputKind kind) {
  return kind != InputKind::kImages && kind != InputKind::kMovingPicture && kind != InputKind::kTestSource;
}

/// One input, identified and not opened.
struct Input {
  InputKind kind = InputKind::kVideoFile;     ///< decides which of the others are set
  std::string given;                          ///< as the user wrote it, without credentials; names it in messages
  std::string name;                           ///< file stem or the like: stream id, and part of output names
  std::string uri;                            ///< what GStreamer opens; empty for pipes, pictures and the test source
  std::vector<std::filesystem::path> images;  ///< of kImages, in natural order ("2.jpg", "10.jpg"); the moving one
  std::vector<std::string> image_names;       ///< of kImages: each one's stem, made unique; names files of results
  std::string left_out;                       ///< a line about pictures of a folder that are not decoded here
  std::string damage;                         ///< what is wrong with a clip that can still be read in part

  bool repeats = false;  ///< starts again at its end, for ever; for measurements
};

/// Looks at the text and at the first bytes of the file it names; an extension counts only in a folder, where a picture
/// that is none is to be reported and other files are not. Hidden files are none of a folder's. kMedia for what is not
/// there, empty, unreadable, a picture that is not decoded here, or a folder without images; kUsage for an address of
/// an unknown kind.
Result<Input> identify_input(const std::string& text);

/// The same for all of them, with names made unique over all ("clip", "clip-2").
Result<std::vector<Input>> identify_inputs(const std::vector<std::string>& texts);

/// The names of an input's pictures without folder and extension, each one line of text.
std::vector<std::string> image_stems(const Input& input);

/// True if `a` comes before `b` when runs of digits count as numbers.
bool natural_less(const std::string& a, const std::string& b);

}  // namespace posecam
