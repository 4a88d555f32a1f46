/** The list below the search field of every page: titles, people and genres while the viewer types. */
import { genreAddress, momentAddress, personAddress, titleAddress } from "../addresses.js";
import { hook, piece, picture } from "../dom.js";
import { orElse } from "../net.js";
import { clock, facts, genreName } from "../text.js";
import { findSaid, loadSearch } from "./loading.js";
import { t } from "../texts.js";

/** @import { Said } from "./dialogue.js" */
/** @import { Entry, Found, Search } from "./engine.js" */

const SOME_TITLES = 6;
const SOME_SAID = 2;

/** @typedef {{ text: string, note: string, address: string, art?: string | null, isTitle: boolean }} Suggestion */

/**
 * Return the suggestions for what was found, in the order in which they are shown.
 * @param {Found} found
 * @returns {Suggestion[]}
 */
export function suggestionsFor({ titles, people, genres }) {
  return [
    ...titles.slice(0, SOME_TITLES).map((title) => ({
      text: title.name,
      note: title.status === "announced" ? t("common.coming_soon") : facts({ ...title, genres: title.genres.slice(0, 1) }).map((fact) => fact.text).join(" · "),
      address: titleAddress(title.id),
      art: title.artwork?.card,
      isTitle: true,
    })),
    ...people.map((name) => ({ text: name, note: t("search.person"), address: personAddress(name), isTitle: false })),
    ...genres.map((name) => ({ text: genreName(name), note: t("search.genre"), address: genreAddress(name), isTitle: false })),
  ];
}

/**
 * Return the suggestions that lead to the moments at which something is said, one per title.
 * @param {Said[]} said
 * @param {Entry[]} entries
 * @param {string} query
 * @returns {Suggestion[]}
 */
export const momentsFor = (said, entries, query) =>
  said.slice(0, SOME_SAID).flatMap(({ id, seconds: [second] }) => {
    const title = entries.find((entry) => entry.id === id);
    return title ? [{ text: title.name, note: t("search.said_at", { query, time: clock(second) }), address: momentAddress(id, second), art: title.artwork?.card, isTitle: true }] : [];
  });

/**
 * Return the number of the active suggestion after an arrow key; -1 is the field itself.
 * @param {{ active: number, count: number, step: number }} state
 */
export const moved = ({ active, count, step }) => ((active + 1 + step + count + 1) % (count + 1)) - 1;

/** Binds the search field and its list (the ARIA pattern "combobox"). */
export class Suggestions {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    /** @type {HTMLInputElement} */
    this.input = hook(form, "query");
    /** @type {HTMLElement} */
    this.list = hook(form, "suggestions");
    this.active = -1;
    this.asked = 0;
  }

  bind() {
    this.input.addEventListener("input", () => this.suggest());
    this.input.addEventListener("focus", () => this.suggest());
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.form.addEventListener("focusout", ({ relatedTarget }) => {
      if (!(relatedTarget instanceof Node && this.form.contains(relatedTarget))) this.close();
    });
    this.suggest();
  }

  /** Show the suggestions for what is typed; an answer to what was typed earlier is dropped. */
  async suggest() {
    this.asked += 1;
    const { asked } = this;
    const query = this.input.value.trim();
    const search = query ? await orElse(loadSearch(), null) : null; // without a connection, the field still leads to the search page
    if (asked !== this.asked) return;
    if (!search) this.close();
    else await this.suggestFor(search, query, asked);
  }

  /**
   * Show the matches in the catalogue, and below them, once it is loaded, what is said in films.
   * @param {Search} search
   * @param {string} query
   * @param {number} asked
   */
  async suggestFor(search, query, asked) {
    const named = suggestionsFor(search.find(query));
    this.show(named);
    const said = momentsFor(await findSaid(search, query), search.entries, query);
    if (asked === this.asked && said.length && this.active < 0) this.show([...named, ...said]);
  }

  /** @param {Suggestion[]} suggestions */
  show(suggestions) {
    this.list.replaceChildren(...suggestions.map((one, index) => this.option(one, index)));
    this.move(-1);
    this.list.hidden = suggestions.length === 0;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
  }

  /**
   * @param {Suggestion} suggestion
   * @param {number} index
   */
  option({ text, note, address, art, isTitle }, index) {
    const node = piece("suggestion");
    node.id = `suggestion-${index}`;
    node.href = address;
    node.classList.toggle("is-title", isTitle);
    hook(node, "text").textContent = text;
    hook(node, "note").textContent = note;
    picture(hook(node, "picture"), art);
    return node;
  }

  close() {
    this.show([]);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !this.list.hidden) {
      event.preventDefault();
      this.move(moved({ active: this.active, count: this.list.children.length, step }));
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    } else if (event.key === "Enter" && this.active >= 0) {
      event.preventDefault();
      /** @type {HTMLElement} */ (this.list.children[this.active]).click();
    }
  }

  /** @param {number} active */
  move(active) {
    this.active = active;
    [...this.list.children].forEach((node, index) => node.setAttribute("aria-selected", String(index === active)));
    if (active < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", this.list.children[active].id);
  }
}
