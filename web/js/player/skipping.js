/** The button that skips an opening, a recap or the credits, if a film has a chapter of such a name. */
import { t } from "../texts.js";

/** @import { Chapter } from "./engine.js" */

const LEAST_S = 1;
/** How long the button stays when the controls have disappeared, in seconds; after that, it comes and goes with them. */
const SHOWN_S = 8;

const NUMBER = /^(?:(?:chapter|kapitel|part|teil)\s*)?\d+\s*[-–—.:)]*\s*/i;
/** @type {[RegExp, string][]} */
const LABELS = [
  [/^(?:intro|vorspann|title sequence|main titles?|theme song|opening (?:credits|titles|sequence|theme))$/i, t("player.skip_intro")],
  [/^(?:recap|previously(?: on .*)?|rückblick|was bisher geschah)$/i, t("player.skip_recap")],
  [/^(?:credits|abspann|outro|(?:end|closing|final) (?:credits|titles))$/i, t("player.skip_credits")],
];

/**
 * Return the label of the button that skips a chapter with this title; "" if it is part of the film itself.
 * @param {string} title
 */
export function labelFor(title) {
  const name = title.trim().replace(NUMBER, "").replace(/[\s.:…]+$/, "");
  return LABELS.find(([names]) => names.test(name))?.[1] ?? "";
}

/**
 * Return the chapter that can be skipped at a time in seconds, unless it is over in a moment.
 * @param {Chapter[]} chapters
 * @param {number} time
 */
export const skippableAt = (chapters, time) =>
  chapters.find(({ title, startTime, endTime }) => startTime <= time && time < endTime - LEAST_S && labelFor(title) !== "") ?? null;

export class Skipping {
  #button;
  #otherwise;
  #chapters;
  #time;
  #seek;
  /** @type {Chapter | null} */
  #chapter = null;

  /**
   * `otherwise` gets the focus when the button disappears.
   * @param {HTMLElement} button
   * @param {{ otherwise: HTMLElement, chapters: () => Chapter[], time: () => number, seek: (time: number) => void }} parts
   */
  constructor(button, { otherwise, chapters, time, seek }) {
    this.#button = button;
    this.#otherwise = otherwise;
    this.#chapters = chapters;
    this.#time = time;
    this.#seek = seek;
  }

  /** Show the button, or hide it, according to where the film is. */
  update() {
    const button = this.#button;
    const chapter = skippableAt(this.#chapters(), this.#time());
    if (!chapter && document.activeElement === button) this.#otherwise.focus();
    if (chapter && chapter !== this.#chapter) button.textContent = labelFor(chapter.title);
    this.#chapter = chapter;
    button.hidden = !chapter;
    if (chapter && this.#time() - chapter.startTime < SHOWN_S) button.removeAttribute("data-chrome");
    else button.setAttribute("data-chrome", "");
  }

  /** Continue after the chapter. */
  skip() {
    if (this.#chapter) this.#seek(this.#chapter.endTime);
  }
}
