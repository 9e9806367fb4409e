# Where programs and libraries look for ours and for OpenVINO, relative to where they lie: the same places in the build
# tree, which has the folders of an installation, and installed. With an rpath for each, CMake ends that of the build tree
# with an empty entry, and the loader takes that for the current folder and runs what lies there.
set_target_properties(posecam gstneuron nrt_sim PROPERTIES BUILD_WITH_INSTALL_RPATH ON)
set_target_properties(posecam PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/posecam")
# libneuronmeta lies one folder above the plugin, where applications find it too.
set_target_properties(gstneuron PROPERTIES INSTALL_RPATH "$ORIGIN/../posecam:$ORIGIN/..")
set_target_properties(nrt_sim PROPERTIES INSTALL_RPATH "$ORIGIN/..")

# What must travel with an installed posecam: the parts of OpenVINO it loads, in <libdir>/posecam. The build tree can go
# away afterwards. An OpenVINO of the system is not copied.
cmake_path(IS_PREFIX POSECAM_OPENVINO_DIR "${OpenVINO_DIR}" NORMALIZE openvino_from_wheel)
if(POSECAM_HAVE_OPENVINO AND openvino_from_wheel)
  set(openvino_libs "${POSECAM_OPENVINO_DIR}/openvino/libs")
  # The network readers are those of the formats that descriptors may name: IR, ONNX, TFLite, frozen TensorFlow graphs.
  file(GLOB openvino_runtime
    "${openvino_libs}/libopenvino.so.*"
    "${openvino_libs}/libopenvino_auto_batch_plugin.so"
    "${openvino_libs}/libopenvino_intel_cpu_plugin.so"
    "${openvino_libs}/libopenvino_ir_frontend.so.*"
    "${openvino_libs}/libopenvino_onnx_frontend.so.*"
    "${openvino_libs}/libopenvino_tensorflow_frontend.so.*"
    "${openvino_libs}/libopenvino_tensorflow_lite_frontend.so.*"
    "${openvino_libs}/libhwloc.so.*"
    "${openvino_libs}/libtbb.so.*"
    "${openvino_libs}/libtbbbind_2_5.so.*"
    "${openvino_libs}/libtbbmalloc.so.*")
  install(FILES ${openvino_runtime} DESTINATION ${CMAKE_INSTALL_LIBDIR}/posecam)
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/lib/posecam")
  foreach(file IN LISTS openvino_runtime)
    cmake_path(GET file FILENAME name)
    file(CREATE_LINK "${file}" "${PROJECT_BINARY_DIR}/lib/posecam/${name}" SYMBOLIC)
  endforeach()
  file(GLOB openvino_licenses "${POSECAM_OPENVINO_DIR}/openvino-*.dist-info/licenses/*")
  foreach(entry IN LISTS openvino_licenses)
    if(IS_DIRECTORY "${entry}")
      install(DIRECTORY "${entry}" DESTINATION ${CMAKE_INSTALL_DOCDIR}/openvino)
    else()
      install(FILES "${entry}" DESTINATION ${CMAKE_INSTALL_DOCDIR}/openvino)
    endif()
  endforeach()
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
