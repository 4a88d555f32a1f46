/** The titles: search, edit and withdraw. */
import { hook, hooks, picture, piece, reconcile, say } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { hueOf, pictureFor, titleAddress } from "../cards.js";
import { stateLabel } from "../text.js";
import { bindForm } from "../account/form.js";
import { faultsOf } from "../account/rules.js";
import { authorized } from "../account/session.js";
import { changesOf, yearFault } from "./words.js";

/** @import { Title } from "../types.js" */

const TYPING_MS = 300;
const PAGE = 24;

/** @param {{ id: string }} title */
const pathOf = ({ id }) => `titles/${encodeURIComponent(id)}`;

/**
 * Return the short facts about a title in one line.
 * @param {{ year?: number | null, status: string }} title
 */
export const titleFacts = ({ year, status }) =>
  [year ? String(year) : "Year unknown", status === "encoding" ? "Encoding" : stateLabel(status)].filter(Boolean).join(" · ");

class Titles {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.at = hooks(root);
    /** @type {Title[]} */
    this.titles = [];
    /** @type {string | null} */
    this.cursor = null;
    /** @type {Title | null} */
    this.current = null;
    this.asked = 0;
    const { at } = this;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    at.search.addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
    at.q.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.load(), TYPING_MS);
    });
    at.more.addEventListener("click", () => this.load({ more: true }));
    at["edit-close"].addEventListener("click", () => at["edit-dialog"].close());
    at["withdraw-close"].addEventListener("click", () => at["withdraw-dialog"].close());
    this.editing = this.bindEdit(hook(root, "edit-form"));
    this.withdrawing = this.bindWithdraw(hook(root, "withdraw-form"));
  }

  look() {
    return this.load();
  }

  async load({ more = false } = {}) {
    const { at } = this;
    const turn = (this.asked += 1);
    const asked = new URLSearchParams({ q: at.q.value.trim(), limit: String(PAGE), ...(more && this.cursor ? { cursor: this.cursor } : {}) });
    try {
      const page = await authorized(`catalogue/titles?${asked}`);
      if (turn !== this.asked) return;
      const first = this.titles.length;
      this.titles = more ? [...this.titles, ...page.titles] : page.titles;
      this.cursor = page.cursor;
      say(at.trouble, "");
      this.write();
      if (more) hook(at.titles.children[first] ?? at.titles.lastElementChild, "edit").focus();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      say(at.trouble, error.message);
    }
  }

  write() {
    const { at } = this;
    reconcile(at.titles, this.titles, { key: ({ id }) => id, create: () => piece("title"), update: (node, title) => this.update(node, title) });
    const searched = Boolean(at.q.value.trim());
    at.none.hidden = this.titles.length > 0 || searched;
    at["none-alike"].hidden = this.titles.length > 0 || !searched;
    at.more.hidden = !this.cursor;
    at.titles.removeAttribute("aria-busy");
  }

  /**
   * @param {HTMLElement} node
   * @param {Title} title
   */
  update(node, title) {
    const on = hooks(node);
    on.link.textContent = title.name;
    on.link.href = titleAddress(title.id);
    on.link.id = `title-${title.id}`;
    on.facts.textContent = titleFacts(title);
    say(on.note, title.failure || (title.metadata?.matched ? "" : title.metadata?.reason) || "");
    on.art.style.setProperty("--hue", hueOf(title.id));
    picture(on.picture, pictureFor(title.artwork, "card"));
    for (const button of [on.edit, on.withdraw]) button.setAttribute("aria-describedby", on.link.id);
    on.edit.onclick = () => this.openEdit(title);
    on.withdraw.onclick = () => this.openWithdraw(title);
  }

  /** @param {Title} title */
  openEdit(title) {
    const { at } = this;
    const form = at["edit-form"];
    this.current = title;
    this.editing.clear();
    form.elements.name.value = title.name;
    form.elements.year.value = title.year ?? "";
    form.elements.plot.value = title.plot ?? "";
    at["edit-dialog"].showModal();
    form.elements.name.focus();
  }

  /** @param {Title} title */
  openWithdraw(title) {
    const { at } = this;
    this.current = title;
    this.withdrawing.clear();
    at["withdraw-name"].textContent = title.name;
    at["withdraw-dialog"].showModal();
  }

  /** @param {HTMLFormElement} form */
  bindEdit(form) {
    return bindForm(form, {
      busy: "Saving…",
      check: ({ name, year }) => faultsOf({ name: name.trim() ? "" : "Enter a name.", year: yearFault(year) }),
      send: async ({ name, year, plot }) => {
        if (!this.current) return;
        const { current } = this;
        const changes = changesOf(current, { name, year, plot });
        if (Object.keys(changes).length) {
          const edited = await persist(() => authorized(pathOf(current), { method: "PATCH", body: changes }));
          this.titles = this.titles.map((title) => (title.id === edited.id ? edited : title));
          this.write();
          say(this.at.said, `Saved ${edited.name}. The site shows it within seconds.`);
        }
        this.at["edit-dialog"].close();
      },
    });
  }

  /** @param {HTMLFormElement} form */
  bindWithdraw(form) {
    return bindForm(form, {
      busy: "Withdrawing…",
      send: async () => {
        if (!this.current) return;
        const { id, name } = this.current;
        await persist(() => authorized(pathOf({ id }), { method: "DELETE" }));
        this.titles = this.titles.filter((title) => title.id !== id);
        this.write();
        this.at["withdraw-dialog"].close();
        say(this.at.said, `Withdrew ${name}. It can no longer be found or played.`);
        this.at.q.focus();
      },
    });
  }
}

/** @param {HTMLElement} root */
export const bindTitles = (root) => new Titles(root);
