/** Small values are lifted by this power, so that faint structure is seen. */
export const LIFT = 0.4;

/** Values as signed shares of `most`, lifted: -1 to 1. */
export const lifted = (values: Float32Array | Float64Array, most: number): Float32Array =>
  Float32Array.from(values, (value) => (most > 0 ? Math.sign(value) * (Math.abs(value) / most) ** LIFT : 0));
