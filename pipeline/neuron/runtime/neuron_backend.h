#pragma once
// Networks compiled for AWS Neuron, through libnrt: data-parallel on every core that the process has.

#include <filesystem>
#include <memory>
#include <string_view>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/backend/backend.h"
#include "pipeline/backend/backend_options.h"

namespace posecam {

/// `folder` holds the NEFFs that the descriptor's weights for neuron list; those of at most spec.input.batch rows are
/// used, and one of exactly that many must be there. Initialises the runtime if this process has not done that yet;
/// networks are loaded by make_slot(), once a core. cores() are the first cores of the copies: all that
/// `options.cores` allows (empty: the process's share), a copy on each, or on as many neighbours as it needs. kUsage,
/// kModel, kDevice.
Result<std::unique_ptr<InferenceBackend>> make_neuron_backend(std::string_view device, const ModelSpec& spec,
                                                              const std::filesystem::path& folder,
                                                              const BackendOptions& options);

}  // namespace posecam
