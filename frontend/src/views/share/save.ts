/** Hands a file to the visitor. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A name that any system takes as a file's. */
export const fileName = (name: string): string => name.replace(/[^\p{L}\p{N} ._-]+/gu, "-").trim() || "network";
