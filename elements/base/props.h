#pragma once
// GObject properties from one table of options over a plain settings struct; the defaults are those of the struct.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <gst/gst.h>

#include "pipeline/settings/option.h"

namespace posecam::gst {

/// Up to which state a property may change; GStreamer's flags of the same names.
enum class Mutable : std::uint8_t { kReady, kPlaying };
/// A line of a table of properties.

template <class Settings>
struct Property {
  Option<Settings> option;            ///< name, field, range or words, help
  Mutable changes = Mutable::kReady;  ///< up to which state
};

/// Registers an enumeration NAME of the words; the nicks are the words, the values their places. Once for each name.
GType register_words(const std::string& name, std::span<const OptionWord> words);
/// Where the word stands.
gint place_of(std::span<const OptionWord> words, const std::string& word);
/// "batch-size" -> "BatchSize".
std::string camel_case(std::string_view name);

/// Readable and writable, texts of static storage, and GStreamer's flag for the state.
GParamFlags flags_of(Mutable changes);

/// A specification of the field's type, with range, words, default and help of the option. The caller's, floating.
template <class Settings, class Value>
GParamSpec* make_param(const Property<Settings>& p, const std::string& enum_prefix, Value Settings::*field) {
  static const Settings defaults;
  const Value& value = defaults.*field;
  const Option<Settings>& o = p.option;
  const GParamFlags flags = flags_of(p.changes);
  if constexpr (std::is_same_v<Value, std::string>) {
    if (!o.words.empty()) {
      const GType type = register_words(enum_prefix + camel_case(o.name), o.words);
      return g_param_spec_enum(o.name, o.name, o.help, type, place_of(o.words, value), flags);
    }
    const char* text = value.empty() ? nullptr : g_intern_string(value.c_str());
    return g_param_spec_string(o.name, o.name, o.help, text, flags);
  } else if constexpr (std::is_same_v<Value, bool>) {
    return g_param_spec_boolean(o.name, o.name, o.help, value, flags);
  } else if constexpr (std::is_same_v<Value, float>) {
    return g_param_spec_float(o.name, o.name, o.help, static_cast<float>(o.range.least),
                              static_cast<float>(o.range.most), value, flags);
  } else if constexpr (std::is_signed_v<Value>) {
    return g_param_spec_int(o.name, o.name, o.help, static_cast<gint>(o.range.least), static_cast<gint>(o.range.most),
                            value, flags);
  } else {
    return g_param_spec_uint(o.name, o.name, o.help, static_cast<guint>(o.range.least),
                             static_cast<guint>(o.range.most), value, flags);
  }
}

/// Property ids are 1 + the index in the table. Texts with words become enumerations ENUM_PREFIXName.
template <class Settings>
void install_properties(GObjectClass* object_class, std::span<const Property<Settings>> table,
                        const std::string& enum_prefix) {
  guint id = 0;
  for (const auto& p : table) {
    GParamSpec* spec = std::visit([&](auto field) { return make_param(p, enum_prefix, field); }, p.option.field);
    g_object_class_install_property(object_class, ++id, spec);
  }
}

/// `value`, as GObject hands it over, into the field.
template <class Settings, class Value>
void read_value(const GValue* value, Settings& settings, const Option<Settings>& option, Value Settings::*field) {
  if constexpr (std::is_same_v<Value, std::string>) {
    if (option.words.empty()) {
      const char* text = g_value_get_string(value);
      settings.*field = text ? text : "";
    } else {
      settings.*field = option.words[static_cast<std::size_t>(g_value_get_enum(value))].word;
    }
  } else if constexpr (std::is_same_v<Value, bool>) {
    settings.*field = g_value_get_boolean(value) != 0;
  } else if constexpr (std::is_same_v<Value, float>) {
    settings.*field = g_value_get_float(value);
  } else if constexpr (std::is_signed_v<Value>) {
    settings.*field = g_value_get_int(value);
  } else {
    settings.*field = g_value_get_uint(value);
  }
}

/// The field into `value`, which has its type.
template <class Settings, class Value>
void write_value(GValue* value, const Settings& settings, const Option<Settings>& option, Value Settings::*field) {
  if constexpr (std::is_same_v<Value, std::string>) {
    if (option.words.empty()) {
      g_value_set_string(value, (settings.*field).c_str());
    } else {
      g_value_set_enum(value, place_of(option.words, settings.*field));
    }
  } else if constexpr (std::is_same_v<Value, bool>) {
    g_value_set_boolean(value, settings.*field);
  } else if constexpr (std::is_same_v<Value, float>) {
    g_value_set_float(value, settings.*field);
  } else if constexpr (std::is_signed_v<Value>) {
    g_value_set_int(value, settings.*field);
  } else {
    g_value_set_uint(value, settings.*field);
  }
}
/// As GObjectClass::set_property; `id` is one of the table's. Not locked: that is the caller's affair.

template <class Settings>
void set_property(std::span<const Property<Settings>> table, Settings& settings, guint id, const GValue* value) {
  const Option<Settings>& option = table[id - 1].option;
  std::visit([&](auto field) { read_value(value, settings, option, field); }, option.field);
}
/// As GObjectClass::get_property, likewise.

template <class Settings>
void get_property(std::span<const Property<Settings>> table, const Settings& settings, guint id, GValue* value) {
  const Option<Settings>& option = table[id - 1].option;
  std::visit([&](auto field) { write_value(value, settings, option, field); }, option.field);
}

/// Whether a property may change in the element's present state. If not, says so on the bus, and nothing changes.
template <class Settings>
bool may_change(GstElement* self, std::span<const Property<Settings>> table, guint id) {
  GST_OBJECT_LOCK(self);
  const bool fixed = table[id - 1].changes == Mutable::kReady && GST_STATE(self) > GST_STATE_READY;
  GST_OBJECT_UNLOCK(self);
  if (fixed) {
    GST_ELEMENT_WARNING(self, LIBRARY, SETTINGS,
                        ("%s cannot change while the pipeline is paused or playing: set it in NULL or READY",
                         table[id - 1].option.name),
                        (nullptr));
  }
  return !fixed;
}

}  // namespace posecam::gst
