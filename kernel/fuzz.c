/* Random jobs for the kernel, for as many seconds as asked, to be built with AddressSanitizer and UBSan (fuzz.sh does).
 * Every array is allocated to the byte, so that a read or write beyond is caught; numbers include zeros, infinities and
 * NaN. Not a test of results: those are compared with the reference in tests/engines/test_native.py. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel.c"
#include "reproducible.c"

static uint64_t state;
static uint64_t any(uint64_t below) { return splitmix64(0, state++) % below; }
static double share(void) { return (double)any(1 << 20) / (1 << 20); }

static float number(int wild) {
    static const float odd[] = {0.0f, -0.0f, 1e-42f, 1e30f, -3e38f};
    if (wild && any(50) == 0) return odd[any(5)];
    if (wild && any(200) == 0) return any(2) ? __builtin_nanf("") : __builtin_inff();
    return (float)(share() * 2 - 1);
}

static float *numbers(int64_t count, int wild) {
    float *p = malloc((size_t)count * 4 + 1); /* one byte more, so that nothing asks for none */
    for (int64_t i = 0; i < count; i++) p[i] = number(wild);
    return p;
}

static void job(uint64_t seed) {
    state = seed << 20;
    Plan plan = {.purpose = (int32_t)any(4), .layers = 1 + (int32_t)any(4), .loss = (int32_t)any(LOSSES), .rule = (int32_t)any(RULES)};
    plan.batch_size = any(4) ? (int32_t)any(40) : (int32_t)any(1500);
    plan.loss_settings[0] = any(2) ? 0.5 : 0;
    for (int i = 0; i < 4; i++) plan.rule_settings[i] = any(4) ? share() : any(2) ? 1e-8 : 0;
    plan.l1 = any(4) ? 0 : 0.01, plan.l2 = any(4) ? 0 : 0.01;
    plan.clip_norm = any(4) ? 0 : 0.1, plan.seed = seed;
    int wild = any(3) == 0, kind = (int)any(5);
    plan.sparse = kind >= SHORT_BYTES;
    int32_t sizes[5], activations[4];
    double dropout[4] = {0};
    for (int i = 0; i <= plan.layers; i++) sizes[i] = 1 + (int32_t)any(any(4) ? 20 : i ? 150 : 900);
    for (int i = 0; i < plan.layers; i++) {
        do activations[i] = (int32_t)any(ACTIVATIONS);
        while (by_row(activations[i]) && i < plan.layers - 1);
        dropout[i] = any(3) ? 0 : share() * 0.9;
    }
    int fan_in = sizes[0], fan_out = sizes[plan.layers];
    float *class_weights = any(2) ? numbers(fan_out, wild) : NULL;
    int64_t rows = (int64_t)any(any(8) ? 60 : 2000), count = 0;
    for (int i = 0; i < plan.layers; i++) count += (int64_t)(sizes[i] + 1) * sizes[i + 1];

    /* Dense values, and lists made of them by the kernel itself or, where positions are long, here. */
    uint8_t *bytes_in = malloc((size_t)(rows * fan_in) + 1);
    float *floats_in = numbers(rows * fan_in, wild);
    for (int64_t i = 0; i < rows * fan_in; i++) {
        int zero = any(10) < 7;
        bytes_in[i] = zero ? 0 : (uint8_t)any(256);
        if (zero) floats_in[i] = 0;
    }
    int64_t *starts = malloc((size_t)(rows + 1) * 8);
    int as_bytes = kind == DENSE_BYTES || kind == SHORT_BYTES;
    int64_t limit = (int64_t)any((uint64_t)(rows * fan_in) + 1), room = limit + fan_in + 16;
    uint16_t *few = malloc((size_t)room * 2);
    void *few_packed = malloc((size_t)room * (as_bytes ? 1 : 4));
    if (as_bytes)
        pack_bytes(bytes_in, rows, fan_in, limit, few, few_packed, starts);
    else
        pack_floats(floats_in, rows, fan_in, 0.5f, limit, few, few_packed, starts);
    free(few), free(few_packed);
    limit = 8 * rows * fan_in; /* never too many */
    room = rows * fan_in + fan_in + 16;
    uint16_t *positions = malloc((size_t)room * 2);
    void *packed = malloc((size_t)room * (as_bytes ? 1 : 4));
    int64_t listed = as_bytes ? pack_bytes(bytes_in, rows, fan_in, limit, positions, packed, starts)
                              : pack_floats(floats_in, rows, fan_in, 0.5f, limit, positions, packed, starts);
    uint32_t *long_positions = malloc((size_t)listed * 4 + 1);
    for (int64_t i = 0; i < listed; i++) long_positions[i] = positions[i];
    Inputs in = {kind, any(2) ? 1.0f : 0.25f, rows, NULL, NULL, starts};
    in.values = kind == DENSE_BYTES ? (void *)bytes_in : kind == DENSE_FLOATS ? (void *)floats_in : packed;
    in.positions = kind == LONG_FLOATS ? (void *)long_positions : (void *)positions;

    void *block = malloc((size_t)bytes(&plan, sizes, dropout) + 63);
    void *memory = (void *)(((uintptr_t)block + 63) / 64 * 64);
    Context *c = open(memory, &plan, sizes, activations, dropout, class_weights);
    double l2[4];
    for (int i = 0; i < 4; i++) l2[i] = any(2) ? plan.l2 : 0;
    if (any(2)) set_l2(c, l2);
    float *flat = numbers(count, wild);
    write_vector(c, PARAMETERS, flat);
    float *outputs = numbers(rows * fan_out, 0);
    if (plan.purpose == FORWARD) forward(c, &in, outputs);
    if (plan.purpose == TRACE) {
        float *traced[12];
        for (int i = 0; i < 3 * plan.layers; i++) traced[i] = numbers(rows * sizes[i / 3 + 1], 0);
        trace(c, &in, traced);
        for (int i = 0; i < 3 * plan.layers; i++) free(traced[i]);
    }
    int32_t *labels = malloc((size_t)rows * 4 + 1);
    for (int64_t i = 0; i < rows; i++) labels[i] = (int32_t)any((uint64_t)fan_out);
    float *targets = numbers(rows * fan_out, wild), *sample_weights = any(2) ? numbers(rows, wild) : NULL;
    int labelled = of_classes(&(LossRule){plan.loss, 0, NULL}) && any(2);
    Targets t = {labelled ? labels : NULL, labelled ? NULL : targets, sample_weights};
    if (plan.purpose >= GRADIENT) set_examples(c, &in, &t);
    if (plan.purpose == GRADIENT) {
        gradient(c);
        read_vector(c, SLOPES, flat);
    }
    if (plan.purpose == TRAIN && plan.batch_size > 0) {
        int64_t length = rows ? (int64_t)any(200) : 0, batches = (int64_t)any(12);
        int64_t *order = malloc((size_t)length * 8 + 1);
        double *rates = malloc((size_t)batches * 8 + 1), *losses = malloc((size_t)batches * 8 + 1);
        for (int64_t i = 0; i < length; i++) order[i] = (int64_t)any((uint64_t)rows);
        for (int64_t i = 0; i < batches; i++) rates[i] = share();
        int64_t half = batches / 2;
        if (run(c, order, length, rates, 0, half, losses) == half)
            run(c, order, length, rates + half, half, batches - half, losses + half);
        for (int v = FIRST_SLOT; v < FIRST_SLOT + slots_of(plan.rule); v++) read_vector(c, v, flat);
        read_vector(c, PARAMETERS, flat);
        free(order), free(rates), free(losses);
    }
    free(class_weights), free(bytes_in), free(floats_in), free(starts), free(positions), free(long_positions);
    free(packed), free(block), free(flat), free(outputs), free(labels), free(targets), free(sample_weights);
}

/* What the core draws and perturbs, in memory of just the size it asks for. */
static void drawing(uint64_t seed) {
    state = seed << 20;
    int32_t layers = 1 + (int32_t)any(3), sizes[4], rules[3];
    int64_t flat_size = 0, largest = 0, count = 1 + (int64_t)any(any(4) ? 50 : 3000);
    for (int i = 0; i <= layers; i++) sizes[i] = 1 + (int32_t)any(60);
    for (int i = 0; i < layers; i++) {
        int64_t weights = (int64_t)sizes[i] * sizes[i + 1];
        rules[i] = (int32_t)any(INITIALIZERS);
        flat_size += weights + sizes[i + 1];
        if (weights > largest) largest = weights;
    }
    float *flat = numbers(flat_size, 1), *before = numbers(largest, 0);
    int64_t *places = malloc((size_t)largest * 16);
    int32_t kind = (int32_t)any(4);
    if (any(2)) start_values(any(~0u), layers, sizes, rules, flat);
    perturb(kind, kind == ROUND_BITS ? 1 + (double)any(24) : share(), any(~0u), layers, sizes, flat, places, before);
    free(flat), free(before), free(places);

    double *work = malloc((size_t)count * TOY_WORK * 8);
    int64_t *order = malloc((size_t)count * 8);
    float *points = malloc((size_t)count * 8);
    int32_t *labels = malloc((size_t)count * 4);
    toy((int32_t)any(4), count, share() / 2, any(~0u), work, order, points, labels);
    epoch_order(any(~0u), any(100), count, order);
    free(work), free(order), free(points), free(labels);
}

/* A picture brought to a digit. */
static void fitting(uint64_t seed) {
    state = seed << 20;
    int32_t height = 1 + (int32_t)any(any(4) ? 40 : 200), width = 1 + (int32_t)any(any(4) ? 40 : 200);
    size_t size = (size_t)(height * width);
    uint8_t *grey = malloc(size), *blurred = malloc(size), digit[784];
    double *ink = malloc(size * 8), *work = malloc(size * 8);
    float *small = malloc((size + 20 * (size_t)height + 400) * 4);
    Placement placement;
    uint64_t shades = 1 + any(255);
    for (size_t i = 0; i < size; i++) grey[i] = (uint8_t)(any(3) ? 0 : any(shades));
    box_blur(grey, height, width, (int32_t)any(4), blurred);
    if (ink_of(grey, height, width, ink, work) >= FAINTEST) fit_digit(ink, height, width, small, digit, &placement);
    free(grey), free(blurred), free(ink), free(work), free(small);
}

/* Two networks of one structure, the second often the first with some numbers changed. */
static void matching(uint64_t seed) {
    state = seed << 20;
    int32_t layers = 1 + (int32_t)any(3), sizes[4], kinds[3];
    int64_t total = 0, hidden = 0;
    for (int i = 0; i <= layers; i++) sizes[i] = 1 + (int32_t)any(12);
    for (int i = 0; i < layers; i++) {
        total += (int64_t)(sizes[i] + 1) * sizes[i + 1];
        hidden += i < layers - 1 ? sizes[i + 1] : 0;
        kinds[i] = (int32_t)any(3);
    }
    int wild = any(4) == 0;
    float *a = numbers(total, wild), *b = numbers(total, wild), *arranged = numbers(total, 0);
    for (int64_t i = 0; i < total; i++)
        if (any(3)) b[i] = a[i];
    double *doubles = malloc((size_t)match_doubles(layers, sizes) * 8), *scales = malloc((size_t)hidden * 8 + 1);
    int32_t *integers = malloc((size_t)match_integers(layers, sizes) * 4);
    int32_t *places = malloc((size_t)hidden * 4 + 1), *signs = malloc((size_t)hidden * 4 + 1);
    match(layers, sizes, kinds, a, b, doubles, integers, places, signs, scales, arranged);
    if (layers > 1) {
        int32_t rows = 1 + (int32_t)any(30);
        float *of_a = numbers(rows * (int64_t)sizes[1], wild), *of_b = numbers(rows * (int64_t)sizes[1], wild);
        correlations(of_a, of_b, rows, sizes[1], places, signs, scales);
        free(of_a), free(of_b);
    }
    free(a), free(b), free(arranged), free(doubles), free(scales), free(integers), free(places), free(signs);
}

int main(int count, char **arguments) {
    double limit = count > 1 ? atof(arguments[1]) : 10;
    uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 10) : 0;
    time_t start = time(NULL);
    uint64_t jobs = 0;
    for (; difftime(time(NULL), start) < limit; jobs++) {
        fprintf(stderr, "\rseed %llu", (unsigned long long)(seed + jobs)); /* the last one printed is the one that failed */
        job(seed + jobs);
        drawing(seed + jobs);
        fitting(seed + jobs);
        matching(seed + jobs);
    }
    fprintf(stderr, "\r%llu jobs, no fault\n", (unsigned long long)jobs);
    return 0;
}
