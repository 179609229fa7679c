/* The kernel for the page: the same translation unit, built for WebAssembly, its verbs by name. JavaScript lends memory
 * beyond `__heap_base` and lays structures there as kernel.h has them (pointers of four bytes). */

#include "kernel.c"

/* Small rather than fast: none of it takes long. */
#pragma clang attribute push(__attribute__((minsize)), apply_to = function)
#include "reproducible.c"
#pragma clang attribute pop

#define EXPORT(name) __attribute__((export_name(#name)))

/* Compilers write calls to these where they see a loop that copies or fills; there is no library to bring them. */
__attribute__((no_builtin("memset"))) void *memset(void *to, int value, size_t count) {
    for (size_t i = 0; i < count; i++) ((uint8_t *)to)[i] = (uint8_t)value;
    return to;
}

__attribute__((no_builtin("memcpy"))) void *memcpy(void *to, const void *from, size_t count) {
    for (size_t i = 0; i < count; i++) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    return to;
}

extern uint8_t __heap_base;

EXPORT(heap) int32_t wasm_heap(void) { return (int32_t)(intptr_t)&__heap_base; }
EXPORT(bytes) int32_t wasm_bytes(const Plan *plan, const int32_t *sizes, const double *dropout) {
    return (int32_t)bytes(plan, sizes, dropout);
}
EXPORT(open) Context *wasm_open(void *memory, const Plan *plan, const int32_t *sizes, const int32_t *activations,
                                const double *dropout, const float *class_weights) {
    return open(memory, plan, sizes, activations, dropout, class_weights);
}
EXPORT(write) void wasm_write(Context *c, int32_t vector, const float *flat) { write_vector(c, vector, flat); }
EXPORT(read) void wasm_read(const Context *c, int32_t vector, float *flat) { read_vector(c, vector, flat); }
EXPORT(set_step) void wasm_set_step(Context *c, int32_t step) { set_step(c, step); }
EXPORT(step) int32_t wasm_step(const Context *c) { return (int32_t)step_count(c); }
EXPORT(set_examples) void wasm_set_examples(Context *c, const Inputs *in, const Targets *t) { set_examples(c, in, t); }
EXPORT(forward) void wasm_forward(Context *c, const Inputs *in, float *outputs) { forward(c, in, outputs); }
EXPORT(trace) void wasm_trace(Context *c, const Inputs *in, float *const *outputs) { trace(c, in, outputs); }
EXPORT(gradient) double wasm_gradient(Context *c) { return gradient(c); }
EXPORT(run) int32_t wasm_run(Context *c, const int64_t *order, int32_t count, const double *rates, int32_t first_batch,
                             int32_t batches, double *losses) {
    return (int32_t)run(c, order, count, rates, first_batch, batches, losses);
}
EXPORT(pack_bytes) int32_t wasm_pack_bytes(const uint8_t *values, int32_t rows, int32_t columns, int32_t limit,
                                           uint16_t *positions, uint8_t *packed, int64_t *starts) {
    return (int32_t)pack_bytes(values, rows, columns, limit, positions, packed, starts);
}

/* Of the core beside the network. */

EXPORT(uniform) void wasm_uniform(uint64_t seed, int32_t count, double *values) {
    Generator g = seeded(seed);
    for (int32_t i = 0; i < count; i++) values[i] = draw_uniform(&g);
}
EXPORT(normal) void wasm_normal(uint64_t seed, int32_t count, double *values) {
    Generator g = seeded(seed);
    for (int32_t i = 0; i < count; i++) values[i] = draw_normal(&g);
}
EXPORT(permutation) void wasm_permutation(uint64_t seed, int32_t count, int64_t *order) {
    Generator g = seeded(seed);
    permutation(&g, count, order);
}
EXPORT(epoch_order) void wasm_epoch_order(uint64_t seed, uint64_t epoch, int32_t count, int64_t *order) {
    epoch_order(seed, epoch, count, order);
}
EXPORT(start_values) void wasm_start_values(uint64_t seed, int32_t layers, const int32_t *sizes, const int32_t *rules,
                                            float *flat) {
    start_values(seed, layers, sizes, rules, flat);
}
EXPORT(toy) void wasm_toy(int32_t shape, int32_t count, double noise, uint64_t seed, double *work, int64_t *order,
                          float *points, int32_t *labels) {
    toy(shape, count, noise, seed, work, order, points, labels);
}
EXPORT(perturb) void wasm_perturb(int32_t kind, double strength, uint64_t seed, int32_t layers, const int32_t *sizes,
                                  float *flat, int64_t *places, float *before) {
    perturb(kind, strength, seed, layers, sizes, flat, places, before);
}
EXPORT(box_blur) void wasm_box_blur(uint8_t *grey, int32_t height, int32_t width, int32_t radius, uint8_t *work) {
    box_blur(grey, height, width, radius, work);
}
EXPORT(ink_of) double wasm_ink_of(const uint8_t *grey, int32_t height, int32_t width, double *ink, double *work) {
    return ink_of(grey, height, width, ink, work);
}
EXPORT(fit_digit) int32_t wasm_fit_digit(const double *ink, int32_t height, int32_t width, float *work, uint8_t *digit,
                                         Placement *placement) {
    return fit_digit(ink, height, width, work, digit, placement);
}
EXPORT(resample) void wasm_resample(const float *from, int32_t lines, int32_t stride, int32_t step, int32_t length, float *to,
                                    int32_t to_stride, int32_t to_step, int32_t wanted) {
    resample(from, lines, stride, step, length, to, to_stride, to_step, wanted);
}
EXPORT(match_doubles) int32_t wasm_match_doubles(int32_t layers, const int32_t *sizes) {
    return (int32_t)match_doubles(layers, sizes);
}
EXPORT(match_integers) int32_t wasm_match_integers(int32_t layers, const int32_t *sizes) {
    return (int32_t)match_integers(layers, sizes);
}
EXPORT(match) int32_t wasm_match(int32_t layers, const int32_t *sizes, const int32_t *kinds, const float *a, const float *b,
                                 double *doubles, int32_t *integers, int32_t *places, int32_t *signs, double *scales,
                                 float *arranged) {
    return match(layers, sizes, kinds, a, b, doubles, integers, places, signs, scales, arranged);
}
EXPORT(correlations) void wasm_correlations(const float *a, const float *b, int32_t rows, int32_t neurons,
                                            const int32_t *places, const int32_t *signs, double *alike) {
    correlations(a, b, rows, neurons, places, signs, alike);
}
