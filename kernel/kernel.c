/* The kernel, one translation unit: compiled once for each kind of machine, under the name that GLASSNET_KERNEL gives. */

#include "kernel.h"

#include "vector.c"
#include "functions.c"
#include "activations.c"
#include "product.c"
#include "inputs.c"
#include "losses.c"
#include "rules.c"
#include "splitmix64.c"
#include "dropout.c"
#include "network.c"

#ifndef GLASSNET_KERNEL
#define GLASSNET_KERNEL glassnet_kernel
#define GLASSNET_KERNEL_NAME "portable"
#endif

const Kernel GLASSNET_KERNEL = {
    .name = GLASSNET_KERNEL_NAME,
    .lanes = LANES,
    .bytes = bytes,
    .open = open,
    .write = write_vector,
    .read = read_vector,
    .set_l2 = set_l2,
    .set_step = set_step,
    .step = step_count,
    .set_examples = set_examples,
    .forward = forward,
    .trace = trace,
    .gradient = gradient,
    .run = run,
    .floor = first_layer_floor,
    .pack_bytes = pack_bytes,
    .pack_floats = pack_floats,
};
