// Runs the page's own kernel, through the page's own bridge: node kernel_in_node.ts kernel.wasm < job.json > result.json
// A job holds a network, inputs, targets and an order; the result its trace, gradient, losses and trained parameters.
import { readFileSync } from "node:fs";
import { Context, type Plan, type Targets } from "../../frontend/src/core/context.ts";
import { InputKind, Purpose, Vector } from "../../frontend/src/core/names.ts";
import { Architecture } from "../../frontend/src/network/architecture.ts";
import { Network } from "../../frontend/src/network/network.ts";
import { Tracer } from "../../frontend/src/network/trace.ts";

const job = JSON.parse(readFileSync(0, "utf8"));
const module = await WebAssembly.compile(readFileSync(process.argv[2]));
const architecture = new Architecture(job.sizes, job.activations);
const parameters = Float32Array.from(job.parameters);
const [columns, fanOut] = [job.sizes[0], job.sizes.at(-1)];
const images = Uint8Array.from(job.images);
const rows = { values: images, scale: job.scale, count: images.length / columns };
const targets: Targets = job.labels ? { labels: Int32Array.from(job.labels) } : { rows: Float32Array.from(job.rows) };
const plan: Plan = { batchSize: job.batch_size, loss: job.loss, optimizer: job.optimizer, l2: job.l2 };

function outputs(): number[] {
  const context = new Context(module, architecture, Purpose.Forward, { ...plan, batchSize: 96 });
  context.write(Vector.Parameters, parameters);
  const at = context.memory.lend(4 * rows.count * fanOut);
  context.forward(context.dense(rows), at);
  return [...context.memory.view(Float32Array, at, rows.count * fanOut)];
}

function trace(): number[][] {
  const inputs = Float32Array.from(images.subarray(0, columns), (value) => value * Math.fround(job.scale));
  const { layers } = new Tracer(module).trace(new Network(architecture, parameters), inputs);
  return layers.flatMap((layer) => [layer.weightedSums, layer.preActivations, layer.activations].map((a) => [...a]));
}

function gradient(): { loss: number; slopes: number[] } {
  const context = new Context(module, architecture, Purpose.Gradient, { ...plan, batchSize: rows.count });
  context.write(Vector.Parameters, parameters);
  context.setExamples(context.dense(rows), context.targets(targets));
  return { loss: context.gradient(), slopes: [...context.read(Vector.Slopes)] };
}

function training(): { losses: number[]; parameters: number[] } {
  const context = new Context(module, architecture, Purpose.Train, plan, true);
  const { memory } = context;
  const entries = images.length + columns + 16; // the kernel writes whole registers, beyond the last entry too
  const [positions, packed, starts] = [2 * entries, entries, 8 * (rows.count + 1)].map((bytes) => memory.lend(bytes));
  memory.kernel.pack_bytes(
    memory.put(Uint8Array, images),
    rows.count,
    columns,
    images.length,
    positions,
    packed,
    starts,
  );
  context.write(Vector.Parameters, parameters);
  context.setExamples(
    context.inputs(InputKind.ShortBytes, job.scale, rows.count, packed, positions, starts),
    context.targets(targets),
  );
  const order = memory.put(BigInt64Array, job.order.map(BigInt));
  const rates = memory.put(Float64Array, job.rates);
  const losses = memory.lend(8 * job.rates.length);
  const done = context.run(order, job.order.length, rates, 0, job.rates.length, losses);
  return {
    losses: [...memory.view(Float64Array, losses, done)],
    parameters: [...context.read(Vector.Parameters)],
  };
}

process.stdout.write(
  JSON.stringify({ outputs: outputs(), trace: trace(), gradient: gradient(), training: training() }),
);
