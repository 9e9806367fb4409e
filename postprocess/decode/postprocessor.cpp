#include "postprocess/decode/postprocessor.h"

#include "postprocess/decode/boxes/ssd.h"
#include "postprocess/decode/boxes/yolox.h"
#include "postprocess/decode/classes.h"
#include "postprocess/decode/paf/paf_postprocessor.h"

namespace posecam {
namespace {

struct Maker {
  const ModelSpec& spec;
  const DecodeOptions& options;

  auto operator()(const PafDecoder& decoder) const { return make_paf_postprocessor(spec, decoder, options); }
  auto operator()(const YoloxDecoder& decoder) const { return make_yolox_postprocessor(spec, decoder, options); }
  auto operator()(const SsdDecoder& decoder) const { return make_ssd_postprocessor(spec, decoder, options); }
  auto operator()(const ClassDecoder& decoder) const { return make_class_postprocessor(spec, decoder, options); }
};

}  // namespace

Result<std::unique_ptr<Postprocessor>> Postprocessor::create(const ModelSpec& spec, const DecodeOptions& options) {
  return std::visit(Maker{spec, options}, spec.decoder);
}

}  // namespace posecam
