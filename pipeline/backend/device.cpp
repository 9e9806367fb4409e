#include "pipeline/backend/device.h"

namespace posecam {

Result<ModelSpec> as_wished(const ModelSpec& original, const ModelWishes& wishes) {
  Result<ModelSpec> model = original;
  if (wishes.resolution) {
    model = original.at_resolution(wishes.resolution->resolve(wishes.video, original.input.multiple_of));
  }
  if (model && wishes.batch > 0) model->input.batch = static_cast<int>(wishes.batch);
  return model;
}

}  // namespace posecam
