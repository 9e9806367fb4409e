#pragma once
// Which family of instances this is: "inf1", "inf2", "trn1", "trn2".

#include <cstdint>
#include <string>
#include <string_view>

namespace posecam {

/// Of nrt_get_instance_info; "unknown" for numbers that are newer than this program.
std::string_view family_name(std::uint32_t family);

/// EC2's name of the machine, "inf2.xlarge" (firmware tables of Nitro instances); empty elsewhere.
std::string product_name();

/// "inf2" for "inf2.8xlarge", "trn1" for "trn1n.32xlarge"; empty for products without Neuron devices.
std::string_view family_of_product(std::string_view product);

}  // namespace posecam
