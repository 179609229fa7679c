/** One copy of the kernel with memory of its own. What is lent stays lent: whoever needs more room takes a new copy, and
 * the garbage collector takes the old one. */

export interface Exports {
  memory: WebAssembly.Memory;
  heap(): number;
  bytes(plan: number, sizes: number, dropout: number): number;
  open(memory: number, plan: number, sizes: number, squishes: number, dropout: number, classWeights: number): number;
  write(context: number, vector: number, flat: number): void;
  read(context: number, vector: number, flat: number): void;
  set_step(context: number, step: number): void;
  step(context: number): number;
  set_examples(context: number, inputs: number, targets: number): void;
  forward(context: number, inputs: number, outputs: number): void;
  trace(context: number, inputs: number, outputs: number): void;
  gradient(context: number): number;
  run(
    context: number,
    order: number,
    count: number,
    rates: number,
    firstBatch: number,
    batches: number,
    losses: number,
  ): number;
  pack_bytes(
    values: number,
    rows: number,
    columns: number,
    limit: number,
    positions: number,
    packed: number,
    starts: number,
  ): number;
  uniform(seed: bigint, count: number, values: number): void;
  normal(seed: bigint, count: number, values: number): void;
  permutation(seed: bigint, count: number, order: number): void;
  epoch_order(seed: bigint, epoch: bigint, count: number, order: number): void;
  start_values(seed: bigint, layers: number, sizes: number, rules: number, flat: number): void;
  toy(
    shape: number,
    count: number,
    noise: number,
    seed: bigint,
    work: number,
    order: number,
    points: number,
    labels: number,
  ): void;
  perturb(
    kind: number,
    strength: number,
    seed: bigint,
    layers: number,
    sizes: number,
    flat: number,
    places: number,
    before: number,
  ): void;
  box_blur(grey: number, height: number, width: number, radius: number, work: number): void;
  ink_of(grey: number, height: number, width: number, ink: number, work: number): number;
  fit_digit(ink: number, height: number, width: number, work: number, digit: number, placement: number): number;
  resample(
    from: number,
    lines: number,
    stride: number,
    step: number,
    length: number,
    to: number,
    toStride: number,
    toStep: number,
    wanted: number,
  ): void;
  match_doubles(layers: number, sizes: number): number;
  match_integers(layers: number, sizes: number): number;
  match(
    layers: number,
    sizes: number,
    kinds: number,
    a: number,
    b: number,
    doubles: number,
    integers: number,
    places: number,
    signs: number,
    scales: number,
    arranged: number,
  ): number;
  correlations(a: number, b: number, rows: number, neurons: number, places: number, signs: number, alike: number): void;
}

type TypedArray = Uint8Array | Uint16Array | Int32Array | Float32Array | Float64Array | BigInt64Array;
interface Kind<A extends TypedArray> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
}

const PAGE = 65536;
const ALIGNED = 64;

/** The memory asked for is not to be had. */
export class OutOfMemory extends Error {}

export class Memory {
  readonly module: WebAssembly.Module;
  readonly kernel: Exports;
  #used: number;

  constructor(module: WebAssembly.Module) {
    this.module = module;
    this.kernel = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
    this.#used = this.kernel.heap();
  }

  /** The address of so many bytes, aligned for the kernel. */
  lend(bytes: number): number {
    const at = Math.ceil(this.#used / ALIGNED) * ALIGNED;
    const missing = at + bytes - this.kernel.memory.buffer.byteLength;
    if (missing > 0) {
      try {
        this.kernel.memory.grow(Math.ceil(missing / PAGE));
      } catch {
        throw new OutOfMemory(`${Math.ceil((at + bytes) / 2 ** 20)} MB of memory are needed, more than a page gets`);
      }
    }
    this.#used = at + bytes;
    return at;
  }

  /** A view of what lies there. Views die when memory grows: take them anew, do not keep them. */
  view<A extends TypedArray>(kind: Kind<A>, at: number, length: number): A {
    return new kind(this.kernel.memory.buffer, at, length);
  }

  /** The address of a copy of these values. */
  put<A extends TypedArray>(kind: Kind<A>, values: ArrayLike<A extends BigInt64Array ? bigint : number>): number {
    const at = this.lend(values.length * kind.BYTES_PER_ELEMENT);
    (this.view(kind, at, values.length) as { set(values: unknown): void }).set(values);
    return at;
  }

  data(at: number, bytes: number): DataView {
    return new DataView(this.kernel.memory.buffer, at, bytes);
  }
}
