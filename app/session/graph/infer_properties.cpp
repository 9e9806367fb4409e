#include "app/session/graph/infer_properties.h"

#include <string>
#include <type_traits>
#include <variant>

#include "app/session/graph/builder.h"
#include "pipeline/settings/engine_options.h"

namespace posecam {
namespace {

template <class Value>
void set_option(GstElement* element, const Option<EngineSettings>& option, const Value& value) {
  if constexpr (std::is_same_v<Value, std::string>) {
    if (option.words.empty()) {
      set(element, option.name, value.c_str());
    } else {
      set_word(element, option.name, value);
    }
  } else if constexpr (std::is_same_v<Value, bool>) {
    set(element, option.name, value ? TRUE : FALSE);
  } else {
    set(element, option.name, value);  // a float travels as double
  }
}

}  // namespace

void set_engine_properties(GstElement* infer, const EngineSettings& settings) {
  for (const auto& option : kEngineOptions) {
    std::visit([&](auto field) { set_option(infer, option, settings.*field); }, option.field);
  }
}

}  // namespace posecam
