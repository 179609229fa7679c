import { expect, it } from "vitest";
import { drop, kindOf, takes } from "../src/views/shell/drop.ts";

const text = (content: string): Blob => new Blob([content]);
const bytes = (...content: number[]): Blob => new Blob([Uint8Array.from(content)]);

it.each([
  ["a PNG", bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a), "image"],
  ["a JPEG", bytes(0xff, 0xd8, 0xff, 0xe0), "image"],
  ["WEBP", text("RIFF\x24\x00\x00\x00WEBPVP8 "), "image"],
  ["lines with commas", text("length,width\n5.1,3.5\n"), "table"],
  ["lines with semicolons and umlauts", text("Größe;Länge\r\n1;2\r\n"), "table"],
  ["lines with tabs", text("a\tb\n1\t2\n"), "table"],
  ["JSON, an index of parts", text('{"metadata": {}, "weight_map": {"a": "b"}}'), "model"],
  ["safetensors", new Blob([bytes(24, 0, 0, 0, 0, 0, 0, 0), text('{"a":{"dtype":"F32"}},,')]), "model"],
  ["a zip", bytes(0x50, 0x4b, 3, 4, 0xff, 0xfe), "model"],
  ["text without columns", text("hello\nthere, you\n"), "model"],
  ["nothing", bytes(), "model"],
] as const)("%s is known by its content", async (_, blob, kind) => expect(await kindOf(blob)).toBe(kind));

it("an umlaut cut in two at the end of what is looked at is still text", async () => {
  expect(await kindOf(text("a,b\n" + "x".repeat(4091) + "ü"))).toBe("table");
});

it("a file goes to who takes its kind, or is said to have no use", async () => {
  const taken: string[] = [];
  const stop = takes("table", (file) => taken.push(file.name));
  const file = new File(["a,b\n1,2\n"], "t.csv");
  expect(await drop(file)).toBeNull();
  expect(taken).toEqual(["t.csv"]);
  stop();
  expect(await drop(file)).toBe("t.csv looks like a table, which has no use here now.");
});
