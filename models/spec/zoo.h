#pragma once
// The models that come with the program: one descriptor each in share/posecam/models.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"

namespace posecam {

/// Where no model is named: the better one runs if it is there, else the one that comes with the program.
inline constexpr std::string_view kBetterModel = "openpose";
inline constexpr std::string_view kBuiltInModel = "openpose-lite";  ///< its weights come with the program
/// Help for a setting that names a model. It stands here so that other rooms need not know the names.
inline constexpr const char* kModelHelp =
    "A model of the zoo (see: posecam models list), or the path of a descriptor (.json); empty: openpose if it was "
    "pulled, else the built-in openpose-lite";

/// For people who named none and get the built-in one: how to get the better one. `command`: what they type.
std::string built_in_model_note(std::string_view command);

/// Names of the zoo, sorted. kModel if its folder cannot be read.
Result<std::vector<std::string>> zoo_names();

/// Where the descriptor of a zoo name lies, or the path itself if it is one (contains '/' or ends in ".json"). kModel;
/// for an unknown name the message lists the names and the nearest one, for a NEFF it is what to do with it.
Result<std::filesystem::path> find_descriptor(std::string_view name_or_path);

}  // namespace posecam
