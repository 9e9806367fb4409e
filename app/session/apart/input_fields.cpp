#include "app/session/apart/input_fields.h"

#include <array>

namespace posecam {
namespace {

constexpr std::array kKinds{InputKind::kVideoFile, InputKind::kCamera, InputKind::kAddress, InputKind::kPipe};

Error foreign() { return {Errc::kUsage, "this command is posecam's own: it decodes for another posecam"}; }

}  // namespace

std::string to_fields(const Input& input) {
  std::string fields;
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == input.kind) fields += static_cast<char>('0' + i);
  }
  for (const std::string* field : {&input.given, &input.name, &input.uri}) {
    fields += '\0';
    fields += *field;
  }
  return fields + '\0';
}

Result<Input> from_fields(std::string_view fields) {
  std::array<std::string, 4> all;
  for (std::string& field : all) {
    const std::size_t end = fields.find('\0');
    if (end == fields.npos) return foreign();
    field = fields.substr(0, end);
    fields.remove_prefix(end + 1);
  }
  const std::size_t kind = all[0].size() == 1 ? static_cast<std::size_t>(all[0][0] - '0') : kKinds.size();
  if (kind >= kKinds.size() || !fields.empty()) return foreign();
  return Input{.kind = kKinds[kind], .given = all[1], .name = all[2], .uri = all[3]};
}

}  // namespace posecam
