# shellcheck shell=sh
# Read by the examples beside it: what depends on the machine.

# encoder: the H.264 encoder that is installed, as a part of a launch line; the best for file output first.
encoder() {
  if gst-inspect-1.0 --exists x264enc; then
    echo 'x264enc speed-preset=veryfast'
  elif gst-inspect-1.0 --exists openh264enc; then
    echo 'openh264enc bitrate=2000000'
  else
    die 'no H.264 encoder: install gstreamer1.0-plugins-ugly (x264enc) or gstreamer1.0-plugins-bad (openh264enc)'
  fi
}

# need ELEMENT PACKAGE: ends the script with the remedy unless the element is there. --exists alone would ask for a plugin of
# GStreamer's own version.
need() {
  gst-inspect-1.0 --exists --atleast-version=0.0 "$1" || die "no element $1: install $2"
}

# readable FILE: ends the script unless FILE can be read.
readable() {
  [ -r "$1" ] || die "$1: cannot be read; give a video file"
}

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

need neuroninfer 'posecam (make install), or set GST_PLUGIN_PATH to the folder of libgstneuron.so'
