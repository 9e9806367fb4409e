#pragma once
// The models that come with the program: one descriptor each in share/posecam/models.

#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "models/spec/model_spec.h"

namespace posecam {

/// Names of the zoo, sorted.
Result<std::vector<std::string>> zoo_names();

/// A zoo name, or the path of a descriptor (contains '/' or ends in ".json"). kModel; for an unknown name the message
/// lists the names and the nearest one.
Result<ModelSpec> find_model(std::string_view name_or_path);

}  // namespace posecam
