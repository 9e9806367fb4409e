#include "pipeline/neuron/machine/instance.h"

namespace posecam::sim {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

// Cores and memory: AWS's instance and architecture pages. The names of architectures are ours.
constexpr Instance kInstances[] = {
    {"inf1.xlarge", NRT_INSTANCE_FAMILY_INF1, NRT_INSTANCE_SIZE_1XL, 4, 4, 8 * kGiB, "inferentia"},
    {"inf1.2xlarge", NRT_INSTANCE_FAMILY_INF1, NRT_INSTANCE_SIZE_2XL, 4, 4, 8 * kGiB, "inferentia"},
    {"inf1.6xlarge", NRT_INSTANCE_FAMILY_INF1, NRT_INSTANCE_SIZE_6XL, 16, 4, 8 * kGiB, "inferentia"},
    {"inf1.24xlarge", NRT_INSTANCE_FAMILY_INF1, NRT_INSTANCE_SIZE_24XL, 64, 4, 8 * kGiB, "inferentia"},
    {"inf2.xlarge", NRT_INSTANCE_FAMILY_INF2, NRT_INSTANCE_SIZE_1XL, 2, 2, 32 * kGiB, "inferentia2"},
    {"inf2.8xlarge", NRT_INSTANCE_FAMILY_INF2, NRT_INSTANCE_SIZE_8XL, 2, 2, 32 * kGiB, "inferentia2"},
    {"inf2.24xlarge", NRT_INSTANCE_FAMILY_INF2, NRT_INSTANCE_SIZE_24XL, 12, 2, 32 * kGiB, "inferentia2"},
    {"inf2.48xlarge", NRT_INSTANCE_FAMILY_INF2, NRT_INSTANCE_SIZE_48XL, 24, 2, 32 * kGiB, "inferentia2"},
    {"trn1.2xlarge", NRT_INSTANCE_FAMILY_TRN1, NRT_INSTANCE_SIZE_2XL, 2, 2, 32 * kGiB, "trainium"},
    {"trn1.32xlarge", NRT_INSTANCE_FAMILY_TRN1, NRT_INSTANCE_SIZE_32XL, 32, 2, 32 * kGiB, "trainium"},
};

constexpr RuntimeVersion kVersions[] = {{"2.22", 22, 14}, {"2.29", 29, 40}, {"2.30", 30, 50}, {"2.34", 34, 10}};

}  // namespace

std::span<const Instance> instances() { return kInstances; }
std::span<const RuntimeVersion> runtime_versions() { return kVersions; }

}  // namespace posecam::sim
