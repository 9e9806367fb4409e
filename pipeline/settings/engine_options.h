#pragma once
// Every option of an engine, once. From this table come the properties of neuroninfer, the options of `posecam run`,
// `bench`, `eval` and `profile`, the keys of configuration files, what a session sets on its elements, and the
// comparison of two elements that want to share an engine. A new option is a field of EngineSettings, a line here, and
// its use.

#include <array>

#include "models/spec/zoo.h"
#include "pipeline/settings/engine_settings.h"
#include "pipeline/settings/engine_words.h"
#include "pipeline/settings/option.h"

namespace posecam {

/// A line of the table.
using EngineOption = Option<EngineSettings>;

/// All of them, in the order of help.
inline constexpr std::array kEngineOptions{
    EngineOption{
        .name = "model", .field = &EngineSettings::model, .value = "NAME|FILE", .group = "Model", .help = kModelHelp},
    EngineOption{.name = "net-resolution",
                 .field = &EngineSettings::net_resolution,
                 .check = check_net_resolution,
                 .value = "WxH",
                 .also = "net_resolution",
                 .group = "Model",
                 .help = "Size of the network's input in pixels; -1 for one side follows the video's aspect. "
                         "Larger sees smaller people, slower. Empty: the model's own"},
    EngineOption{.name = "threshold",
                 .field = &EngineSettings::threshold,
                 .range = {-1, 1},
                 .value = "0..1",
                 .group = "Model",
                 .help = "Least confidence of a keypoint, object or class; -1: the model's own"},
    EngineOption{.name = "paf-threshold",
                 .field = &EngineSettings::paf_threshold,
                 .range = {-1, 1},
                 .value = "0..1",
                 .group = "Model",
                 .help = "Least agreement of a limb with its part affinity field; -1: the model's own"},
    EngineOption{.name = "nms-threshold",
                 .field = &EngineSettings::nms_threshold,
                 .range = {-1, 1},
                 .value = "0..1",
                 .group = "Model",
                 .help = "Overlap above which the weaker of two boxes is dropped; -1: the model's own"},
    EngineOption{.name = "max-people",
                 .field = &EngineSettings::max_people,
                 .range = {-1, 1000},
                 .value = "N",
                 .also = "number_people_max",
                 .group = "Model",
                 .help = "Most people in a frame; -1: the model's own"},
    EngineOption{.name = "decode",
                 .field = &EngineSettings::decode,
                 .words = kDecodeWords,
                 .group = "Model",
                 .help = "How maps become people; reference: tf-pose's own steps, many times slower"},
    EngineOption{.name = "taps",
                 .field = &EngineSettings::taps,
                 .range = {0, 99},
                 .value = "N",
                 .also = "smoothing-taps",
                 .group = "Model",
                 .help = "Taps of the Gaussian that smooths heatmaps; 0: the model's own (reference: 25)"},
    EngineOption{.name = "labels-file",
                 .field = &EngineSettings::labels_file,
                 .value = "FILE",
                 .group = "Model",
                 .help = "Names of a detector's or classifier's classes in place of the model's own: a text "
                         "file, one a line, in the order of the class numbers"},
    EngineOption{.name = "classes",
                 .field = &EngineSettings::classes,
                 .value = "NAME,...",
                 .group = "Model",
                 .help = "The only objects, or classes of a picture, that are told, by their labels: person,car. "
                         "Empty: all that the model knows"},
    EngineOption{.name = "device",
                 .field = &EngineSettings::device,
                 .value = "auto|neuron|neuron-sim|openvino|opencv",
                 .group = "Device",
                 .help = "Where the network runs (see: posecam devices)"},
    EngineOption{.name = "cores",
                 .field = &EngineSettings::cores,
                 .value = "LIST",
                 .group = "Device",
                 .help = "Cores: all, or a list such as 0-3 or 0,2. On a CPU only their number counts; "
                         "NeuronCores are counted within NEURON_RT_VISIBLE_CORES where that is set"},
    EngineOption{.name = "precision",
                 .field = &EngineSettings::precision,
                 .words = kPrecisionWords,
                 .group = "Device",
                 .help = "Arithmetic of float networks (INT8 networks run as INT8)"},
    EngineOption{.name = "scheduling-policy",
                 .field = &EngineSettings::scheduling_policy,
                 .words = kSchedulingWords,
                 .group = "Device",
                 .help = "Every core on its own frames, or all cores on one batch"},
    EngineOption{.name = "batch-size",
                 .field = &EngineSettings::batch_size,
                 .range = {0, 64},
                 .value = "N",
                 .group = "Device",
                 .help = "Frames in a batch; 0: the model's own"},
    Option<EngineSettings>{
        .name = "max-batch-delay",
        .field = &EngineSettings::max_batch_delay_ms,
        .range = {0, 10000},
        .value = "MS",
        .group = "Device",
        .help = "How long a frame may wait for others to fill its batch while its core is idle, in ms"},
    EngineOption{.name = "max-in-flight",
                 .field = &EngineSettings::max_in_flight,
                 .range = {0, 65536},
                 .value = "N",
                 .group = "Device",
                 .help = "Most frames under way in the engine, as whole batches, at least one a core; 0: two "
                         "batches a core. Up to three times as many, of 256 MB at most, wait for one that a "
                         "slower core has"},
    EngineOption{.name = "dynamic-batch-size",
                 .field = &EngineSettings::dynamic_batch_size,
                 .value = "true|false",
                 .group = "Device",
                 .help = "neuron: run short batches too, padded to a compiled size. Off: the batch size must "
                         "be a compiled one, and frames of a shorter batch come out unanalysed"},
    EngineOption{.name = "core-retry",
                 .field = &EngineSettings::core_retry_s,
                 .range = {0, 86400},
                 .value = "S",
                 .group = "Device",
                 .help = "neuron: after how many seconds a lost core is set up again, for which the runtime is "
                         "initialised anew: all cores of the process pause; 0: never"},
    EngineOption{.name = "core-patience",
                 .field = &EngineSettings::core_patience_s,
                 .range = {0, 3600},
                 .value = "S",
                 .group = "Device",
                 .help = "neuron: how many seconds to wait for cores that a process which ends still holds"},
    EngineOption{.name = "require-all-cores",
                 .field = &EngineSettings::require_all_cores,
                 .value = "true|false",
                 .group = "Device",
                 .help = "Fail unless every core starts. Off: go on with those that do, and warn"},
    EngineOption{.name = "teardown-limit",
                 .field = &EngineSettings::teardown_limit_s,
                 .range = {1, 3600},
                 .value = "S",
                 .group = "Device",
                 .help = "How many seconds a device may take to be closed; then it is left as it is"},
};

}  // namespace posecam
