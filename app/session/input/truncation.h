#pragma once
// Whether a clip is all there, by what its container says of its own size. Players play what is left without a word.

#include <filesystem>
#include <string>

namespace posecam {

/// What is wrong with a file that ends before its container does: "the file is cut off: ...". Empty for whole files,
/// for containers whose size was never written (a recording that went to a pipe) and for other files. Knows MP4, MOV
/// and 3GP, AVI, Matroska and WebM, FLV, ASF (WMV), Ogg, IVF, MPEG transport streams and RealMedia. Reads a few bytes
/// of the file, of IVF some of each frame.
std::string find_truncation(const std::filesystem::path& path);

}  // namespace posecam
