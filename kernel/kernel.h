/* What the kernel offers: the shape of a job, and the verbs on it.
 *
 * The kernel is the compiled engine of glassnet: dense networks, float32, forward, gradient and training. It is
 * freestanding: it calls no library, allocates nothing and keeps nothing between calls but what stands in the memory
 * that its caller lends (`bytes` says how much, `open` moves in). It starts no threads; separate contexts may be used by
 * separate threads. It trusts its caller: sizes, indices and labels are checked at the door, which is the caller's.
 *
 * `src/glassnet/engines/reference.py` says what every number means. Flat vectors outside are laid as there: layer after
 * layer, weights (fan_out, fan_in) row by row, then the biases.
 */
#ifndef GLASSNET_KERNEL_H
#define GLASSNET_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "tables.h"

enum Purpose { FORWARD, TRACE, GRADIENT, TRAIN };

/* How inputs are stored. Sparse rows are lists of positions and values: row r has those from starts[r] to starts[r+1].
 * Dense values and sparse bytes count times `scale`; sparse floats count as they are. */
enum InputKind { DENSE_BYTES, DENSE_FLOATS, SHORT_BYTES, SHORT_FLOATS, LONG_FLOATS };

/* Which of the flat vectors: the parameters, the gradient, or the optimizer's first and second memory. */
enum Vector { PARAMETERS, SLOPES, FIRST_SLOT, SECOND_SLOT };

typedef struct Plan {
    int32_t purpose, layers, batch_size, sparse; /* sparse: inputs come as lists only */
    int32_t loss, rule;
    double loss_settings[2], rule_settings[4]; /* their numbers, in the order of the Python class's fields */
    double l1, l2, clip_norm;                      /* clip_norm 0: no clipping */
    uint64_t seed;                                 /* of the dropout masks */
} Plan;

typedef struct Inputs {
    int32_t kind;
    float scale;
    int64_t rows;
    const void *values;
    const void *positions;
    const int64_t *starts;
} Inputs;

typedef struct Targets {
    const int32_t *labels;        /* one per example, or NULL */
    const float *rows;            /* or fan_out numbers per example */
    const float *sample_weights; /* one per example, or NULL: all count alike */
} Targets;

typedef struct Context Context;

/* How many numbers a rule remembers of each parameter. */
static inline int slots_of(int rule) {
    static const uint8_t slots[] = {SLOTS_OF_RULES};
    return slots[rule];
}

typedef struct Kernel {
    const char *name;
    int32_t lanes; /* floats in a vector register */
    /* How many bytes `open` needs; sizes has layers + 1 entries. */
    int64_t (*bytes)(const Plan *, const int32_t *sizes, const double *dropout);
    /* Moves into the memory, which is aligned to 64 bytes. `dropout` has layers entries, `class_weights` fan_out or is NULL. */
    Context *(*open)(void *memory, const Plan *, const int32_t *sizes, const int32_t *activations, const double *dropout,
                     const float *class_weights);
    void (*write)(Context *, int32_t vector, const float *flat);
    void (*read)(const Context *, int32_t vector, float *flat);
    /* An L2 penalty for each layer in the plan's place; call before `set_examples`. */
    void (*set_l2)(Context *, const double *l2);
    void (*set_step)(Context *, int64_t step);
    int64_t (*step)(const Context *);
    /* What is learnt from; lists are looked through for inputs that never occur. Call after the vectors are written. */
    void (*set_examples)(Context *, const Inputs *, const Targets *);
    /* The outputs of all rows, (rows, fan_out). */
    void (*forward)(Context *, const Inputs *, float *outputs);
    /* For layer i: outputs[3i] weighted sums, [3i+1] pre-activations, [3i+2] activations, each (rows, fan_out). */
    void (*trace)(Context *, const Inputs *, float *const *outputs);
    /* The loss of all examples as one batch; its slope is then the vector SLOPES. */
    double (*gradient)(Context *);
    /* One step for each of `batches`; returns how many losses were written. Stops at the first that is not finite,
     * before its step. `count` is the length of `order`. */
    int64_t (*run)(Context *, const int64_t *order, int64_t count, const double *learning_rates, int64_t first_batch,
                   int64_t batches, double *losses);
    /* Only the two loops over the first layer's lists, forward and update, to know what they cost alone. */
    void (*floor)(Context *, const int64_t *order, int64_t count);
    /* Lists of what is not zero in dense rows: positions, values (floats times scale), and where each row's begin, rows + 1
     * of them. Returns how many entries there are, or -1 for more than `limit`; both lists have room for limit + columns
     * + 16. */
    int64_t (*pack_bytes)(const uint8_t *values, int64_t rows, int64_t columns, int64_t limit, uint16_t *positions,
                          uint8_t *packed, int64_t *starts);
    int64_t (*pack_floats)(const float *values, int64_t rows, int64_t columns, float scale, int64_t limit,
                           uint16_t *positions, float *packed, int64_t *starts);
} Kernel;

#endif
