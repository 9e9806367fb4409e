// Takes the cores that its argument names (as in cores=LIST) and holds them until its standard input ends.

#include <cstdio>
#include <iostream>
#include <string>

#include "pipeline/backend/core_list.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "pipeline/neuron/runtime/neuron_runtime.h"

int main(int argc, char** argv) {
  using namespace posecam;  // NOLINT(google-build-using-namespace)
  RuntimeOptions options;
  options.device = kNeuronSim;
  options.patience = std::chrono::milliseconds(0);
  if (argc > 1) {
    const auto cores = parse_core_list(argv[1], 1024);
    if (!cores) return 2;
    options.cores = *cores;
  }
  auto library = load_neuron_library(kNeuronSim);
  if (!library) return 3;
  const auto runtime = NeuronRuntime::open(*library, options);
  std::puts(runtime ? "ready" : runtime.error().message.c_str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
  }
  return 0;
}
