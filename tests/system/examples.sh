#!/bin/bash
# Runs one script of configs/examples as a user would, in an empty folder, and looks at what it wrote.
# examples.sh NAME SOURCE_DIR BUILD_DIR; 77: skipped.
set -euo pipefail
readonly name=$1 source=$2 build=$3
readonly examples=$source/configs/examples clip_frames=50
export GST_PLUGIN_PATH=$build/lib/gstreamer-1.0 DEVICE=opencv NET_RESOLUTION=128x72
children=()

folder=$(mktemp -d "${TMPDIR:-/tmp}/posecam example XXXXXX")  # blanks, as users have them
clean_up() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap clean_up EXIT
cd "$folder"

skip() { echo "skipped: $*"; exit 77; }
die() { echo "FAILED: $*" >&2; exit 1; }

# frames FILE: how many a decoder finds in it.
frames() { ffprobe -v error -count_frames -select_streams v -show_entries stream=nb_read_frames -of csv=p=0 "$1"; }

expect_frames() {
  local found
  found=$(frames "$1")
  [ "$found" = "$2" ] || die "$1: $found frames instead of $2"
}

expect_lines() {
  [ "$(wc -l <"$1")" = "$2" ] || die "$1: $(wc -l <"$1") lines instead of $2"
  [ "$(grep -c '"status":"analysed"' "$1")" = "$2" ] || die "$1: frames that were not analysed"
  grep -q pose_keypoints_2d "$1" || die "$1: nobody was found"
}

# Something is drawn: the frames differ from the input's by more than an encoder's noise (41 dB).
expect_drawn() {
  local psnr
  psnr=$(ffmpeg -v info -i "$1" -i 'a clip.mp4' -lavfi psnr -f null - 2>&1 | sed -n 's/.*average:\([0-9.]*\).*/\1/p')
  awk -v psnr="$psnr" 'BEGIN { exit !(psnr > 10 && psnr < 37) }' || die "$1: PSNR $psnr to the input: is anything drawn?"
}

file_to_mp4() {
  unset NET_RESOLUTION  # as people run it
  "$examples/file_to_mp4.sh" 'a clip.mp4' 'out file.mp4'
  expect_frames 'out file.mp4' $clip_frames
  expect_drawn 'out file.mp4'
  if "$examples/file_to_mp4.sh" missing.mp4 none.mp4 2>error; then die 'a missing input is no error'; fi
  grep -q 'missing.mp4: cannot be read' error || die 'a missing input is not named'
}

# In a window of a display of its own where Xvfb is installed, else without one.
camera_to_window() {
  local lines
  if command -v Xvfb >/dev/null; then
    local display
    exec 7< <(exec Xvfb -displayfd 1 -noreset -screen 0 800x600x24 2>/dev/null)
    children+=($!)
    read -r -u 7 display || die 'Xvfb does not start'
    export DISPLAY=:$display
    echo "in a window of Xvfb :$display"
  else
    export VIDEO_SINK=fakesink
    echo 'Xvfb is not here: with fakesink'
  fi
  lines=$(FRAMES=30 GST_DEBUG_NO_COLOR=1 GST_DEBUG=GST_STATES:3 timeout 60 "$examples/camera_to_window.sh" test 2>&1) ||
    die "$lines"
  if "$examples/camera_to_window.sh" /dev/video99 2>error; then die 'a missing camera is no error'; fi
  grep -q '/dev/video99: no such device' error || die 'a missing camera is not named'
}

two_streams() {
  "$examples/two_streams.sh" 'a clip.mp4' 'a clip.mp4' "$folder"
  for stream in one two; do
    expect_lines $stream.ndjson $clip_frames
    [ "$(grep -c "\"stream_id\":\"$stream\"" $stream.ndjson)" = $clip_frames ] || die "$stream.ndjson: a frame of the other"
  done
}

detect_then_pose() {
  local mirror=$source/../shared/models
  [ -d "$mirror/person-detection-retail-0013" ] || skip 'shared/models/person-detection-retail-0013 is not here'
  "$build/bin/posecam" devices | grep -q '^openvino .*OpenVINO' || skip 'OpenVINO, which the detector needs, is not here'
  export XDG_DATA_HOME=$folder/store DEVICE=openvino
  "$build/bin/posecam" models pull person-detection-0013 --mirror "$mirror"
  export NET_RESOLUTION=96x160
  "$examples/detect_then_pose.sh" 'a clip.mp4' people.mp4 people.ndjson
  expect_frames people.mp4 $clip_frames
  expect_lines people.ndjson $clip_frames
  [ "$(grep -c '"detector":"person-detection-0013"' people.ndjson)" = $clip_frames ] || die 'people.ndjson: no detector is named'
}

tee_to_file_and_json() {
  "$examples/tee_to_file_and_json.sh" 'a clip.mp4' tee.mp4 tee.ndjson
  expect_frames tee.mp4 $clip_frames
  expect_drawn tee.mp4
  expect_lines tee.ndjson $clip_frames
}

# Four seconds of a camera, then what Ctrl-C does.
rtsp_in() {
  [ -x "$build/bin/rtsp_server" ] || skip 'built without libgstrtspserver-1.0-dev'
  local port
  mkfifo input
  exec 8<>input
  exec 7< <(exec "$build/bin/rtsp_server" viewer 'p@ss word' <input)
  children+=($!)
  read -r -u 7 port || die 'the camera does not start'
  export RTSP_USER=viewer RTSP_PASSWORD='p@ss word'
  set -m  # a job of its own: else it would ignore SIGINT
  "$examples/rtsp_in.sh" "rtsp://127.0.0.1:$port/cam" camera.mp4 camera.ndjson &
  local script=$!
  children+=("$script")
  for _ in $(seq 300); do
    [ ! -e camera.ndjson.part ] || [ "$(wc -l <camera.ndjson.part)" -lt 100 ] || break
    sleep 0.1
  done
  kill -INT "$script"
  wait "$script" || die 'Ctrl-C is an error'
  local lines
  lines=$(wc -l <camera.ndjson)
  [ "$lines" -ge 100 ] || die "camera.ndjson: $lines lines in 30 s"
  expect_frames camera.mp4 "$lines"
}

[ -x "$(command -v ffmpeg)" ] || skip 'ffmpeg is not here'
ffmpeg -v error -i "$source/media/figures.mp4" -frames:v $clip_frames -c copy 'a clip.mp4'
"$name"
