#pragma once
// Classification: a value for each class of the whole image -> the most probable classes.

#include <memory>

#include "postprocess/decode/postprocessor.h"

namespace posecam {

/// kModel when the decoder and the model do not fit together; kUsage for options out of range.
Result<std::unique_ptr<Postprocessor>> make_class_postprocessor(const ModelSpec& spec, const ClassDecoder& decoder,
                                                                const DecodeOptions& options);

}  // namespace posecam
