// Runs the kernel as WebAssembly: node kernel_in_node.mjs kernel.wasm < job.json > result.json
// A job holds a network, images as bytes, labels and an order; the result its outputs, losses and trained parameters.
import { readFileSync } from "node:fs";

const job = JSON.parse(readFileSync(0, "utf8"));
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
const kernel = instance.exports;

let used = kernel.heap();
/** Lends `bytes` of the memory, aligned to 64. */
function lend(bytes) {
  const at = Math.ceil(used / 64) * 64;
  used = at + bytes;
  const missing = used - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / 65536));
  return at;
}
/** A copy of `values` in the kernel's memory. */
function put(Kind, values) {
  const at = lend(values.length * Kind.BYTES_PER_ELEMENT);
  new Kind(kernel.memory.buffer, at, values.length).set(values);
  return at;
}
const floats = (at, count) => Array.from(new Float32Array(kernel.memory.buffer, at, count));

const FORWARD = 0, TRAIN = 3, DENSE_BYTES = 0, SHORT_BYTES = 2, PARAMETERS = 0;
const sizes = put(Int32Array, job.sizes);
const squishes = put(Int32Array, job.squishes);
const rows = job.images.length / job.sizes[0];
const outputs = job.sizes.at(-1);
const images = put(Uint8Array, job.images);
const labels = put(Int32Array, job.labels);
const parameters = put(Float32Array, job.parameters);

function plan(purpose, batchSize, sparse) {
  const at = lend(104);
  const view = new DataView(kernel.memory.buffer, at);
  [purpose, job.sizes.length - 1, batchSize, sparse, job.loss, job.rule].forEach((n, i) => view.setInt32(4 * i, n, true));
  [1, 0, ...job.rule_settings, 0, 0, 0].forEach((x, i) => view.setFloat64(24 + 8 * i, x, true));
  view.setBigUint64(96, 0n, true);
  return at;
}
function inputs(kind, values, positions = 0, starts = 0) {
  const at = lend(32);
  const view = new DataView(kernel.memory.buffer, at);
  view.setInt32(0, kind, true);
  view.setFloat32(4, job.scale, true);
  view.setBigInt64(8, BigInt(rows), true);
  [values, positions, starts].forEach((pointer, i) => view.setInt32(16 + 4 * i, pointer, true));
  return at;
}
function context(purpose, batchSize, sparse) {
  const made = plan(purpose, batchSize, sparse);
  const opened = kernel.open(lend(kernel.bytes(made, sizes, 0)), made, sizes, squishes, 0, 0);
  kernel.write(opened, PARAMETERS, parameters);
  return opened;
}

const asked = context(FORWARD, 96, 0);
const out = lend(4 * rows * outputs);
kernel.forward(asked, inputs(DENSE_BYTES, images), out);
const result = { outputs: floats(out, rows * outputs) };

const learning = context(TRAIN, job.batch_size, 1);
const starts = lend(8 * (rows + 1));
const limit = job.images.length;
const positions = lend(2 * (limit + job.sizes[0] + 16));
const packed = lend(limit + job.sizes[0] + 16);
kernel.pack_bytes(images, rows, job.sizes[0], limit, positions, packed, starts);
const targets = put(Int32Array, [labels, 0, 0]);
kernel.set_examples(learning, inputs(SHORT_BYTES, packed, positions, starts), targets);
const order = put(BigInt64Array, job.order.map(BigInt));
const rates = put(Float64Array, job.rates);
const losses = lend(8 * job.rates.length);
const start = performance.now();
const done = kernel.run(learning, order, job.order.length, rates, 0, job.rates.length, losses);
result.seconds = (performance.now() - start) / 1000;
result.losses = Array.from(new Float64Array(kernel.memory.buffer, losses, done));
kernel.read(learning, PARAMETERS, parameters);
result.parameters = floats(parameters, job.parameters.length);
process.stdout.write(JSON.stringify(result));
