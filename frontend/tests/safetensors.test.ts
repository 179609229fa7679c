import { describe, expect, test } from "vitest";
import { openSafetensors } from "../src/network/model_file.ts";
import { readHeader, readNetwork, writeNetwork } from "../src/network/safetensors.ts";
import { someNetwork } from "./networks.ts";

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

describe("a file of any size", () => {
  test("gives one neuron", async () => {
    const opened = await openSafetensors(new File([written], "net.safetensors"));
    expect(opened.total).toBe(network.architecture.total);
    expect(opened.chain).toEqual({ sizes: [3, 4, 2], activations: ["gelu", "identity"] });
    const row = await opened.neuron("layers.0.weight", 2);
    expect(row.weights).toEqual(network.weights({ layer: 0, neuron: 2 }).slice());
    expect(row.bias).toBe(network.bias({ layer: 0, neuron: 2 }));
    await expect(opened.neuron("layers.0.weight", 4)).rejects.toThrow("rows 0 to 3, not 4");
    await expect(opened.neuron("layers.9.weight", 0)).rejects.toThrow("no tensor layers.9.weight");
  });

  test.each([
    ["BF16", [0x80, 0x3f, 0x40, 0xc0], [1, -3]],
    ["F16", [0x00, 0x3c, 0x01, 0x80], [1, -(2 ** -24)]],
    ["F16", [0x00, 0x7c, 0x00, 0xfc], [Infinity, -Infinity]],
    ["I8", [0x01, 0xff], [1, -1]],
    ["U8", [0x01, 0xff], [1, 255]],
  ])("reads %s", async (dtype, bytes, values) => {
    const header = { row: { dtype, shape: [1, 2], data_offsets: [0, bytes.length] } };
    const opened = await openSafetensors(file(header, Uint8Array.from(bytes).buffer));
    expect([...(await opened.neuron("row", 0)).weights]).toEqual(values);
  });

  test("says which type it does not read", async () => {
    const opened = await openSafetensors(file({ row: { dtype: "F4", shape: [2], data_offsets: [0, 1] } }, 1));
    await expect(opened.neuron("row", 0)).rejects.toThrow("stored as F4");
  });
});
