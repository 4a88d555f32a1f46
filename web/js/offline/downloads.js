/**
 * The downloads page: the films on this device, with the space they use. It works without a connection, and is also
 * what the service worker shows in place of any other page if there is none.
 */
import "../nav.js";
import { day } from "../account/words.js";
import { onChange, ready, session } from "../account/session.js";
import { hooks, piece, reconcile, rootOf, say } from "../dom.js";
import { RequestError } from "../net.js";
import { storedAddress } from "../addresses.js";
import { bytesText } from "../text.js";
import { progressText } from "./button.js";
import { Download, DownloadFailure, isRunning, onProgressElsewhere } from "./downloading.js";
import { canStore, deleteFilm, estimateSpace, filesOfFilm, listFilms } from "./films.js";
import { isExpired, renewLicence } from "./licences.js";
import { inLanguage, t } from "../texts.js";

/** @import { StoredFilm, Hooks } from "../types.js" */

const PATH = inLanguage("/downloads.html");
const EXPIRED_KEPT_MS = 30 * 24 * 3600_000;

/**
 * Return the facts about a film in one line.
 * @param {Pick<StoredFilm, "height" | "bytes" | "licence_until" | "seen_at" | "whole">} film
 * @param {Date} now
 */
export function factsOf(film, now) {
  const size = film.whole ? bytesText(film.bytes) : t("downloads.about", { size: bytesText(film.bytes) });
  return [`${film.height}p`, size, ...(film.whole && !isExpired(film, now.getTime()) ? [t("downloads.until", { day: day(film.licence_until, now) })] : [])].join(" · ");
}

/**
 * Return why a film cannot be watched; "" if it can.
 * @param {StoredFilm} film
 * @param {{ now: Date, online: boolean, refusal?: RequestError | null }} state
 */
export function obstacleOf(film, { now, online, refusal = null }) {
  if (refusal?.status === 402) return t("downloads.access_has_ended_subscribe");
  if (refusal?.code === "age_limited") return t("downloads.not_for_profile");
  if (!film.whole || !isExpired(film, now.getTime())) return "";
  return online ? t("downloads.download_has_expired_log") : t("downloads.download_has_expired_connect");
}

/**
 * Return the sentence about the connection; "" if there is nothing to say.
 * @param {{ isSubstitute: boolean, online: boolean }} state `isSubstitute`: the viewer wanted another page
 */
export function offlineText({ isSubstitute, online }) {
  if (isSubstitute) return t("downloads.there_no_connection_so");
  return online ? "" : t("downloads.offline_can_watch_downloads");
}

/**
 * Return the sentence about the space on this device; "" if the browser does not know it.
 * @param {{ usage?: number, quota?: number }} estimate
 */
export function spaceText({ usage = 0, quota = 0 }) {
  return quota ? t("downloads.space", { used: bytesText(usage), free: bytesText(Math.max(0, quota - usage)) }) : "";
}

class Downloads {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.at = hooks(root);
    this.root = root;
    /** @type {StoredFilm[]} */
    this.films = [];
    /** @type {Map<string, RequestError | null>} */
    this.refusals = new Map();
    /** @type {Map<string, { percent: number, waits: boolean }>} */
    this.progress = new Map();
    /** @type {Map<string, Download>} */
    this.running = new Map();
    /** @type {Map<string, string>} */
    this.failures = new Map();
  }

  async start() {
    await ready();
    const isSubstitute = location.pathname !== PATH; // shown by the service worker in place of another page
    const tell = () => say(this.at["offline-text"], offlineText({ isSubstitute, online: navigator.onLine }));
    tell();
    this.at.again.hidden = !isSubstitute;
    this.at.again.addEventListener("click", () => location.reload());
    window.addEventListener("offline", () => { tell(); this.write(); });
    window.addEventListener("online", () => {
      tell();
      if (isSubstitute) location.reload();
      else this.update();
    });
    onProgressElsewhere(({ title_id: id, ...progress }) => {
      this.progress.set(id, progress);
      if (progress.percent === 100) this.load();
      else this.write();
    });
    onChange(() => this.load());
    await this.load();
    this.root.removeAttribute("aria-busy");
    await this.update();
  }

  /** Show the films of the account that is logged in, or without one all films on this device. */
  async load() {
    this.films = await listFilms(session()?.user_id);
    for (const film of this.films.filter(({ whole }) => !whole)) {
      if (this.progress.has(film.title_id)) continue;
      const { all, missing } = await filesOfFilm(film);
      this.progress.set(film.title_id, { percent: Math.floor((100 * (all.length - missing.length)) / Math.max(1, all.length)), waits: false });
    }
    this.write();
    if (canStore()) say(this.at.space, spaceText(await estimateSpace()));
  }

  /** Renew the licences, delete what expired long ago, and continue the downloads that were interrupted. */
  async update() {
    const now = new Date();
    for (const film of this.films) {
      const renewed = await this.renew(film, now);
      this.refusals.set(film.title_id, renewed.refusal);
      if (renewed.film && now.getTime() - Date.parse(renewed.film.licence_until) > EXPIRED_KEPT_MS) await deleteFilm(film);
    }
    await this.load();
    if (!navigator.onLine || !session()) return;
    for (const film of this.films) if (!film.whole && !this.refusals.get(film.title_id) && !(await isRunning(film))) await this.resume(film);
  }

  /**
   * Renew a licence. An answer that is not expected is shown, and leaves the film and all others as they are.
   * @param {StoredFilm} film
   * @param {Date} now
   */
  async renew(film, now) {
    this.failures.delete(film.title_id);
    try {
      return await renewLicence(film, now);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.failures.set(film.title_id, error.message);
      return { film, refusal: null };
    }
  }

  /** @param {StoredFilm} film */
  async resume({ title_id: id }) {
    if (this.running.has(id)) return;
    const download = new Download(id, ({ percent, waits }) => {
      this.progress.set(id, { percent, waits });
      this.write();
    });
    this.running.set(id, download);
    this.failures.delete(id);
    try {
      await download.run();
    } catch (error) {
      if (!(error instanceof RequestError || error instanceof DownloadFailure)) throw error;
      this.failures.set(id, error.message);
    } finally {
      this.running.delete(id);
    }
    await this.load();
  }

  /** @param {StoredFilm} film */
  async remove(film) {
    this.running.get(film.title_id)?.cancel();
    const place = this.films.findIndex(({ title_id: id }) => id === film.title_id);
    await deleteFilm(film);
    this.progress.delete(film.title_id);
    await this.load();
    (this.at.films.children[Math.min(place, this.films.length - 1)]?.querySelector("button:not([hidden])") ?? this.at.heading).focus();
    say(this.at.said, t("downloads.deleted", { name: film.name }));
  }

  write() {
    const { at } = this;
    reconcile(at.films, this.films, { key: (film) => film.title_id, create: (film) => this.create(film), update: (node, film) => this.fill(hooks(node), film) });
    at.films.hidden = this.films.length === 0;
    at.empty.hidden = this.films.length > 0;
    at.unsupported.hidden = canStore();
    at.supported.hidden = !canStore();
  }

  /** @param {StoredFilm} film */
  create(film) {
    const node = piece("download");
    const inside = hooks(node);
    inside.remove.addEventListener("click", () => this.remove(film));
    inside.cancel.addEventListener("click", () => this.remove(film));
    inside.resume.addEventListener("click", () => this.resume(film));
    if (film.card) {
      inside.picture.src = `/${film.card}`;
      inside.picture.addEventListener("error", () => { inside.picture.hidden = true; }, { once: true });
      inside.picture.hidden = false;
    }
    return node;
  }

  /**
   * @param {Hooks} inside
   * @param {StoredFilm} film
   */
  fill(inside, film) {
    const now = new Date();
    const obstacle = obstacleOf(film, { now, online: navigator.onLine, refusal: this.refusals.get(film.title_id) });
    const progress = this.progress.get(film.title_id) ?? { percent: 0, waits: false };
    const runs = this.running.has(film.title_id);
    inside.name.textContent = film.name;
    inside.facts.textContent = factsOf(film, now);
    say(inside.obstacle, obstacle || (this.failures.get(film.title_id) ?? ""));
    inside.play.hidden = !film.whole || Boolean(obstacle);
    inside.play.href = storedAddress(film.title_id);
    inside.play.setAttribute("aria-label", t("downloads.play", { name: film.name }));
    inside.remove.hidden = !film.whole;
    inside.remove.setAttribute("aria-label", t("downloads.delete", { name: film.name }));
    inside.cancel.hidden = film.whole;
    inside.cancel.setAttribute("aria-label", t("downloads.cancel_download", { name: film.name }));
    inside.resume.hidden = film.whole || runs || Boolean(obstacle);
    inside.resume.setAttribute("aria-label", t("downloads.continue_download", { name: film.name }));
    inside.progress.hidden = film.whole;
    inside["progress-text"].textContent = runs ? progressText(progress) : t("downloads.downloaded", { percent: progress.percent });
    inside.meter.setAttribute("aria-valuenow", String(progress.percent));
    inside["meter-fill"].style.setProperty("--share", `${progress.percent}%`);
  }
}

const page = rootOf("downloads");
if (page) new Downloads(page).start();
