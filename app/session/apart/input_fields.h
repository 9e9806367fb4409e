#pragma once
// What a process needs to know of an input that it decodes, as bytes: fields, each ended by a zero byte, since names of
// files may have every other byte.

#include <string>
#include <string_view>

#include "app/session/input/inputs.h"

namespace posecam {

std::string to_fields(const Input& input);
/// kUsage for anything that to_fields() did not write.
Result<Input> from_fields(std::string_view fields);

}  // namespace posecam
