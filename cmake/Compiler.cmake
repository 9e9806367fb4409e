# Warnings, sanitizers and ccache, as one interface target that every library of the project links.
add_library(posecam_compile_options INTERFACE)
target_include_directories(posecam_compile_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(posecam_compile_options INTERFACE
  # -Wmissing-field-initializers also fires on designated initialisers, whose point is to leave the rest at its default.
  -Wall -Wextra -Wno-missing-field-initializers -Wpedantic -Wshadow $<$<COMPILE_LANGUAGE:CXX>:-Wconversion -Wno-sign-conversion>)
if(POSECAM_WERROR)
  target_compile_options(posecam_compile_options INTERFACE -Werror)
endif()
if(POSECAM_SANITIZE)
  add_compile_options(-fsanitize=${POSECAM_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${POSECAM_SANITIZE})
endif()

# As Debian hardens its packages (dpkg-buildflags(1), hardening=+all); position-independent programs are the compiler's
# default there. Sanitizers find more, and do not go with it.
if(NOT POSECAM_SANITIZE)
  add_compile_options(-fstack-protector-strong $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
  add_link_options(LINKER:-z,relro LINKER:-z,now)
endif()

# For code that no frame passes through: optimised any further it takes half as long again to compile.
set(POSECAM_COLD_CODE $<$<CONFIG:Release>:-O1>)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Paths relative to the checkout: another clone of the same sources compiles nothing twice.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
