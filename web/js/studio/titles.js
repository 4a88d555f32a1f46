/** The titles: search, edit, publish and withdraw, one or several; the dialogs for film and pictures are separate. */
import { bindOnce, hook, hooks, picture, piece, reconcile, say } from "../dom.js";
import { orElse, pause, persist, RequestError, tryLater } from "../net.js";
import { titleAddress, trailerAddress, watchAddress } from "../addresses.js";
import { hueOf, pictureFor } from "../cards.js";
import { stateLabel } from "../text.js";
import { bindForm } from "../account/form.js";
import { faultsOf } from "../account/rules.js";
import { authorized } from "../account/session.js";
import { EncodeDialog } from "./title_encode.js";
import { FilmDialog } from "./title_film.js";
import { PicturesDialog } from "./title_pictures.js";
import { forEachTitle, resultText, Selection } from "./title_selection.js";
import { changesOf, yearFault } from "./words.js";
import { inOwnLanguage, t } from "../texts.js";

/** @import { Title } from "../types.js" */

const TYPING_MS = 300;
const PAGE = 24;
const PICTURES_MS = 1500; // the catalogue makes pictures within seconds after their upload
const PICTURES_LOOKS = 40;

/** @param {{ id: string }} title */
const pathOf = ({ id }) => `titles/${encodeURIComponent(id)}`;

/**
 * Return the short facts about a title in one line.
 * @param {{ year?: number | null, status: string, draft?: boolean, trailer_of?: Title["trailer_of"] }} title
 */
export const titleFacts = ({ year, status, draft, trailer_of: of }) =>
  [of ? t("common.trailer") : year ? String(year) : t("film.year_unknown"), status === "encoding" ? t("titles.encoding") : stateLabel(status), draft ? t("titles.not_published_yet") : ""].filter(Boolean).join(" · ");

/**
 * Return the name of a title in the list; that of a trailer is "Trailer: " and the present name of its title.
 * @param {Pick<Title, "name" | "trailer_of">} title
 */
export const nameOf = ({ name, trailer_of: of }) => (of?.name ? t("player.trailer_of", { name: of.name }) : name);

/**
 * Return the address that a title's name leads to: its page, or the film if it has no page yet; "" if there is neither.
 * @param {Pick<Title, "id" | "draft" | "playback" | "trailer_of">} title
 */
export function linkOf({ id, draft, playback, trailer_of: of }) {
  if (of) return of.name && playback?.complete ? trailerAddress(of.id) : "";
  if (!draft) return titleAddress(id);
  return playback ? watchAddress(id) : "";
}

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
    /** The titles that are to be withdrawn. @type {Title[]} */
    this.leaving = [];
    this.asked = 0;
    /** Whether there are titles without an age rating. */
    this.someUnrated = false;
    /** Whether only these are shown. */
    this.unrated = false;
    const { at } = this;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    at.search.addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
    at.q.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.load(), TYPING_MS);
    });
    at["unrated-toggle"].addEventListener("click", () => {
      this.unrated = !this.unrated;
      this.load();
    });
    bindOnce(at.more, () => this.load({ more: true }));
    at["edit-close"].addEventListener("click", () => at["edit-dialog"].close());
    at["withdraw-close"].addEventListener("click", () => at["withdraw-dialog"].close());
    const onFailed = (/** @type {string} */ text) => say(at.trouble, text);
    this.film = new FilmDialog(root, { onMatched: (title) => this.changed(title, t("titles.description_updated_site_shows", { name: title.name })), onFailed });
    this.pictures = new PicturesDialog(root, {
      again: (title) => this.pictured(title),
      onChanged: (title, isShown) => this.changed(title, isShown ? "" : t("titles.saved_site_shows_within", { name: title.name })),
      onFailed,
    });
    this.encode = new EncodeDialog(root, { onStarted: (title) => say(at.said, t("titles.being_encoded_again_see", { name: title.name })), onFailed });
    this.selection = new Selection(root, { titles: () => this.titles, publish: (titles) => this.publish(titles), withdraw: (titles) => this.openWithdraw(titles), onChange: () => this.write() });
    this.editing = this.bindEdit(hook(root, "edit-form"));
    this.withdrawing = this.bindWithdraw(hook(root, "withdraw-form"));
  }

  /** Load the titles, and whether some have no age rating; both are shown at once, so that nothing moves. */
  look() {
    return this.load({ some: orElse(authorized("catalogue/titles?unrated=true&limit=1"), null) });
  }

  /** @param {{ more?: boolean, some?: Promise<{ titles: Title[] } | null> }} [how] */
  async load({ more = false, some } = {}) {
    const { at } = this;
    const turn = (this.asked += 1);
    const asked = new URLSearchParams({ q: at.q.value.trim(), limit: String(PAGE), ...(this.unrated ? { unrated: "true" } : {}), ...(more && this.cursor ? { cursor: this.cursor } : {}) });
    try {
      const page = await authorized(`catalogue/titles?${asked}`);
      if (some) this.someUnrated = Boolean((await some)?.titles.length);
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
    at.unrated.hidden = !this.someUnrated && !this.unrated;
    at.none.hidden = this.titles.length > 0 || searched || this.unrated;
    at["none-alike"].hidden = this.titles.length > 0 || !searched;
    at["none-unrated"].hidden = this.titles.length > 0 || searched || !this.unrated;
    at["unrated-text"].hidden = !at["none-unrated"].hidden;
    at["unrated-toggle"].textContent = t(this.unrated ? "titles.show_all" : "titles.show_unrated");
    at.more.hidden = !this.cursor;
    at.titles.removeAttribute("aria-busy");
    this.selection.write();
  }

  /**
   * Show a title that has changed.
   * @param {Title} title
   */
  changed(title, text = "") {
    this.titles = this.titles.map((each) => (each.id === title.id ? title : each));
    this.write();
    if (text) say(this.at.said, text);
  }

  /**
   * Return a title once its pictures have changed. Raises RequestError.
   * @param {Title} before
   * @returns {Promise<Title>}
   */
  async pictured(before) {
    const asked = new URLSearchParams({ q: before.name, limit: "100" });
    for (let look = 0; look < PICTURES_LOOKS; look += 1) {
      await pause(PICTURES_MS);
      const { titles } = await persist(() => authorized(`catalogue/titles?${asked}`));
      const now = titles.find((/** @type {Title} */ { id }) => id === before.id);
      if (now && JSON.stringify(now.artwork) !== JSON.stringify(before.artwork)) return now;
      if (now?.metadata?.reason && now.metadata.reason !== before.metadata?.reason) throw new RequestError(0, "malformed", inOwnLanguage(now.metadata.reason));
    }
    throw new RequestError(0, "unchanged", t("titles.picture_saved_but_not"));
  }

  /**
   * @param {HTMLElement} node
   * @param {Title} title
   */
  update(node, title) {
    const on = hooks(node);
    on.link.textContent = nameOf(title);
    const address = linkOf(title);
    if (address) on.link.href = address;
    else on.link.removeAttribute("href");
    on.link.id = `title-${title.id}`;
    on.facts.textContent = titleFacts(title);
    say(on.note, inOwnLanguage(title.failure || (title.metadata?.matched ? "" : title.metadata?.reason) || "") || (title.trailer_of?.name === null ? t("titles.trailer_waits") : ""));
    on.art.style.setProperty("--hue", hueOf(title.id));
    picture(on.picture, pictureFor(title.artwork, "card"));
    on.pick.checked = this.selection.ids.has(title.id);
    on.pick.onchange = () => this.selection.choose(title, on.pick.checked);
    on["pick-name"].textContent = t("titles.select", { name: nameOf(title) });
    for (const button of [on.publish, on.edit, on.film, on.pictures, on.encode, on.withdraw]) button.setAttribute("aria-describedby", on.link.id);
    for (const button of [on.edit, on.film, on.pictures]) button.hidden = Boolean(title.trailer_of); // its title is described
    on.publish.hidden = !title.draft;
    on.publish.onclick = () => this.publish([title]);
    on.edit.onclick = () => this.openEdit(title);
    on.film.onclick = () => this.film.open(title);
    on.pictures.onclick = () => this.pictures.open(title);
    on.encode.hidden = !title.playback || title.status !== "ready";
    on.encode.onclick = () => this.encode.open(title);
    on.withdraw.onclick = () => this.openWithdraw([title]);
  }

  /** @param {Title[]} titles */
  async publish(titles) {
    const { at } = this;
    say(at.trouble, "");
    const result = await forEachTitle(titles, async (title) => this.changed(await persist(() => authorized(`${pathOf(title)}/release`, { method: "POST" }))));
    if (result.failure) say(at.trouble, resultText("published", titles, result));
    else say(at.said, titles.length === 1 ? t("titles.published_site_shows_within", { name: titles[0].name }) : resultText("published", titles, result));
    this.selection.clear();
    if (!result.failure) at.q.focus();
  }

  /** @param {Title} title */
  openEdit(title) {
    const { at } = this;
    const form = at["edit-form"];
    this.current = title;
    this.editing.begin(title);
    form.elements.name.value = title.name;
    form.elements.year.value = title.year ?? "";
    form.elements.plot.value = title.plot ?? "";
    for (const field of /** @type {const} */ (["genres", "directors", "actors"])) form.elements[field].value = (title[field] ?? []).join(", ");
    form.elements.rated.value = title.rated ?? "";
    at["edit-dialog"].showModal();
    form.elements.name.focus();
  }

  /** @param {Title[]} titles */
  openWithdraw(titles) {
    const { at } = this;
    this.leaving = titles;
    this.withdrawing.begin();
    at["withdraw-heading"].textContent = titles.length === 1 ? t("titles.withdraw_title") : t("titles.withdraw_many", { count: titles.length });
    at["withdraw-name"].textContent = titles.map(nameOf).join(", ");
    at["withdraw-dialog"].showModal();
  }

  /** @param {HTMLFormElement} form */
  bindEdit(form) {
    return bindForm(form, {
      busy: t("limit.saving"),
      check: ({ name, year }) => faultsOf({ name: name.trim() ? "" : t("film.enter_name"), year: yearFault(year) }),
      send: async (values, isShown) => {
        const { current } = this;
        if (!current) return;
        const changes = changesOf(current, values);
        if (Object.keys(changes).length) {
          const edited = await persist(() => authorized(pathOf(current), { method: "PATCH", body: changes }));
          this.changed(edited, t("titles.saved_site_shows_within", { name: edited.name }));
        }
        if (isShown()) this.at["edit-dialog"].close();
      },
      late: (error, { name }) => say(this.at.trouble, t("titles.not_saved", { name, reason: tryLater(error) })),
    });
  }

  /** @param {HTMLFormElement} form */
  bindWithdraw(form) {
    return bindForm(form, {
      busy: t("titles.withdrawing"),
      send: async (_values, isShown) => {
        const { leaving } = this;
        const result = await forEachTitle(leaving, ({ id }) => persist(() => authorized(pathOf({ id }), { method: "DELETE" })));
        const gone = new Set(result.done.map(({ id }) => id));
        this.titles = this.titles.filter(({ id, trailer_of: of }) => !gone.has(id) && !(of && gone.has(of.id))); // a trailer goes with its title
        this.selection.clear();
        if (result.failure && !isShown()) {
          say(this.at.trouble, resultText("withdrew", leaving, result));
          return;
        }
        if (isShown()) this.leaving = leaving.filter(({ id }) => !gone.has(id));
        if (result.failure) throw result.failure.error;
        say(this.at.said, leaving.length === 1 ? t("titles.withdrew_can_no_longer", { name: nameOf(leaving[0]) }) : resultText("withdrew", leaving, result));
        if (!isShown()) return;
        this.at["withdraw-dialog"].close();
        this.at.q.focus();
      },
    });
  }
}

/** @param {HTMLElement} root */
export const bindTitles = (root) => new Titles(root);
