/* What the page shares with Python beside the arithmetic of networks: drawn from a seed and computed in double precision
 * by operations that are the same everywhere, so that Python (with numpy) and every browser get the same numbers. Python's
 * modules, named in each file, say what they mean; tests/vectors holds both sides to it. */

#include "elementary.c"
#include "ziggurat.c"
#include "generator.c"
#include "start.c"
#include "toys.c"
#include "perturb.c"
#include "ink.c"
#include "fit_digit.c"
#include "assign.c"
#include "match.c"
