/** The server that `glassnet open` started (src/glassnet/web). */

import { digitsOf, type Dataset } from "../data/dataset.ts";
import type { Examples } from "../data/table.ts";
import type { Host, NamedNetwork, Start } from "./types.ts";
import type { FileNeuron, ModelFile } from "../network/model_file.ts";
import type { Schema } from "../network/network.ts";
import { readHeader, readNetwork } from "../network/safetensors.ts";

interface Problem {
  problem: string;
  help: string | null;
}
interface Opened extends Omit<ModelFile, "neuron" | "network"> {
  id: string;
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

async function ask(path: string, init?: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new Error("The server is gone. What you have here goes on; start it again with: glassnet open");
  }
  if (answer.ok) return answer;
  const problem = (await answer.json().catch(() => null)) as Problem | null;
  throw new Error(
    problem?.problem
      ? `${capitalised(problem.problem)}.${problem.help ? ` ${capitalised(problem.help)}.` : ""}`
      : `The server answered ${answer.status}.`,
  );
}

const json = async <T>(path: string, init?: RequestInit): Promise<T> => (await ask(path, init)).json() as Promise<T>;

/** Numbers as JSON has them; those it lacks come as their names. */
const numbers = (values: (number | string)[]): Float32Array => Float32Array.from(values, Number);

function modelFile({ id, ...about }: Opened): ModelFile {
  return {
    ...about,
    async neuron(tensor, index, start = 0) {
      const query = new URLSearchParams({ tensor, index: String(index), start: String(start) });
      const row = await json<Record<string, never>>(`/api/files/${id}/neuron?${query}`);
      const found = { ...row, fanIn: row["fan_in"], weights: numbers(row["weights"]) } as unknown as FileNeuron;
      return found;
    },
    async network(activation) {
      const query = activation ? `?${new URLSearchParams({ activation })}` : "";
      return readNetwork(await (await ask(`/api/files/${id}/network${query}`)).blob());
    },
  };
}

/** The rows of a table as `web/tables.py` sends them. */
async function examplesIn(file: Blob, name: string): Promise<Examples> {
  const { tensors, metadata } = await readHeader(file);
  const bytes = async (tensor: string): Promise<ArrayBuffer> => {
    const { from, to } = tensors.find((entry) => entry.name === tensor)!;
    return file.slice(from, to).arrayBuffer();
  };
  const [inputs, targets] = [await bytes("inputs"), await bytes("targets")];
  const schema = JSON.parse(metadata.schema) as Schema;
  const [count, width] = tensors.find((entry) => entry.name === "inputs")!.shape;
  const data: Dataset = {
    name,
    inputs: { values: new Float32Array(inputs), scale: 1, count },
    targets: schema.classes ? { labels: new Int32Array(targets) } : { rows: new Float32Array(targets) },
    width,
    schema,
  };
  return { data, notes: JSON.parse(metadata.notes) as string[] };
}

export function servedHost(): Host {
  const digits: Partial<Record<"train" | "test", Promise<Dataset>>> = {};
  return {
    offline: false,
    async start(): Promise<Start> {
      const { version, networks, files } = await json<{
        version: string;
        networks: { name: string; url: string; from: NamedNetwork["from"] }[];
        files: { id: string; name: string }[];
      }>("/api/start");
      return {
        version,
        networks: networks.map(({ name, url, from }) => ({
          name,
          from,
          load: async () => readNetwork(await (await ask(url)).blob()),
        })),
        files: files.map(({ id, name }) => ({
          name,
          open: async () => modelFile({ ...(await json<Omit<Opened, "id">>(`/api/files/${id}/tree`)), id }),
        })),
        state: null,
        table: null,
      };
    },
    digits(part) {
      digits[part] ??= ask(`/api/digits/${part}`).then(async (answer) => {
        const name = part === "train" ? "training digits" : "test digits";
        return digitsOf(new Uint8Array(await answer.arrayBuffer()), name);
      });
      return digits[part];
    },
    async open(file) {
      return modelFile(
        await json<Opened>(`/api/files?${new URLSearchParams({ name: file.name })}`, { method: "POST", body: file }),
      );
    },
    async table(file) {
      const post = (query: Record<string, string>): Promise<Response> =>
        ask(`/api/tables?${new URLSearchParams({ name: file.name, ...query })}`, { method: "POST", body: file });
      const { columns } = (await (await post({})).json()) as { columns: string[] };
      return {
        name: file.name,
        columns,
        examples: async (target) => examplesIn(await (await post({ target })).blob(), file.name),
      };
    },
    template: async () => (await ask("/page.html")).text(),
  };
}
