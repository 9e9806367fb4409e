#pragma once
// One source, several instruction sets: a function marked so is compiled for each of them, and the loader picks. The
// build itself stays portable x86-64.

/// Before the definition of a hot loop that the compiler vectorises: POSECAM_SIMD for AVX2 too, POSECAM_SIMD_WIDE for
/// AVX-512 as well, where that was measured to be faster. Not under AddressSanitizer or ThreadSanitizer, as the
/// resolvers would run before their runtime is set up; clang's attribute is another.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define POSECAM_SIMD __attribute__((target_clones("arch=x86-64-v3", "default")))
#define POSECAM_SIMD_WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define POSECAM_SIMD
#define POSECAM_SIMD_WIDE
#endif
