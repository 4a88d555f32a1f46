/** The dialog in which the owner chooses the film of a title at OMDb. */
import { hook, hooks, piece } from "../dom.js";
import { RequestError, tryLater } from "../net.js";
import { bindForm } from "../account/form.js";
import { faultsOf } from "../account/rules.js";
import { authorized } from "../account/session.js";
import { kindName } from "../text.js";
import { fetchPatiently } from "./loading.js";
import { t } from "../texts.js";

/** @import { Title } from "../types.js" */
/** @typedef {{ imdb_id: string, name: string, year: number | null, kind: string }} FilmAtOmdb */

const MATCH_MS = 60_000; // OMDb and the poster's host answer one after the other

/**
 * Return how many films were found: "3 films", "No film has this name."
 * @param {number} count
 */
export const foundText = (count) => (count ? t("films.count", { count }) : t("film.none"));

export class FilmDialog {
  /**
   * `onFailed(text)` is called if a match fails that the dialog does not show any more.
   * @param {HTMLElement} root
   * @param {{ onMatched: (title: Title) => void, onFailed: (text: string) => void }} how
   */
  constructor(root, { onMatched, onFailed }) {
    this.at = hooks(root);
    this.onMatched = onMatched;
    this.onFailed = onFailed;
    /** How often the dialog was opened. */
    this.turn = 0;
    /** @type {Title | null} */
    this.title = null;
    const { at } = this;
    at["film-close"].addEventListener("click", () => at["film-dialog"].close());
    this.form = bindForm(hook(root, "film-form"), {
      busy: t("person.searching"),
      check: ({ q }) => faultsOf({ q: q.trim() ? "" : t("film.enter_name") }),
      send: ({ q }) => this.search(q.trim()),
      late: () => {}, // nobody waits for a search of an earlier title
    });
  }

  /** @param {Title} title */
  open(title) {
    const { at } = this;
    this.title = title;
    this.turn += 1;
    this.form.begin();
    at["film-form"].elements.q.value = title.name;
    at.films.replaceChildren();
    at["film-count"].textContent = "";
    at["film-dialog"].showModal();
    at["film-form"].elements.q.focus();
  }

  /** @param {string} words */
  async search(words) {
    const { at, title, turn } = this;
    /** @type {{ films: FilmAtOmdb[], reason: string | null }} */
    const { films, reason } = await fetchPatiently(`catalogue/films?q=${encodeURIComponent(words)}`);
    if (!title || turn !== this.turn) return;
    at["film-count"].textContent = reason ?? foundText(films.length);
    at.films.replaceChildren(...films.map((film) => this.node(title, film)));
  }

  /**
   * @param {Title} title
   * @param {FilmAtOmdb} film
   */
  node(title, film) {
    const node = piece("film");
    const on = hooks(node);
    on.name.textContent = film.name;
    on.facts.textContent = [film.year ? String(film.year) : t("film.year_unknown"), kindName(film.kind)].join(" · ");
    on["choose-name"].textContent = ` ${film.name} (${film.year ?? t("film.year_unknown_inside")})`;
    on.choose.addEventListener("click", () => this.choose(title, film, on.choose));
    return node;
  }

  /**
   * @param {Title} title
   * @param {FilmAtOmdb} film
   * @param {HTMLElement} button
   */
  async choose(title, film, button) {
    const { at, turn } = this;
    const isShown = () => turn === this.turn && at["film-dialog"].open;
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    this.form.tell("");
    try {
      const path = `titles/${encodeURIComponent(title.id)}/match`;
      const matched = await authorized(path, { method: "PUT", body: { imdb_id: film.imdb_id }, signal: AbortSignal.timeout(MATCH_MS) });
      if (isShown()) at["film-dialog"].close();
      this.onMatched(matched);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (isShown()) this.form.tell(error.message);
      else this.onFailed(t("film.not_chosen", { name: title.name, reason: tryLater(error) }));
    } finally {
      button.removeAttribute("aria-disabled");
    }
  }
}
