/** An epoch of training on the digits in this browser: glassnet's kernel, as the page runs it, and TensorFlow.js with its
 * WebAssembly backend. Same network, same rule, same batches' size; both are timed from inside. */

import { digitsOf } from "../../frontend/src/data/dataset.ts";
import { loadKernel } from "../../frontend/src/kernel/load.ts";
import { Random, Stream } from "../../frontend/src/kernel/random.ts";
import { Architecture } from "../../frontend/src/network/architecture.ts";
import { initial } from "../../frontend/src/network/initial.ts";
import { Run } from "../../frontend/src/training/run.ts";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threaded from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";
import plain from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";

const SIZES = [784, 16, 16, 10];
const RATE = 0.1;

export interface Epochs {
  /** Of each epoch, in turn. */
  seconds: number[];
  /** The mean loss of the last. */
  loss: number;
}

const digits = async () => digitsOf(new Uint8Array(await (await fetch("digits")).arrayBuffer()), "digits");

async function glassnet(epochs: number, batchSize: number): Promise<Epochs> {
  const [kernel, data] = await Promise.all([loadKernel(), digits()]);
  const architecture = new Architecture(SIZES, ["relu", "relu", "softmax"]);
  const start = initial(new Random(kernel, 0, Stream.StartValues), architecture, "fitting");
  const rule = { loss: "cross_entropy", optimizer: "sgd", rate: RATE, batchSize } as const;
  const run = new Run(kernel, architecture, data, { ...rule, l1: 0, l2: 0, dropout: 0, seed: 0 }, start);
  const seconds: number[] = [];
  let losses: number[] = [];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const began = performance.now();
    losses = [];
    while (run.step < epoch * run.stepsPerEpoch) losses.push(...run.advance(run.stride));
    seconds.push((performance.now() - began) / 1000);
  }
  return { seconds, loss: losses.reduce((sum, loss) => sum + loss) / losses.length };
}

async function tensorflow(epochs: number, batchSize: number): Promise<Epochs> {
  setWasmPaths({
    "tfjs-backend-wasm.wasm": plain,
    "tfjs-backend-wasm-simd.wasm": simd,
    "tfjs-backend-wasm-threaded-simd.wasm": threaded, // taken only where pages may share memory: not here
  });
  await tf.setBackend("wasm");
  const { inputs, targets } = await digits();
  const pictures = tf.tensor2d(
    Float32Array.from(inputs.values, (value) => value / 255),
    [inputs.count, SIZES[0]],
  );
  const classes = tf.oneHot(tf.tensor1d((targets as { labels: Int32Array }).labels, "int32"), SIZES[3]);
  const model = layers.sequential();
  SIZES.slice(1).forEach((units, layer) =>
    model.add(
      layers.layers.dense({ units, activation: layer < 2 ? "relu" : "softmax", ...(!layer && { inputShape: [784] }) }),
    ),
  );
  model.compile({ optimizer: tf.train.sgd(RATE), loss: "categoricalCrossentropy" });
  const seconds: number[] = [];
  let loss = NaN;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const began = performance.now();
    const { history } = await model.fit(pictures, classes, {
      epochs: 1,
      batchSize,
      shuffle: true,
      verbose: 0,
      yieldEvery: "never",
    });
    loss = history.loss[0] as number;
    seconds.push((performance.now() - began) / 1000);
  }
  return { seconds, loss };
}

Object.assign(window, { glassnet, tensorflow });
