/** Lists of the Studio: entries with a heading, a line of facts and a state, loaded page by page. */
import { bindOnce, hooks, piece, say } from "../dom.js";
import { moment } from "../account/words.js";
import { fetchPatiently, loadInto } from "./loading.js";

/** @import { Entry } from "../types.js" */

/**
 * Return the text for a time in the middle of a sentence: "today, 14:05" instead of "Today, 14:05".
 * @param {string} iso
 * @param {Date} now
 */
export const when = (iso, now) => moment(iso, now).replace(/^[TY]/, (letter) => letter.toLowerCase());

/** A list on the page. */
export class List {
  /**
   * @param {HTMLElement} root
   * `name` is the list's name in the response; `act(one, button)` is called by an entry's button.
   * @param {{ path: string, name: string, write: (one: any, now: Date) => Entry, act?: (one: any) => void }} how
   */
  constructor(root, { path, name, write, act = () => {} }) {
    this.at = hooks(root);
    this.path = path;
    this.name = name;
    /** @type {string | null} */
    this.cursor = null;
    this.entryOf = write;
    this.act = act;
    /** @type {Record<string, any>[]} */
    this.shown = [];
    if (this.at.more) bindOnce(this.at.more, () => this.load({ more: true }));
    if (this.at.retry) bindOnce(this.at.retry, () => this.load());
  }

  async load({ more = false } = {}) {
    const { at } = this;
    const from = more && this.cursor ? `?cursor=${encodeURIComponent(this.cursor)}` : "";
    await loadInto(at, async () => {
      const page = await fetchPatiently(this.path + from);
      const found = page[this.name];
      this.cursor = page.cursor;
      this.shown = more ? [...this.shown, ...found] : found;
      at.entries.replaceChildren(...this.shown.map((one) => this.node(one)));
      at.none.hidden = this.shown.length > 0;
      if (at.more) at.more.hidden = !page.cursor;
    });
    at.entries.removeAttribute("aria-busy");
  }

  /** @param {Record<string, any>} one */
  node(one) {
    const node = piece("entry");
    const on = hooks(node);
    const { head, facts, state, kind = "", action = "" } = this.entryOf(one, new Date());
    on.head.textContent = head;
    on.facts.textContent = facts.filter(Boolean).join(" · ");
    say(on.state, state);
    node.dataset.kind = kind;
    say(on.act, action);
    if (action) {
      on.act.setAttribute("aria-label", `${action}: ${head}`);
      on.act.addEventListener("click", () => this.act(one));
    }
    return node;
  }
}
