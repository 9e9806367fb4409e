# What must travel with an installed posecam: the parts of OpenVINO it loads, in <libdir>/posecam, where the programs look
# first. The build tree can go away afterwards. An OpenVINO of the system is not copied.
set_target_properties(posecam PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/posecam")
# libneuronmeta lies one folder above the plugin, where applications find it too.
set_target_properties(gstneuron PROPERTIES INSTALL_RPATH "$ORIGIN/../posecam:$ORIGIN/..")

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
