#pragma once
// GObject properties from one table over a plain settings struct: name, text, range and field stand in one line, the
// defaults are those of the struct.

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <type_traits>
#include <variant>

#include <gst/gst.h>

namespace posecam::gst {

/// A text of the settings that is one of a few words: an enumeration for GObject.
template <class Settings>
struct Choice {
  std::string Settings::*field;
  GType (*type)();
};

/// Up to which state a property may change; GStreamer's flags of the same names.
enum class Mutable : std::uint8_t { kReady, kPlaying };

template <class Settings>
struct Property {
  using Field = std::variant<std::string Settings::*, std::uint32_t Settings::*, std::int32_t Settings::*,
                             float Settings::*, bool Settings::*, Choice<Settings>>;
  const char* name = nullptr;
  Field field;
  double min = 0;  ///< of numbers
  double max = 0;
  const char* blurb = nullptr;
  Mutable changes = Mutable::kReady;
};

/// Registers the words of a Choice; call it once for each type. The nicks are the words.
inline GType register_choices(const char* type_name, std::initializer_list<GEnumValue> values) {
  auto* terminated = g_new0(GEnumValue, values.size() + 1);  // GObject keeps it
  std::copy(values.begin(), values.end(), terminated);
  const GType type = g_enum_register_static(type_name, terminated);
  gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
  return type;
}

/// A class that lives as long as the process, as that of a static type does.
inline GEnumClass* choices_of(GType type) { return static_cast<GEnumClass*>(g_type_class_ref(type)); }

constexpr GParamFlags flags_of(Mutable changes) {
  return static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                  (changes == Mutable::kPlaying ? GST_PARAM_MUTABLE_PLAYING : GST_PARAM_MUTABLE_READY));
}

template <class Settings, class Value>
GParamSpec* make_param(const Property<Settings>& p, const Settings& defaults, Value Settings::*field) {
  const Value& value = defaults.*field;
  const GParamFlags flags = flags_of(p.changes);
  if constexpr (std::is_same_v<Value, std::string>) {
    const char* text = value.empty() ? nullptr : g_intern_string(value.c_str());
    return g_param_spec_string(p.name, p.name, p.blurb, text, flags);
  } else if constexpr (std::is_same_v<Value, bool>) {
    return g_param_spec_boolean(p.name, p.name, p.blurb, value, flags);
  } else if constexpr (std::is_same_v<Value, float>) {
    return g_param_spec_float(p.name, p.name, p.blurb, static_cast<float>(p.min), static_cast<float>(p.max), value,
                              flags);
  } else if constexpr (std::is_signed_v<Value>) {
    return g_param_spec_int(p.name, p.name, p.blurb, static_cast<gint>(p.min), static_cast<gint>(p.max), value, flags);
  } else {
    return g_param_spec_uint(p.name, p.name, p.blurb, static_cast<guint>(p.min), static_cast<guint>(p.max), value,
                             flags);
  }
}

template <class Settings>
GParamSpec* make_param(const Property<Settings>& p, const Settings& defaults, Choice<Settings> choice) {
  const GType type = choice.type();
  const GEnumValue* standard = g_enum_get_value_by_nick(choices_of(type), (defaults.*choice.field).c_str());
  return g_param_spec_enum(p.name, p.name, p.blurb, type, standard->value, flags_of(p.changes));
}

/// Property ids are 1 + the index in the table.
template <class Settings>
void install_properties(GObjectClass* object_class, std::span<const Property<Settings>> table) {
  static const Settings defaults;
  guint id = 0;
  for (const auto& p : table) {
    GParamSpec* spec = std::visit([&](auto field) { return make_param(p, defaults, field); }, p.field);
    g_object_class_install_property(object_class, ++id, spec);
  }
}

template <class Settings, class Value>
void read_value(const GValue* value, Settings& settings, Value Settings::*field) {
  if constexpr (std::is_same_v<Value, std::string>) {
    const char* text = g_value_get_string(value);
    settings.*field = text ? text : "";
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

template <class Settings>
void read_value(const GValue* value, Settings& settings, Choice<Settings> choice) {
  settings.*choice.field = g_enum_get_value(choices_of(choice.type()), g_value_get_enum(value))->value_nick;
}

template <class Settings, class Value>
void write_value(GValue* value, const Settings& settings, Value Settings::*field) {
  if constexpr (std::is_same_v<Value, std::string>) {
    g_value_set_string(value, (settings.*field).c_str());
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

template <class Settings>
void write_value(GValue* value, const Settings& settings, Choice<Settings> choice) {
  g_value_set_enum(value, g_enum_get_value_by_nick(choices_of(choice.type()), (settings.*choice.field).c_str())->value);
}

template <class Settings>
void set_property(std::span<const Property<Settings>> table, Settings& settings, guint id, const GValue* value) {
  std::visit([&](auto field) { read_value(value, settings, field); }, table[id - 1].field);
}

template <class Settings>
void get_property(std::span<const Property<Settings>> table, const Settings& settings, guint id, GValue* value) {
  std::visit([&](auto field) { write_value(value, settings, field); }, table[id - 1].field);
}

/// Whether a property may change in the element's present state. If not, says so on the bus, and nothing changes.
template <class Settings>
bool may_change(GstElement* self, std::span<const Property<Settings>> table, guint id) {
  GST_OBJECT_LOCK(self);
  const bool fixed = table[id - 1].changes == Mutable::kReady && GST_STATE(self) > GST_STATE_READY;
  GST_OBJECT_UNLOCK(self);
  if (fixed) {
    GST_ELEMENT_WARNING(
        self, LIBRARY, SETTINGS,
        ("%s cannot change while the pipeline is paused or playing: set it in NULL or READY", table[id - 1].name),
        (nullptr));
  }
  return !fixed;
}

}  // namespace posecam::gst
