/* Vectors of floats, as wide as the machine's registers, in the compiler's own vector types. Not a library: only what
 * the kernel uses. */

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));
typedef uint32_t uvec __attribute__((vector_size(4 * LANES)));
typedef float vec_in_floats __attribute__((vector_size(4 * LANES), may_alias)); /* a vector among plain floats */

/* Rows are padded to whole registers, and to 8 floats at least, with zeros that stay zero. */
enum { PAD = LANES < 8 ? 8 : LANES };

INLINE int32_t padded(int32_t count) { return (count + PAD - 1) / PAD * PAD; }

INLINE vec load(const float *p) { return *(const vec_in_floats *)p; }
INLINE void store(float *p, vec v) { *(vec_in_floats *)p = v; }
INLINE vec all(float x) { return x - (vec){0}; }

/* a where the mask is set, b elsewhere. Comparisons give masks; with NaN they are unset, except for !=. */
INLINE vec choose(ivec mask, vec a, vec b) { return (vec)((mask & (ivec)a) | (~mask & (ivec)b)); }
INLINE vec keep(ivec mask, vec a) { return (vec)(mask & (ivec)a); }

/* The larger; NaN in b stays NaN. */
INLINE vec larger(vec a, vec b) { return choose(a > b, a, b); }
INLINE vec absolute(vec x) { return (vec)((ivec)x & 0x7fffffff); }

/* -1, 0 or 1; NaN stays NaN. */
INLINE vec sign(vec x) { return choose(x > 0, all(1), choose(x < 0, all(-1), x)); }

INLINE vec square_root(vec x) {
#if LANES == 16
    return (vec)_mm512_sqrt_ps((__m512)x);
#elif LANES == 8
    return (vec)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
    return (vec)_mm_sqrt_ps((__m128)x);
#elif defined(__aarch64__)
    return (vec)vsqrtq_f32((float32x4_t)x);
#elif defined(__wasm_simd128__)
    return (vec)wasm_f32x4_sqrt((v128_t)x);
#else
    for (int i = 0; i < LANES; i++) x[i] = __builtin_sqrtf(x[i]);
    return x;
#endif
}

INLINE float sum_of(vec v) {
    float sums[LANES];
    __builtin_memcpy(sums, &v, sizeof sums);
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++) sums[i] += sums[i + half];
    return sums[0];
}

INLINE float largest_of(vec v) {
    float m[LANES];
    __builtin_memcpy(m, &v, sizeof m);
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++) m[i] = m[i] > m[i + half] ? m[i] : m[i + half];
    return m[0];
}

INLINE int is_finite(double x) { return x - x == 0; }

/* Numbers below 1e-38 are slow on some machines and stand for nothing here: while the kernel runs they count as zero. */
INLINE uint32_t flush_tiny_numbers(void) {
#if defined(__SSE2__)
    uint32_t before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
#else
    return 0;
#endif
}

INLINE void restore_tiny_numbers(uint32_t before) {
#if defined(__SSE2__)
    _mm_setcsr(before);
#else
    (void)before;
#endif
}
