# Third-party packages. All come from Debian but OpenVINO, which scripts/setup.sh unpacks from its wheel.
find_package(PkgConfig REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Threads REQUIRED)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
# What decodes pictures; giflib has no pkg-config file.
pkg_check_modules(PICTURES REQUIRED IMPORTED_TARGET libheif libjpeg libpng libtiff-4 libwebp libwebpdemux)
find_package(GIF REQUIRED)
pkg_check_modules(GST REQUIRED IMPORTED_TARGET
  gstreamer-1.0>=1.22 gstreamer-base-1.0 gstreamer-video-1.0 gstreamer-app-1.0 gstreamer-pbutils-1.0 gio-2.0)

# Module by module: OpenCV's own CMake files come with libopencv-dev, which brings ten times as many modules as are used.
find_path(OpenCV_INCLUDE_DIR opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
set(POSECAM_OPENCV_MODULES core imgproc dnn)
if(POSECAM_TESTS)
  list(APPEND POSECAM_OPENCV_MODULES imgcodecs)  # they make pictures
endif()
foreach(module ${POSECAM_OPENCV_MODULES})
  find_library(OpenCV_${module} opencv_${module} REQUIRED)
  add_library(opencv_${module} SHARED IMPORTED)
  set_target_properties(opencv_${module} PROPERTIES
    IMPORTED_LOCATION "${OpenCV_${module}}" INTERFACE_INCLUDE_DIRECTORIES "${OpenCV_INCLUDE_DIR}")
endforeach()

set(POSECAM_OPENVINO_DIR "${PROJECT_SOURCE_DIR}/build/deps/openvino" CACHE PATH "Where the OpenVINO wheel was unpacked")
set(POSECAM_HAVE_OPENVINO OFF)
if(NOT POSECAM_WITH_OPENVINO STREQUAL "OFF")
  find_package(OpenVINO QUIET COMPONENTS Runtime HINTS "${POSECAM_OPENVINO_DIR}/openvino/cmake")
  if(OpenVINO_FOUND)
    set(POSECAM_HAVE_OPENVINO ON)
  elseif(POSECAM_WITH_OPENVINO STREQUAL "ON")
    message(FATAL_ERROR "OpenVINO not found in ${POSECAM_OPENVINO_DIR}: run scripts/setup.sh, or set POSECAM_WITH_OPENVINO=OFF")
  endif()
endif()
message(STATUS "OpenVINO backend: ${POSECAM_HAVE_OPENVINO}")

if(POSECAM_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  if(POSECAM_BENCHMARKS)
    find_package(benchmark REQUIRED)
  endif()
endif()
