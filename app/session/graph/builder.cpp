#include "app/session/graph/builder.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "app/session/handles.h"

namespace posecam {
namespace {

struct Package {
  std::string_view element;
  std::string_view name;
};
constexpr std::array kPackages{
    Package{"videoflip", "gstreamer1.0-plugins-good"}, Package{"mp4mux", "gstreamer1.0-plugins-good"},
    Package{"qtmux", "gstreamer1.0-plugins-good"},     Package{"matroskamux", "gstreamer1.0-plugins-good"},
    Package{"webmmux", "gstreamer1.0-plugins-good"},   Package{"vp8enc", "gstreamer1.0-plugins-good"},
    Package{"avimux", "gstreamer1.0-plugins-good"},    Package{"gdppay", "gstreamer1.0-plugins-bad"},
    Package{"gdpdepay", "gstreamer1.0-plugins-bad"},   Package{"h264parse", "gstreamer1.0-plugins-bad"},
    Package{"openh264enc", "gstreamer1.0-plugins-bad"}};

Error missing(std::string_view factory) {
  const auto* found = std::ranges::find(kPackages, factory, &Package::element);
  const std::string_view package = found == kPackages.end() ? "gstreamer1.0-plugins-base" : found->name;
  return {Errc::kMedia, fmt::format("GStreamer has no element {}; install it: apt install {}", factory, package)};
}

}  // namespace

GstElement* Builder::adopt(GstElement* element, const char* factory) {
  if (element == nullptr) {
    fail(missing(factory));
    return nullptr;
  }
  gst_bin_add(pipeline_, element);
  return element;
}

GstElement* Builder::append(GstElement* made, const char* factory) {
  GstElement* element = adopt(made, factory);
  if (element != nullptr && last != nullptr && gst_element_link(last, element) == FALSE) {
    fail({Errc::kMedia, fmt::format("cannot link {} to {}", GST_ELEMENT_NAME(last), factory)});
  }
  last = element;
  return element;
}

void Builder::fail(Error error) {
  if (error_.message.empty()) error_ = std::move(error);
}

void keep_descriptor(GstElement* element, int descriptor) {
  const auto close_it = [](gpointer number) { close(GPOINTER_TO_INT(number)); };
  g_object_set_data_full(G_OBJECT(element), "posecam-descriptor", GINT_TO_POINTER(descriptor), close_it);
}

void probe(GstElement* element, const char* pad, GstPadProbeType what, GstPadProbeCallback callback, gpointer data) {
  if (element == nullptr) return;
  const PadPtr found(gst_element_get_static_pad(element, pad));
  gst_pad_add_probe(found.get(), what, callback, data, nullptr);
}

}  // namespace posecam
