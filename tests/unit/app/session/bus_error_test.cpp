#include "app/session/bus_error.h"

#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/own_plugin.h"

namespace posecam::test {
namespace {

using ::testing::HasSubstr;

class BusError : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::start_gstreamer_with_our_plugin(); }
  BusError() {
    auto outputs = OutputSet::lock(spec_);
    auto built = outputs ? build_topology(spec_, *outputs) : Result<Topology>(outputs.error());
    EXPECT_TRUE(built) << built.error().message;
    if (built) topology_ = *std::move(built);
  }

  /// Of the source, or of what is in it.
  std::string message(GQuark domain, int code, const char* text, const std::string& debug) const {
    GError* error = g_error_new_literal(domain, code, text);
    GstMessage* message = gst_message_new_error(GST_OBJECT(topology_.source), error, debug.c_str());
    const Error result = to_error(message, spec_, topology_);
    gst_message_unref(message);
    g_error_free(error);
    EXPECT_EQ(result.code, Errc::kMedia);
    return result.message;
  }
  std::string without(const std::string& streams) const {
    return message(GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN, "Your GStreamer installation is missing a plug-in.",
                   "gstdecodebin2.c(4719): gst_decode_bin_expose (): /x:\nno suitable plugins found:\n" + streams);
  }

  SessionSpec spec_{.input = {.kind = InputKind::kVideoFile, .given = "x", .name = "x", .uri = "file:///x.mp4"}};
  Topology topology_;
};

TEST_F(BusError, NamesTheMissingDecoderOfTheVideoAlone) {
  EXPECT_THAT(without("Missing decoder: Timed Text (application/x-teletext)\n"
                      "Missing decoder: MPEG-4 AAC (audio/mpeg, mpegversion=(int)4)\n"
                      "Missing decoder: H.999 (Main 10 Profile) (video/x-h999, profile=(string)main-10)\n"),
              ::testing::StartsWith("x: no decoder for H.999 (Main 10 Profile) is installed"));
  EXPECT_EQ(without("Missing decoder: DVD subtitle (subpicture/x-dvd)\n"
                    "Missing decoder: Timed Text (text/x-raw, format=(string)utf8)\n"),
            "x: no video in it");
  EXPECT_THAT(without("Missing decoder: (null) (video/x-foo, width=(int)8)\n"),
              HasSubstr("no decoder for video/x-foo"));
}

TEST_F(BusError, AdvisesNoPackageThatIsThere) {
  GstPlugin* libav = gst_registry_find_plugin(gst_registry_get(), "libav");
  if (libav == nullptr) GTEST_SKIP() << "gstreamer1.0-libav is not here";
  gst_object_unref(libav);
  EXPECT_EQ(without("Missing decoder: H.999 (video/x-h999)\n"), "x: no decoder for H.999 is installed");
  EXPECT_EQ(without("Missing decoder: VP8 (video/x-vp8, codec-alpha=(boolean)true)\n"),
            "x: the installed decoders do not take this kind of VP8");
}

TEST_F(BusError, HasNoPaletteInAMessage) {
  const std::string palette(2048, '0');
  EXPECT_EQ(
      without("Missing decoder: Microsoft Video 1 (video/x-msvideocodec, palette_data=(buffer)" + palette + ")\n"),
      without("Missing decoder: Microsoft Video 1 (video/x-msvideocodec)\n"));
  EXPECT_LT(without("Missing decoder: video/x-foo, palette_data=(buffer)" + palette + "\n").size(), 200U);
  EXPECT_LT(message(GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, ("x" + palette + "\n\x1b[31m").c_str(), "").size(),
            300U);
  EXPECT_THAT(message(GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "a\n\x1b[31mb.", ""), HasSubstr("a ?[31mb"));
}

TEST_F(BusError, CallsEncryptedWhatIs) {
  const char* const encrypted = "x: its video is encrypted, and can be read by nobody without its key";
  EXPECT_EQ(without("Missing decoder: H.264 (video/x-h264)\n"
                    "Missing decoder: (null) (application/x-cenc, original-media-type=(string)video/x-h264)\n"),
            encrypted);
  EXPECT_EQ(without("Missing decoder: application/x-cbcs (application/x-cbcs, protection-system=(string)1)\n"),
            encrypted);
  EXPECT_EQ(without("Missing decoder: (null) (application/x-webm-enc, original-media-type=(string)video/x-vp9)\n"),
            encrypted);
  EXPECT_EQ(message(GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT, "The stream is encrypted.", ""), encrypted);
  EXPECT_EQ(message(GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY, "No key.", ""), encrypted);
}

}  // namespace
}  // namespace posecam::test
