#include "app/session/graph/infer_properties.h"

#include <string>
#include <type_traits>
#include <variant>

#include "pipeline/settings/engine_options.h"

namespace posecam {
namespace {

template <class Value>
void set(GstElement* element, const Option<EngineSettings>& option, const Value& value) {
  if constexpr (std::is_same_v<Value, std::string>) {
    if (option.words.empty()) {
      g_object_set(element, option.name, value.c_str(), nullptr);
    } else {
      gst_util_set_object_arg(G_OBJECT(element), option.name, value.c_str());
    }
  } else if constexpr (std::is_same_v<Value, bool>) {
    g_object_set(element, option.name, value ? TRUE : FALSE, nullptr);
  } else {
    g_object_set(element, option.name, value, nullptr);  // a float travels as double
  }
}

}  // namespace

void set_engine_properties(GstElement* infer, const EngineSettings& settings) {
  for (const auto& option : kEngineOptions) {
    std::visit([&](auto field) { set(infer, option, settings.*field); }, option.field);
  }
}

}  // namespace posecam
