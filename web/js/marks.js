/**
 * The viewer's marks of a title: whether it is on the list, and the rating. A press is shown at once and stored after
 * the previous one, so that what is shown and what is stored agree, in whichever order answers arrive.
 */
import { RequestError } from "./net.js";

/** @import { Traces } from "./types.js" */
/** @typedef {"listed" | "rating"} Kind */
/**
 * @typedef {object} Mark
 * @property {any} wanted what the viewer has chosen; undefined if that is unknown
 * @property {any} stored what the API has; undefined if that is unknown
 * @property {number} presses
 * @property {boolean} busy whether a request runs that stores it
 */

const NONE = { view: null, resume_s: 0, listed: false, rating: 0 };
const KINDS = /** @type {const} */ (["listed", "rating"]);

/** @returns {Mark} */
const unknown = () => ({ wanted: undefined, stored: undefined, presses: 0, busy: false });

export class Marks {
  #store;
  #onChange;
  /** @type {Record<Kind, Mark>} */
  #marks = { listed: unknown(), rating: unknown() };

  /**
   * `store[kind](value)` stores a mark. `onChange(error)` is called when a mark has changed: with undefined when it was
   * pressed, with null once it is stored, and with the error if it was undone because that failed.
   * @param {{
   *   store: Record<Kind, (value: any) => Promise<unknown>>,
   *   onChange: (kind: Kind, value: any, error?: RequestError | null) => void,
   * }} parts
   */
  constructor({ store, onChange }) {
    this.#store = store;
    this.#onChange = onChange;
  }

  /**
   * Prepare a request for the viewer's data; return a function that adds the marks to its answer. A mark that was
   * pressed after the request was sent is newer than the answer.
   * @returns {(found: Traces | null) => Traces | null}
   */
  asked() {
    const before = KINDS.map((kind) => ({ kind, mark: this.#marks[kind], presses: this.#marks[kind].presses, wasBusy: this.#marks[kind].busy }));
    return (found) => {
      for (const { kind, mark, presses, wasBusy } of before) {
        if (found && !wasBusy && presses === mark.presses) mark.wanted = mark.stored = found[kind];
      }
      return this.added(found);
    };
  }

  /**
   * Return the viewer's data with the marks as they are shown.
   * @param {Traces | null} found
   * @returns {Traces | null}
   */
  added(found) {
    const known = KINDS.filter((kind) => this.#marks[kind].wanted !== undefined).map((kind) => [kind, this.#marks[kind].wanted]);
    return found || known.length ? { ...NONE, ...found, ...Object.fromEntries(known) } : null;
  }

  /** Forget all marks and the requests that store them: the viewer is another one, or the page was left meanwhile. */
  forget() {
    this.#marks = { listed: unknown(), rating: unknown() };
  }

  /**
   * Show a mark, and store it.
   * @param {Kind} kind
   * @param {any} value
   */
  async press(kind, value) {
    const mark = this.#marks[kind];
    mark.wanted = value;
    mark.presses += 1;
    this.#onChange(kind, value);
    if (mark.busy) return; // the running request is followed by another
    mark.busy = true;
    try {
      await this.#storeLatest(kind, mark);
    } finally {
      mark.busy = false;
    }
  }

  /**
   * @param {Kind} kind
   * @param {Mark} mark
   */
  async #storeLatest(kind, mark) {
    for (;;) {
      const { wanted } = mark;
      /** @type {RequestError | null} */
      let failure = null;
      try {
        await this.#store[kind](wanted);
        mark.stored = wanted;
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        failure = error;
      }
      if (mark !== this.#marks[kind]) return; // forgotten
      if (mark.wanted !== wanted) continue; // pressed again meanwhile
      if (failure) mark.wanted = mark.stored ?? NONE[kind];
      this.#onChange(kind, mark.wanted, failure);
      return;
    }
  }
}
