/** Files dropped anywhere on the page: what each is, told by its content, and who takes that kind. */

export type Kind = "model" | "image" | "table";
export const KINDS: Record<Kind, string> = { model: "a model file", image: "a picture", table: "a table" };

type Taker = (file: File) => void;
const takers = new Map<Kind, Taker>();

/** From now on this takes what is dropped of this kind; returns how to stop that. */
export function takes(kind: Kind, take: Taker): () => void {
  takers.set(kind, take);
  return () => {
    if (takers.get(kind) === take) takers.delete(kind);
  };
}

/** Hands a file to who takes its kind. A sentence if nobody does. */
export async function drop(file: File): Promise<string | null> {
  const kind = await kindOf(file);
  const take = takers.get(kind);
  if (!take) return `${file.name} looks like ${KINDS[kind]}, which has no use here now.`;
  take(file);
  return null;
}

const PICTURES = [
  [0x89, 0x50, 0x4e, 0x47], // PNG
  [0xff, 0xd8, 0xff], // JPEG
  [0x47, 0x49, 0x46, 0x38], // GIF
  [0x42, 0x4d], // BMP
];
const LOOKED_AT = 4096; // bytes

/** Told by content. What is neither a picture nor plain lines of columns is left to those who read models. */
export async function kindOf(file: Blob): Promise<Kind> {
  const bytes = new Uint8Array(await file.slice(0, LOOKED_AT).arrayBuffer());
  if (PICTURES.some((start) => start.every((byte, i) => bytes[i] === byte))) return "image";
  const ascii = String.fromCharCode(...bytes.subarray(0, 16));
  if (ascii.startsWith("RIFF") && ascii.endsWith("WEBP", 12)) return "image";
  return isTable(bytes) ? "table" : "model";
}

/** Text of which the first line has columns; JSON is none. */
function isTable(bytes: Uint8Array): boolean {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return false;
  }
  const [first] = text.split(/\r?\n/);
  return !/[\0-\x08]/.test(text) && !/^\s*[{[]/.test(text) && /[,;\t]/.test(first);
}
