#include "pipeline/neuron/nrt/instance_family.h"

#include <array>
#include <fstream>

namespace posecam {

std::string_view family_name(std::uint32_t family) {
  // nrt_instance_info_t.family of runtime 2.30.
  constexpr std::array<std::string_view, 16> kNames{"unknown", "inf1",    "trn1",  "trn1n",    "inf2",  "trn2",
                                                    "trn2n",   "inf2e",   "trn2p", "trn2u",    "trn2e", "trn2eu",
                                                    "trn2ac",  "trn2uac", "trn3",  "trn3pds98"};
  return family < kNames.size() ? kNames.at(family) : kNames.front();
}

std::string product_name() {
  std::ifstream file("/sys/devices/virtual/dmi/id/product_name");
  std::string name;
  std::getline(file, name);
  return name;
}

std::string_view family_of_product(std::string_view product) {
  for (const std::string_view family : {"inf1", "inf2", "trn1", "trn2"}) {
    if (product.starts_with(family) && product.find('.') != std::string_view::npos) return family;
  }
  return {};
}

}  // namespace posecam
