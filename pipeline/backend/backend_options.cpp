#include "pipeline/backend/backend_options.h"

#include <fmt/format.h>

namespace posecam {

Result<void> check_same_tensors(const ModelSpec& loaded, const ModelSpec& asked) {
  const InputSpec& a = loaded.input;
  const InputSpec& b = asked.input;
  if (a.name == b.name && a.dtype == b.dtype && a.shape() == b.shape() && loaded.outputs == asked.outputs) return {};
  return Error{Errc::kModel, fmt::format("model {}: loaded with input {} {} {}, asked for {} {} {}, or other outputs",
                                         asked.name, a.name, to_string(a.shape()), to_string(a.dtype), b.name,
                                         to_string(b.shape()), to_string(b.dtype))};
}

}  // namespace posecam
