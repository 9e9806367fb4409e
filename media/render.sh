#!/bin/bash
# Renders media/figures.mp4 anew, and with it build/media/figures.json: where every joint really is, as COCO annotations.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/media
cmake --build build/release --target render_clip
build/release/bin/render_clip build/media/figures.json |
  ffmpeg -v error -y -f rawvideo -pixel_format bgr24 -video_size 640x360 -framerate 25 -i - \
    -c:v libx264 -preset slow -crf 25 -bf 0 -pix_fmt yuv420p -movflags +faststart -fflags +bitexact -flags:v +bitexact -map_metadata -1 \
    build/media/figures.mp4
mv build/media/figures.mp4 media/figures.mp4
echo "media/figures.mp4 and build/media/figures.json"
