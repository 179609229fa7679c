/* Written by kernel/generate.py from the tables in src/glassnet. Do not edit. */
#ifndef GLASSNET_TABLES_H
#define GLASSNET_TABLES_H

enum Activation { IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, SELU, SOFTPLUS, GELU, GELU_TANH, SILU, MISH, HARD_SIGMOID, STEP, SOFTMAX, ACTIVATIONS };
#define EACH_ACTIVATION(DO) DO(IDENTITY) DO(SIGMOID) DO(TANH) DO(RELU) DO(LEAKY_RELU) DO(ELU) DO(SELU) DO(SOFTPLUS) DO(GELU) DO(GELU_TANH) DO(SILU) DO(MISH) DO(HARD_SIGMOID) DO(STEP)

enum LossKind { SQUARED_ERROR, ABSOLUTE_ERROR, HUBER, CROSS_ENTROPY, BINARY_CROSS_ENTROPY, LOSSES };
/* Those that compare each output with a number of its own. */
#define EACH_COMPARING_LOSS(DO) DO(SQUARED_ERROR) DO(ABSOLUTE_ERROR) DO(HUBER) DO(BINARY_CROSS_ENTROPY)
/* For each loss the activation of whose logits it is a function, or -1. */
#define LOGITS_OF_LOSSES -1, -1, -1, SOFTMAX, SIGMOID

enum RuleKind { SGD, MOMENTUM, NESTEROV, ADAM, ADAMW, RMSPROP, ADAGRAD, RULES };
#define EACH_RULE(DO) DO(SGD) DO(MOMENTUM) DO(NESTEROV) DO(ADAM) DO(ADAMW) DO(RMSPROP) DO(ADAGRAD)
/* How many numbers each rule remembers of a parameter. */
#define SLOTS_OF_RULES 0, 1, 1, 2, 2, 1, 1

/* For each of he_normal, he_uniform, glorot_normal, glorot_uniform, lecun_normal, lecun_uniform, normal, uniform, zeros: whether it is normal;
 * variance = a / (b fan_in + c fan_out + d). */
enum { INITIALIZERS = 9 };
#define STARTS {1, 2, 1, 0, 0}, {0, 2, 1, 0, 0}, {1, 2, 1, 1, 0}, {0, 2, 1, 1, 0}, {1, 1, 1, 0, 0}, {0, 1, 1, 0, 0}, {1, 1, 0, 0, 1}, {0, 1, 3, 0, 0}, {1, 0, 0, 0, 1}

#endif
