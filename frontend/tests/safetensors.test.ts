import { describe, expect, test } from "vitest";
import { openNetworkFile } from "../src/host/network_file.ts";
import { readHeader, readNetwork, writeNetwork } from "../src/network/safetensors.ts";
import { someNetwork } from "./networks.ts";
import { digest, vectors } from "./vectors.ts";

const schema = { input_shape: [3], features: ["a", "ü", "c"] };
const network = someNetwork([3, 4, 2], ["gelu", "identity"], schema);
const written = writeNetwork(network);

/** A safetensors file with this header and so many bytes of tensors. */
function file(header: unknown, bytes: ArrayBuffer | number = 0): File {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(text.length), true);
  return new File(
    [length.buffer, text, typeof bytes === "number" ? new ArrayBuffer(bytes) : bytes],
    "some.safetensors",
  );
}

describe("a network's file", () => {
  test("gives back what was written", async () => {
    const read = await readNetwork(new Blob([written]));
    expect(read.parameters).toEqual(network.parameters);
    expect(read.architecture).toEqual(network.architecture);
    expect(read.schema).toEqual(schema);
  });

  test("says what is wrong when it is cut anywhere", async () => {
    for (let length = 0; length < written.length; length += 7)
      await expect(readNetwork(new Blob([written.slice(0, length)]))).rejects.toThrow(/^it /);
  });
});

describe("a header", () => {
  test.each([
    ["no JSON", "{nonsense", "no JSON"],
    ["a tensor without a shape", { a: { dtype: "F32" } }, "tells nothing of tensor a"],
    ["null for a tensor", { a: null }, "tells nothing of tensor a"],
    ["offsets beyond the end", { a: { dtype: "F32", shape: [9], data_offsets: [0, 36] } }, "does not fit"],
    ["offsets that run backwards", { a: { dtype: "F32", shape: [0], data_offsets: [4, 0] } }, "does not fit"],
    ["a shape that is not its size", { a: { dtype: "F32", shape: [2], data_offsets: [0, 4] } }, "does not fit"],
  ])("with %s is refused", async (_, header, words) => {
    await expect(readHeader(file(header, 8))).rejects.toThrow(words);
  });

  test("longer than the file is refused", async () => {
    await expect(readHeader(new Blob([new Uint8Array(16).fill(255)]))).rejects.toThrow("no safetensors file");
  });
});

interface Case {
  name: string;
  file: string;
  network: { sizes: number[]; activations: string[]; schema: object; parameters: string } | null;
  total: number;
  bytes: number;
  neurons: {
    tensor: string;
    index: number;
    weights: number[];
    bias: number;
    mean: number;
    std: number;
    min: number;
    max: number;
  }[];
}

describe("a file opened without a server", () => {
  const cases = vectors<Case>("network_files").map((each) => ({
    ...each,
    opened: new File([Buffer.from(each.file, "base64")], "net.safetensors"),
  }));

  test.each(cases.filter(({ network }) => network))("is read as Python reads it: $name", async (wanted) => {
    const opened = await openNetworkFile(wanted.opened);
    const { architecture, parameters, schema } = await opened.network();
    expect({ ...architecture.sizes }).toEqual({ ...wanted.network!.sizes });
    expect(architecture.activations).toEqual(wanted.network!.activations);
    expect(schema).toEqual(wanted.network!.schema);
    expect(digest(parameters)).toBe(wanted.network!.parameters);
    expect([opened.total, opened.bytes]).toEqual([wanted.total, wanted.bytes]);
    for (const { tensor, index, weights, bias, ...statistics } of wanted.neurons) {
      const neuron = await opened.neuron(tensor, index);
      expect([...neuron.weights]).toEqual(weights);
      expect(neuron.bias).toBe(bias);
      for (const name of ["mean", "std", "min", "max"] as const) expect(neuron[name]).toBeCloseTo(statistics[name], 12);
    }
  });

  test("of another program is refused, with a command that opens it", async () => {
    const foreign = cases.find(({ network }) => !network)!;
    await expect(openNetworkFile(foreign.opened)).rejects.toThrow(
      /offline page reads networks that glassnet saved or exported as safetensors\. help: glassnet open net\.safetensors$/,
    );
  });

  test("gives a long row in pieces, with the statistics of all of it", async () => {
    const network = someNetwork([70_000, 1], ["identity"]);
    const weights = network.parameters.subarray(0, 70_000);
    const opened = await openNetworkFile(new File([writeNetwork(network)], "long.safetensors"));
    const [first, second] = [
      await opened.neuron("layers.0.weight", 0),
      await opened.neuron("layers.0.weight", 0, 65_536),
    ];
    expect([first.weights.length, second.weights.length]).toEqual([65_536, 4_464]);
    expect(second.max).toBe(weights.reduce((a, b) => Math.max(a, b)));
    expect(first.mean).toBe(second.mean);
    await expect(opened.neuron("layers.0.weight", 1)).rejects.toThrow("rows 0 to 0, not 1");
    await expect(opened.neuron("layers.9.weight", 0)).rejects.toThrow("no tensor layers.9.weight");
  });
});
