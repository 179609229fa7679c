/* Randomness without a state: `randomness.py`. */

INLINE uint64_t mixed(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* The n-th output, from zero, of the generator started with `seed`. */
INLINE uint64_t splitmix64(uint64_t seed, uint64_t n) { return mixed(seed + (n + 1) * 0x9E3779B97F4A7C15u); }
