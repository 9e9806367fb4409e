#pragma once
// Names of classes in a text file, for networks that share a list or have many.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"

namespace posecam {

inline constexpr std::size_t kMaxLabels = 10'000;  ///< of a model
inline constexpr std::size_t kLongestLabel = 128;  ///< characters
inline constexpr std::string_view kNoLabel = "-";  ///< of a class number that names nothing: such are never told

/// The lines of a text file, label 0 first: at most kMaxLabels, each of 1 to kLongestLabel characters of
/// UTF-8 without control characters (lines may end as in DOS, a byte order mark may be first, blanks at the ends are
/// left out). kModel, the message starts with the path.
Result<std::vector<std::string>> read_labels(const std::filesystem::path& file);

/// For each label whether it is one of `names`, which are separated by commas, with blanks around them or not. Labels
/// with commas are names as they are: the longest that fits is taken. kUsage for a name that no label has, with the
/// nearest ones, and for an empty name.
Result<std::vector<std::uint8_t>> pick_labels(const std::vector<std::string>& labels, std::string_view names);

/// Where a descriptor's list of that file name lies: beside the descriptor, or else in the zoo. kModel.
Result<std::filesystem::path> find_labels(const std::string& name, const std::filesystem::path& descriptor);

}  // namespace posecam
