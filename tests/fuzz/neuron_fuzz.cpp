// What is read of a compiled network and of the simulator's settings: NEFF files, their archive and sim.json, and
// NEURON_SIM_CONFIG with the variables of the runtime.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/neuron/machine/config.h"
#include "pipeline/neuron/neff/neff.h"
#include "pipeline/neuron/neff/sim_program.h"
#include "tests/fuzz/fuzz_input.h"

namespace posecam::fuzz {
namespace {

void check_message(const Error& error) {
  expect(!error.message.empty() && error.message.find('\n') == std::string::npos,
         "a message of one line:", error.message);
}

void read_file(std::span<const std::byte> file) {
  const auto program = read_sim_neff(file);
  if (!program) check_message(program.error());
  auto neff = read_neff(file);
  if (!neff) return check_message(neff.error());
  expect(std::ranges::all_of(neff->header.name, [](char c) { return c >= ' ' && c <= '~'; }), "a name for logs");
  neff->header.pkg_version = 1;
  const auto written = write_neff(neff->header, neff->members);
  expect(static_cast<bool>(written), "what was read is refused:", written ? "" : written.error().message);
  const auto again = read_neff(*written);
  expect(again && again->members.size() == neff->members.size(), "what was read, written and read again");
  for (const NeffMember& member : neff->members) {
    const NeffMember* same = again->find(member.name);
    expect(same && same->data == member.data, "a member changed:", member.name);
  }
}

void neff(Input& input) {
  const auto file = input.rest();
  read_file(std::as_bytes(std::span(file)));
}

/// A good header before any payload: MD5 sums are not checked.
void archive(Input& input) {
  const auto payload = input.rest();
  std::vector<std::byte> file(kNeffHeaderBytes + payload.size());
  const std::array<std::uint64_t, 3> fields{2, kNeffHeaderBytes, payload.size()};
  std::memcpy(file.data(), fields.data(), sizeof fields);
  if (!payload.empty()) std::memcpy(file.data() + kNeffHeaderBytes, payload.data(), payload.size());
  read_file(file);
}

void check_time(const std::optional<DeviceTime>& time) {
  if (!time) return;
  for (const std::uint32_t batch : {1U, 7U, 1024U}) {
    expect(std::isfinite(time->ms(batch)) && time->ms(batch) >= 0, "a time that is none");
  }
}

void program(Input& input) {
  const auto program = read_sim_program(input.rest());
  if (!program) return check_message(program.error());
  check_time(program->time);
  const auto text = write_sim_program(*program);
  expect(static_cast<bool>(text), "what was read is refused:", text ? "" : text.error().message);
  const auto again = read_sim_program(*text);
  expect(again && *again == *program, "what was read, written and read again:", *text);
}

/// The variables of one input, by name.
std::vector<std::pair<std::string, std::string>>& variables() {
  static std::vector<std::pair<std::string, std::string>> all;
  return all;
}

const char* variable(const char* name) {
  const auto found = std::ranges::find(variables(), name, &std::pair<std::string, std::string>::first);
  return found == variables().end() ? nullptr : found->second.c_str();
}

void config(Input& input) {
  variables().clear();
  for (const char* name :
       {"NEURON_SIM_CORES", "NEURON_RT_VISIBLE_CORES", "NEURON_RT_NUM_CORES", "NEURON_RT_EXEC_TIMEOUT"}) {
    variables().emplace_back(name, input.text(40));
  }
  std::string document = "{";  // never the name of a file
  document += input.rest();
  variables().emplace_back("NEURON_SIM_CONFIG", std::move(document));
  const auto config = sim::read_config(variable);
  if (!config) check_message(config.error());
  if (config) {
    expect(config->instance.cores >= 1 && config->instance.cores <= 512, "a number of cores");
    expect(!config->visible || config->visible->count > 0, "visible cores that are none");
    expect(config->transfer_gb_s > 0 && config->distinct > 0, "settings to divide by");
    check_time(config->time);
  }
  const auto timeout = sim::read_exec_timeout(variable);
  if (!timeout) return check_message(timeout.error());
  expect(*timeout > 0 && *timeout <= 1e6, "a timeout that never ends");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  constexpr void (*kReaders[])(Input&) = {neff, archive, program, config};
  kReaders[static_cast<std::size_t>(input.below(0, std::size(kReaders) - 1))](input);
  return 0;
}

}  // namespace posecam::fuzz
