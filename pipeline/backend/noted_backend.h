#pragma once
// A backend about which there is more to say than it knows.

#include <memory>
#include <string>

#include "pipeline/backend/backend.h"

namespace posecam {

/// The same backend; its note() is this one, before what it has to say itself. Without a note the backend itself.
std::unique_ptr<InferenceBackend> with_note(std::unique_ptr<InferenceBackend> backend, std::string note);

}  // namespace posecam
