/** The transcript of a film: a panel with everything that its subtitles say, for reading, searching and seeking. */
import { download } from "../account/download.js";
import { hook, hooks, piece, say, showNodes } from "../dom.js";
import { RequestError } from "../net.js";
import { clock } from "../text.js";
import { LANGUAGE, t } from "../texts.js";
import { preferredTrack } from "./choices.js";
import { contains, entriesOf, piecesOf, positionAt, transcriptText, wanted } from "./cues.js";
import { trackLabel } from "./menus.js";

/** @import { AnySession } from "./opening.js" */
/** @import { Entry } from "./cues.js" */
/** @import { Track } from "./choices.js" */
/** @typedef {{ language: string, label: string, url: string }} Subtitles */

/** How far the list may be from where it was put, in pixels, before somebody must have scrolled it. */
const SCROLLED_PX = 2;

/**
 * Return the subtitles for the transcript: those that are shown, otherwise those that it has already, otherwise those in
 * one of the languages, otherwise the first; null if there are none.
 * @param {Subtitles[]} all
 * @param {{ shown: Track | null | undefined, before: string | undefined, languages: readonly string[] }} wishes `before`
 *   is the address of those that the transcript has
 */
export function subtitlesFor(all, { shown, before, languages }) {
  const name = shown && (shown.label || shown.language);
  const found = all.find(({ label, language }) => (label || language) === name) ?? all.find(({ url }) => url === before);
  return found ?? preferredTrack(all, languages);
}

/**
 * @param {HTMLElement} node
 * @param {string} text
 * @param {string[]} sought
 */
function writeText(node, text, sought) {
  const pieces = piecesOf(text, sought).map((part) => {
    if (!part.isFound) return part.text;
    const mark = document.createElement("mark");
    mark.textContent = part.text;
    return mark;
  });
  node.replaceChildren(...pieces);
}

export class Transcript {
  #root;
  #at;
  #film;
  /** @type {Subtitles | null} */
  #loaded = null;
  /** The address of the subtitles that the viewer has chosen for the transcript. */
  #chosen = "";
  /** @type {Entry[]} */
  #entries = [];
  /** The buttons of the entries. @type {HTMLElement[]} */
  #buttons = [];
  #position = -1;
  /** The entry that the Tab key leads to. */
  #stop = 0;
  /** Whether the list keeps the current entry in view; not after the viewer has scrolled. */
  #follows = true;
  #scrolledTo = 0;
  /** @type {string[]} */
  #sought = [];
  #lessMotion = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)");

  /**
   * `shown()` returns the subtitles that the player shows; `time()` the position of the film in seconds.
   * @param {HTMLElement} root the player
   * @param {{
   *   video: HTMLVideoElement, session: AnySession, shown: () => Track | null | undefined, time: () => number,
   *   seek: (time: number) => void,
   * }} film
   */
  constructor(root, film) {
    this.#root = root;
    this.#at = hooks(root);
    this.#film = film;
    const at = this.#at;
    for (const name of ["timeupdate", "seeking"]) film.video.addEventListener(name, () => this.#moved());
    at["transcript-close"].addEventListener("click", () => this.close());
    at.again.addEventListener("click", () => {
      at["transcript-heading"].focus(); // the button disappears
      if (this.#loaded) this.#load(this.#loaded);
    });
    at.texts.addEventListener("change", () => {
      this.#chosen = at.texts.value;
      this.#show();
    });
    at.query.addEventListener("input", () => this.#search());
    at.current.addEventListener("click", () => this.#goToCurrent());
    at.save.addEventListener("click", () => this.#save());
    at.transcript.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#pressed(event));
    this.#bindList();
  }

  get isOpen() {
    return !this.#at.transcript.hidden;
  }

  /** @returns {Subtitles[]} */
  get #all() {
    return this.#film.session.data?.subtitles ?? [];
  }

  /** Offer the transcript if the film has subtitles; show those that the player shows now. */
  update() {
    const isOffered = this.#all.length > 0;
    this.#at["transcript-opener"].hidden = !isOffered;
    if (!isOffered) this.close();
    else if (this.isOpen) this.#show();
  }

  toggle() {
    if (this.isOpen) this.close();
    else if (this.#all.length) this.#open();
  }

  #open() {
    this.#setOpen(true);
    this.#follows = true;
    this.#at["transcript-heading"].focus();
    if (!this.#at.failure.hidden) this.#loaded = null;
    this.#show();
    this.#moved();
    this.#keepInView();
  }

  close() {
    if (!this.isOpen) return;
    const hadFocus = this.#at.transcript.contains(document.activeElement);
    this.#setOpen(false);
    if (hadFocus) this.#at["transcript-opener"].focus();
  }

  /** @param {boolean} on */
  #setOpen(on) {
    this.#at.transcript.hidden = !on;
    this.#root.classList.toggle("has-transcript", on);
    this.#at["transcript-opener"].setAttribute("aria-expanded", String(on));
  }

  /** Show the subtitles that the viewer has chosen, otherwise those that suit best; load them if they are not loaded. */
  #show() {
    const { texts } = this.#at;
    const all = this.#all;
    const track = all.find(({ url }) => url === this.#chosen) ?? subtitlesFor(all, { shown: this.#film.shown(), before: this.#loaded?.url, languages: [LANGUAGE, ...navigator.languages] });
    const options = all.map((one) => Object.assign(document.createElement("option"), { value: one.url, textContent: trackLabel(one) }));
    showNodes(texts, options);
    texts.hidden = all.length < 2;
    texts.value = track?.url;
    if (track && track.url !== this.#loaded?.url) this.#load(track);
  }

  /** @param {Subtitles} track */
  async #load(track) {
    const { entries, failure, "failure-text": reason, state } = this.#at;
    this.#loaded = track;
    this.#fill([]);
    failure.hidden = true;
    say(state, t("watch.transcript_loading"));
    try {
      const found = entriesOf(await this.#film.session.text(track.url));
      if (this.#loaded !== track) return; // other subtitles were chosen in the meantime
      entries.lang = track.language === "und" ? "" : track.language;
      this.#fill(found);
      if (!found.length) say(state, t("watch.transcript_empty"));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (this.#loaded !== track) return;
      say(state, "");
      reason.textContent = t("watch.transcript_failed", { reason: error.message });
      failure.hidden = false;
    }
  }

  /** @param {Entry[]} entries */
  #fill(entries) {
    const { entries: list, save } = this.#at;
    const nodes = entries.map(({ start, text }) => {
      const node = piece("transcript-entry");
      hook(node, "time").textContent = clock(start);
      hook(node, "text").textContent = text;
      return node;
    });
    this.#entries = entries;
    this.#buttons = nodes.map((node) => hook(node, "entry"));
    this.#position = -1;
    list.replaceChildren(...nodes);
    save.hidden = !entries.length;
    this.#moveStop(0);
    this.#search();
    this.#moved();
  }

  /** Show only the entries with the words that are sought. */
  #search() {
    const { query, state } = this.#at;
    this.#sought = wanted(query.value);
    if (!this.#entries.length) return; // they are searched once they are loaded
    let count = 0;
    this.#entries.forEach(({ text }, index) => {
      const isFound = contains(text, this.#sought);
      const button = this.#buttons[index];
      /** @type {HTMLElement} */ (button.parentElement).hidden = !isFound;
      if (isFound && (this.#sought.length || button.querySelector("mark"))) writeText(hook(button, "text"), text, this.#sought);
      count += Number(isFound);
    });
    if (this.#sought.length) say(state, count ? t("watch.transcript_found", { count }) : t("watch.transcript_none"));
    else say(state, "");
    if (this.#sought.length) this.#moveStop(this.#next(-1, 1) ?? 0);
    else this.#follow();
  }

  /** Mark the entry that is said now, and keep it in view. */
  #moved() {
    if (!this.isOpen) return;
    const position = positionAt(this.#entries, this.#film.time());
    if (position !== this.#position) {
      this.#buttons[this.#position]?.removeAttribute("aria-current");
      this.#buttons[position]?.setAttribute("aria-current", "true");
      this.#position = position;
      if (!this.#at.entries.contains(document.activeElement) && !this.#sought.length) this.#moveStop(Math.max(0, position));
      if (this.#mayScroll()) this.#keepInView();
    }
    this.#at.current.hidden = position < 0 || this.#mayScroll();
  }

  /** Return whether the list may scroll without the viewer's doing. */
  #mayScroll() {
    const isReadingByKey = this.#at.entries.querySelector(":focus-visible") !== null;
    return this.#follows && !this.#lessMotion?.matches && !this.#sought.length && !isReadingByKey;
  }

  #follow() {
    this.#follows = true;
    this.#moved();
    this.#keepInView();
  }

  #goToCurrent() {
    this.#at.query.value = "";
    this.#search();
    if (this.#at.current.hidden) this.#buttons[this.#position]?.focus();
  }

  /** Scroll the list, unless all of the current entry is in view. */
  #keepInView() {
    const { entries: list } = this.#at;
    const button = this.#buttons[this.#position];
    if (button) {
      const { offsetTop: top, offsetHeight: height } = button;
      const isInView = top >= list.scrollTop && top + 2 * height <= list.scrollTop + list.clientHeight;
      if (!isInView) list.scrollTop = top - list.clientHeight / 4;
    }
    this.#scrolledTo = list.scrollTop;
  }

  #bindList() {
    const { entries: list } = this.#at;
    list.addEventListener("click", (/** @type {MouseEvent} */ { target }) => {
      const index = this.#buttons.indexOf(/** @type {HTMLElement} */ (/** @type {Element} */ (target).closest("button")));
      if (index < 0) return;
      this.#moveStop(index);
      this.#film.seek(this.#entries[index].start);
      this.#follows = true;
      this.#moved();
    });
    list.addEventListener("scroll", () => {
      if (Math.abs(list.scrollTop - this.#scrolledTo) <= SCROLLED_PX) return;
      this.#scrolledTo = list.scrollTop;
      this.#follows = false;
      this.#moved();
    });
    new ResizeObserver(() => { if (this.isOpen && this.#follows) this.#keepInView(); }).observe(list);
  }

  /**
   * Return the position of the next entry that is shown, in a direction; null if there is none.
   * @param {number} from
   * @param {1 | -1} step
   */
  #next(from, step) {
    let index = from + step;
    while (this.#buttons[index]?.parentElement?.hidden) index += step;
    return this.#buttons[index] ? index : null;
  }

  /** @param {number} index */
  #moveStop(index) {
    this.#buttons[this.#stop]?.setAttribute("tabindex", "-1");
    this.#stop = index;
    this.#buttons[index]?.setAttribute("tabindex", "0");
  }

  /** The arrow keys move in the list, which is one stop of the Tab key; Escape closes the panel. @param {KeyboardEvent} event */
  #pressed(event) {
    const { query } = this.#at;
    const index = this.#buttons.indexOf(/** @type {HTMLElement} */ (event.target));
    const isSearching = event.target === query;
    const key = event.ctrlKey || event.metaKey || event.altKey ? "" : event.key;
    let to = null;
    if (key === "ArrowDown" && (isSearching || index >= 0)) to = this.#next(index, 1);
    else if (key === "ArrowUp" && index >= 0) to = this.#next(index, -1);
    else if (key === "Home" && index >= 0) to = this.#next(-1, 1);
    else if (key === "End" && index >= 0) to = this.#next(this.#buttons.length, -1);
    else if (key === "Escape" && isSearching && query.value) {
      query.value = "";
      this.#search();
    } else if (key === "Escape") this.close();
    else return;
    if (to !== null) {
      this.#moveStop(to);
      this.#buttons[to].focus();
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #save() {
    if (!this.#loaded) return;
    const name = this.#film.session.data?.name ?? "";
    const track = trackLabel(this.#loaded);
    const text = transcriptText([name, t("watch.transcript_heading", { track })], this.#entries);
    download(new Blob([text], { type: "text/plain;charset=utf-8" }), `${name} (${track}).txt`);
  }
}
