#pragma once
// A spec's decoder as the one that it is.

#include <memory>

#include "models/spec/model_spec.h"
#include "postprocess/decode/decoder.h"

namespace posecam::test {

/// Throws std::bad_cast, which fails the test, if it is another.
template <class Kind>
const Kind& decoder_of(const ModelSpec& spec) {
  return dynamic_cast<const Kind&>(*spec.decoder);
}

template <class Kind>
void set_decoder(ModelSpec& spec, const Kind& decoder) {
  spec.decoder = std::make_shared<const Kind>(decoder);
}

}  // namespace posecam::test
