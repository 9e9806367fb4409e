#pragma once
// GObject properties from one table over a plain settings struct: name, text, range and field stand in one line, the
// defaults are those of the struct.

#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include <gst/gst.h>

namespace posecam::gst {

template <class Settings>
struct Property {
  using Field = std::variant<std::string Settings::*, std::uint32_t Settings::*, std::int32_t Settings::*,
                             float Settings::*, bool Settings::*>;
  const char* name;
  Field field;
  double min;  ///< of numbers
  double max;
  const char* blurb;
};

inline constexpr auto kPropertyFlags =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);

inline GParamSpec* make_param(const char* name, const char* blurb, const std::string& value, double, double) {
  return g_param_spec_string(name, name, blurb, value.empty() ? nullptr : g_intern_string(value.c_str()),
                             kPropertyFlags);
}
inline GParamSpec* make_param(const char* name, const char* blurb, std::uint32_t value, double min, double max) {
  return g_param_spec_uint(name, name, blurb, static_cast<guint>(min), static_cast<guint>(max), value, kPropertyFlags);
}
inline GParamSpec* make_param(const char* name, const char* blurb, std::int32_t value, double min, double max) {
  return g_param_spec_int(name, name, blurb, static_cast<gint>(min), static_cast<gint>(max), value, kPropertyFlags);
}
inline GParamSpec* make_param(const char* name, const char* blurb, float value, double min, double max) {
  return g_param_spec_float(name, name, blurb, static_cast<float>(min), static_cast<float>(max), value, kPropertyFlags);
}
inline GParamSpec* make_param(const char* name, const char* blurb, bool value, double, double) {
  return g_param_spec_boolean(name, name, blurb, value, kPropertyFlags);
}

/// Property ids are 1 + the index in the table.
template <class Settings>
void install_properties(GObjectClass* object_class, std::span<const Property<Settings>> table) {
  static const Settings defaults;
  guint id = 0;
  for (const auto& p : table) {
    GParamSpec* spec =
        std::visit([&](auto field) { return make_param(p.name, p.blurb, defaults.*field, p.min, p.max); }, p.field);
    g_object_class_install_property(object_class, ++id, spec);
  }
}

inline void read_value(const GValue* value, std::string& out) {
  const char* text = g_value_get_string(value);
  out = text ? text : "";
}
inline void read_value(const GValue* value, std::uint32_t& out) { out = g_value_get_uint(value); }
inline void read_value(const GValue* value, std::int32_t& out) { out = g_value_get_int(value); }
inline void read_value(const GValue* value, float& out) { out = g_value_get_float(value); }
inline void read_value(const GValue* value, bool& out) { out = g_value_get_boolean(value) != 0; }

inline void write_value(GValue* value, const std::string& in) { g_value_set_string(value, in.c_str()); }
inline void write_value(GValue* value, std::uint32_t in) { g_value_set_uint(value, in); }
inline void write_value(GValue* value, std::int32_t in) { g_value_set_int(value, in); }
inline void write_value(GValue* value, float in) { g_value_set_float(value, in); }
inline void write_value(GValue* value, bool in) { g_value_set_boolean(value, in); }

template <class Settings>
void set_property(std::span<const Property<Settings>> table, Settings& settings, guint id, const GValue* value) {
  std::visit([&](auto field) { read_value(value, settings.*field); }, table[id - 1].field);
}

template <class Settings>
void get_property(std::span<const Property<Settings>> table, const Settings& settings, guint id, GValue* value) {
  std::visit([&](auto field) { write_value(value, settings.*field); }, table[id - 1].field);
}

}  // namespace posecam::gst
