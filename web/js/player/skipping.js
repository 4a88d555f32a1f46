/** The button that skips an opening, a recap or the credits: chapters of such a name, or parts found by their sound. */
import { t } from "../texts.js";

/** @import { Chapter } from "./engine.js" */
/** @import { SkippablePart } from "../types.js" */
/** @typedef {{ startTime: number, endTime: number, title: string, label: string }} Skippable */

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
 * Return what can be skipped: the chapters named so, and the parts that overlap none of these.
 * @param {Chapter[]} chapters
 * @param {SkippablePart[]} parts
 * @returns {Skippable[]}
 */
function skippables(chapters, parts) {
  const named = chapters.map(({ title, startTime, endTime }) => ({ title, startTime, endTime, label: labelFor(title) })).filter(({ label }) => label !== "");
  const isNamed = (/** @type {SkippablePart} */ part) => named.some(({ startTime, endTime }) => startTime < part.end_s && part.start_s < endTime);
  const found = parts.filter((part) => !isNamed(part)).map(({ kind, start_s, end_s }) => ({ title: kind, startTime: start_s, endTime: end_s, label: labelFor(kind) }));
  return [...named, ...found];
}

/**
 * Return what can be skipped at a time in seconds, unless it is over in a moment.
 * @param {Chapter[]} chapters
 * @param {number} time
 * @param {SkippablePart[]} [parts] parts of an episode that share their sound with others
 */
export const skippableAt = (chapters, time, parts = []) =>
  skippables(chapters, parts).find(({ startTime, endTime }) => startTime <= time && time < endTime - LEAST_S) ?? null;

export class Skipping {
  #button;
  #otherwise;
  #chapters;
  #parts;
  #time;
  #seek;
  /** @type {Skippable | null} */
  #chapter = null;

  /**
   * `otherwise` gets the focus when the button disappears.
   * @param {HTMLElement} button
   * @param {{ otherwise: HTMLElement, chapters: () => Chapter[], parts: () => SkippablePart[], time: () => number, seek: (time: number) => void }} how
   */
  constructor(button, { otherwise, chapters, parts, time, seek }) {
    this.#button = button;
    this.#otherwise = otherwise;
    this.#chapters = chapters;
    this.#parts = parts;
    this.#time = time;
    this.#seek = seek;
  }

  /** Show the button, or hide it, according to where the film is. */
  update() {
    const button = this.#button;
    const chapter = skippableAt(this.#chapters(), this.#time(), this.#parts());
    if (!chapter && document.activeElement === button) this.#otherwise.focus();
    if (chapter && chapter.label !== button.textContent) button.textContent = chapter.label;
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
