/** Keys that work wherever one is on the page. Several actions may wait for one key, such as Escape: the newest that does
 * not decline (by returning false) takes it. */

type Action = () => unknown;

const actions = new Map<string, Action[]>();

/** `key`: "d", " ", "Escape", "Control+z", "Control+Shift+z" (on a Mac the command key counts as Control). Returns how to
 * stop it, as an effect wants it. */
export function onKey(key: string, action: Action): () => void {
  actions.set(key, [...(actions.get(key) ?? []), action]);
  return () => {
    actions.set(
      key,
      actions.get(key)!.filter((each) => each !== action),
    );
  };
}

type Pressed = Pick<
  KeyboardEvent,
  "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "defaultPrevented" | "target" | "preventDefault"
>;

export function pressed(event: Pressed): void {
  if (event.defaultPrevented || event.altKey || isTaken(event)) return;
  for (const action of actions.get(nameOf(event))?.toReversed() ?? [])
    if (action() !== false) return event.preventDefault();
}

function nameOf({ key, ctrlKey, metaKey, shiftKey }: Pressed): string {
  const control = ctrlKey || metaKey;
  const name = key.length === 1 ? key.toLowerCase() : key;
  return `${control ? "Control+" : ""}${control && shiftKey ? "Shift+" : ""}${name}`;
}

const WRITING = "input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const PRESSABLE = "button, a, summary, input, [role=application], [role=gridcell]";

/** Whether the element under the keys has a use of its own for this one. */
function isTaken({ key, target }: Pressed): boolean {
  const within = (selector: string): boolean => !!(target as Element | null)?.closest?.(selector);
  if (key === "Escape") return false;
  return within(WRITING) || (key === " " && within(PRESSABLE));
}
