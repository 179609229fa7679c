/** The teacher's mode: a line of text on top, and controls that are not there. It travels in links and single files. It keeps
 * a page simple; it is no security: whoever has the page has all that is in it. */

/** What can be hidden besides views, and what it is called. */
export const CONTROLS = {
  train: "Training",
  knobs: "Turning knobs by hand",
  card: "Neuron cards",
  steps: "The steps on a card",
  names: "Names of the outputs",
  files: "Opening files, choosing networks",
  share: "Share",
} as const;

/** As it travels. */
export interface Lesson {
  readonly text: string;
  /** Names of `CONTROLS`, and views by their ids. */
  readonly hidden: readonly string[];
  /** Without "show everything". */
  readonly locked: boolean;
}

export const NO_LESSON: Lesson = { text: "", hidden: [], locked: false };

export class LessonState {
  lesson: Lesson = $state.raw(NO_LESSON);
  /** Whether it is being given; while a teacher makes it up, everything stays there. */
  given: boolean = $state(false);
  /** Whether it was made on this page, so that one can go back to making it up. */
  own: boolean = $state(true);

  readonly any: boolean = $derived(this.lesson.text !== "" || this.lesson.hidden.length > 0);

  /** Whether this is not to be there. */
  hides(control: string): boolean {
    return this.given && this.lesson.hidden.includes(control);
  }

  /** A lesson that came in a link or a file begins at once; a link without one changes nothing. */
  begin(lesson: Lesson): void {
    if (lesson.text === "" && lesson.hidden.length === 0) return;
    this.lesson = lesson;
    this.given = true;
    this.own = false;
  }

  hide(control: string, hidden: boolean): void {
    const others = this.lesson.hidden.filter((each) => each !== control);
    this.lesson = { ...this.lesson, hidden: hidden ? [...others, control] : others };
  }
}

export const lesson = new LessonState();
