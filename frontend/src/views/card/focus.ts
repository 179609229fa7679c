/** Whether the focus goes out of the element that listens, and not only from one field in it to the next. */
export const leaves = ({ currentTarget, relatedTarget }: FocusEvent): boolean =>
  !(currentTarget as Element).contains(relatedTarget as Node | null);
