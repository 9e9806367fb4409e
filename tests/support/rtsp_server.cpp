// A camera for tests: RTSP with user and password, H.264 of a test picture at 25 FPS, on a free port of the loopback.
// rtsp_server USER PASSWORD [WIDTH HEIGHT]: prints "PORT\n", serves /cam, and ends with its input.
// Killed, it is a camera that dies; stopped (SIGSTOP), one that stalls.

#include <cstdio>
#include <memory>
#include <string>

#include <gst/gst.h>
#include <gst/rtsp-server/rtsp-server.h>

namespace {

struct Unref {
  void operator()(gpointer object) const noexcept { g_object_unref(object); }
};
template <class T>
using Ref = std::unique_ptr<T, Unref>;

/// All may look at /cam who know the password.
void protect(GstRTSPServer* server, GstRTSPMediaFactory* factory, const char* user, const char* password) {
  const Ref<GstRTSPAuth> auth(gst_rtsp_auth_new());
  GstRTSPToken* token = gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "viewer", nullptr);
  gchar* basic = gst_rtsp_auth_make_basic(user, password);
  gst_rtsp_auth_add_basic(auth.get(), basic, token);
  g_free(basic);
  gst_rtsp_token_unref(token);
  gst_rtsp_media_factory_add_role(factory, "viewer", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN, TRUE,
                                  GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, nullptr);
  gst_rtsp_server_set_auth(server, auth.get());
}

GstRTSPMediaFactory* make_factory(const std::string& width, const std::string& height) {
  GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
  const std::string line =
      "( videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,framerate=25/1,width=" + width +
      ",height=" + height +
      " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! "
      "rtph264pay name=pay0 pt=96 config-interval=1 )";
  gst_rtsp_media_factory_set_launch(factory, line.c_str());
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  return factory;
}

gboolean input_ended(GIOChannel*, GIOCondition, gpointer loop) {
  g_main_loop_quit(static_cast<GMainLoop*>(loop));
  return G_SOURCE_REMOVE;
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 3 && argc != 5) {
    std::fprintf(stderr, "usage: rtsp_server USER PASSWORD [WIDTH HEIGHT]\n");
    return 2;
  }
  const Ref<GstRTSPServer> server(gst_rtsp_server_new());
  gst_rtsp_server_set_address(server.get(), "127.0.0.1");
  gst_rtsp_server_set_service(server.get(), "0");
  GstRTSPMediaFactory* factory = make_factory(argc == 5 ? argv[3] : "640", argc == 5 ? argv[4] : "360");
  protect(server.get(), factory, argv[1], argv[2]);
  const Ref<GstRTSPMountPoints> mounts(gst_rtsp_server_get_mount_points(server.get()));
  gst_rtsp_mount_points_add_factory(mounts.get(), "/cam", factory);
  if (gst_rtsp_server_attach(server.get(), nullptr) == 0) {
    std::fprintf(stderr, "rtsp_server: no port of the loopback is free\n");
    return 1;
  }
  std::printf("%d\n", gst_rtsp_server_get_bound_port(server.get()));
  std::fflush(stdout);

  GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
  GIOChannel* input = g_io_channel_unix_new(0);
  g_io_add_watch(input, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP), input_ended, loop);
  g_main_loop_run(loop);
  g_io_channel_unref(input);
  g_main_loop_unref(loop);
  return 0;
}
