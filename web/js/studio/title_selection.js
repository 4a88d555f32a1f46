/** The titles that the owner has selected, and what is done with all of them. */
import { hooks } from "../dom.js";
import { RequestError } from "../net.js";
import { t } from "../texts.js";

/** @import { Title } from "../types.js" */

/**
 * Do something with each title, one after the other; return those that succeeded, and the first failure.
 * @param {Title[]} titles
 * @param {(title: Title) => Promise<unknown>} work
 * @returns {Promise<{ done: Title[], failure: { title: Title, error: RequestError } | null }>}
 */
export async function forEachTitle(titles, work) {
  /** @type {Title[]} */
  const done = [];
  for (const title of titles) {
    try {
      await work(title);
      done.push(title);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return { done, failure: { title, error } };
    }
  }
  return { done, failure: null };
}

/**
 * Return what was done: "Withdrew 3 titles.", "Withdrew 1 of 3 titles. The Sea: There is no such title."
 * @param {"published" | "withdrew"} act
 * @param {Title[]} chosen
 * @param {{ done: Title[], failure: { title: Title, error: RequestError } | null }} result
 */
export function resultText(act, chosen, { done, failure }) {
  if (!failure) return t(act === "published" ? "titles.published_all" : "titles.withdrew_all", { count: done.length });
  const some = t(act === "published" ? "titles.published_some" : "titles.withdrew_some", { count: chosen.length, done: done.length });
  return `${some} ${failure.title.name}: ${failure.error.message}`;
}

export class Selection {
  /**
   * @param {HTMLElement} root
   * @param {{ titles: () => Title[], publish: (titles: Title[]) => void, withdraw: (titles: Title[]) => void, onChange: () => void }} how
   */
  constructor(root, { titles, publish, withdraw, onChange }) {
    this.at = hooks(root);
    this.titles = titles;
    this.onChange = onChange;
    /** @type {Set<string>} */
    this.ids = new Set();
    this.at["bulk-publish"].addEventListener("click", () => publish(this.chosen.filter(({ draft }) => draft)));
    this.at["bulk-withdraw"].addEventListener("click", () => withdraw(this.chosen));
    this.at["bulk-none"].addEventListener("click", () => this.clear());
  }

  /** The selected titles that are in the list. */
  get chosen() {
    return this.titles().filter(({ id }) => this.ids.has(id));
  }

  clear() {
    this.ids.clear();
    this.onChange();
  }

  /**
   * @param {Title} title
   * @param {boolean} isChosen
   */
  choose({ id }, isChosen) {
    if (isChosen) this.ids.add(id);
    else this.ids.delete(id);
    this.write();
  }

  write() {
    const { at, chosen } = this;
    at.bulk.hidden = chosen.length === 0;
    at["bulk-count"].textContent = t("titles.selected", { number: chosen.length });
    at["bulk-publish"].hidden = !chosen.some(({ draft }) => draft);
  }
}
