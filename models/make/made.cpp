#include "models/make/made.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "models/core/paths.h"
#include "models/make/resnet50.h"

namespace posecam {

Maker find_maker(const ModelSpec& spec) {
  static constexpr std::pair<std::string_view, Maker> kMakers[] = {{"resnet50", make_resnet50},
                                                                   {"fitness-coords", make_fitness_coords}};
  const auto found = std::ranges::find(kMakers, spec.name, [](const auto& maker) { return maker.first; });
  if (found == std::end(kMakers) || !in_zoo(spec.path)) return nullptr;
  return found->second;
}

}  // namespace posecam
