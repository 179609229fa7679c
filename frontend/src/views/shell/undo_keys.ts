/** Ctrl+Z undoes, Ctrl+Shift+Z (or Ctrl+Y) does again; on a Mac with the command key. Text that is being typed has its own. */

interface Undoable {
  undo(): void;
  redo(): void;
}

export function undoKey(event: KeyboardEvent, at: Undoable): void {
  const key = event.key.toLowerCase();
  if (!(event.ctrlKey || event.metaKey) || event.altKey || (key !== "z" && key !== "y") || isTyping(event.target))
    return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) at.redo();
  else at.undo();
}

/** In a field for text; a number field in which nothing has been typed yet is none. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches("input.number")) return target.dataset.typing !== undefined;
  return target.matches("input[type=text], input:not([type]), textarea, [contenteditable]");
}
