#include "elements/base/props.h"

#include <algorithm>
#include <iterator>

namespace posecam::gst {

GType register_words(const std::string& name, std::span<const OptionWord> words) {
  auto* values = g_new0(GEnumValue, words.size() + 1);  // GObject keeps it
  for (std::size_t i = 0; i < words.size(); ++i) values[i] = {static_cast<gint>(i), words[i].meaning, words[i].word};
  const GType type = g_enum_register_static(name.c_str(), values);
  gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
  return type;
}

gint place_of(std::span<const OptionWord> words, const std::string& word) {
  return static_cast<gint>(std::distance(words.begin(), std::ranges::find(words, word, &OptionWord::word)));
}

std::string camel_case(std::string_view name) {
  std::string camel;
  bool start = true;
  for (const char c : name) {
    if (c != '-') camel += start ? g_ascii_toupper(c) : c;
    start = c == '-';
  }
  return camel;
}

GParamFlags flags_of(Mutable changes) {
  return static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                  (changes == Mutable::kPlaying ? GST_PARAM_MUTABLE_PLAYING : GST_PARAM_MUTABLE_READY));
}

}  // namespace posecam::gst
