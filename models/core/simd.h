#pragma once
// One source, several instruction sets: a function marked so is compiled for AVX2 too, and the loader picks.

/// Before the definition of a hot loop that the compiler vectorises. The build itself stays portable x86-64. Not under
/// AddressSanitizer or ThreadSanitizer: the resolver would run before their runtime is set up.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define POSECAM_SIMD __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define POSECAM_SIMD
#endif
