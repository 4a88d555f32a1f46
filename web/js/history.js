/** Viewing history: the titles a viewer watched, latest first; entries can be removed one by one or all at once. */
import "./nav.js";
import { bindOnce, hooks, picture, piece, reconcile, rootOf, say, showProblem } from "./dom.js";
import { titleAddress, watchAddress } from "./addresses.js";
import { canPlay, hueOf, pictureFor } from "./cards.js";
import { RequestError, tryLater } from "./net.js";
import { clock } from "./text.js";
import { clearAll, clearTitle, fetchHistory, leftText } from "./viewing.js";
import { LOCALE, t } from "./texts.js";

/** @import { HistoryEntry } from "./types.js" */

const GONE = t("history.film_no_longer_available");
const day = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "long", year: "numeric" });
const hour = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/**
 * Return a time as "Today at 21:05", "Yesterday at 09:30" or "3 May 2026".
 * @param {Date} at
 * @param {Date} now
 */
export function whenText(at, now) {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const days = Math.round((midnight - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days <= 0) return t("history.today", { time: hour.format(at) });
  return days === 1 ? t("history.yesterday", { time: hour.format(at) }) : day.format(at);
}

/**
 * Return the words that state how far the title was watched.
 * @param {{ finished: boolean, position_s: number, duration_s: number }} entry
 */
export function placeText(entry) {
  if (entry.finished) return t("history.watched_end");
  return `${t("history.stopped", { time: clock(entry.position_s) })} · ${leftText(entry)}`;
}

/**
 * @param {HTMLElement} node
 * @param {HistoryEntry} entry
 * @param {(entry: HistoryEntry) => void} remove
 */
function writeEntry(node, entry, remove) {
  const at = hooks(node);
  const { title } = entry;
  at.link.textContent = title?.name ?? GONE;
  const address = title ? (canPlay(title.status) && !entry.finished ? watchAddress(title.id) : titleAddress(title.id)) : null;
  for (const link of [at.link, at.art]) {
    if (address) link.href = address;
    else link.removeAttribute("href");
  }
  at.place.textContent = placeText(entry);
  at.when.textContent = whenText(new Date(entry.watched_at), new Date());
  at.when.dateTime = entry.watched_at;
  at.art.style.setProperty("--hue", hueOf(entry.title_id));
  at.progress.style.setProperty("--share", `${Math.round(entry.progress * 100)}%`);
  at.remove.setAttribute("aria-label", t("history.remove", { name: title?.name ?? GONE }));
  at.remove.onclick = () => remove(entry);
  picture(at.picture, title ? pictureFor(title.artwork, "card") : null);
}

/** @param {HTMLElement} root */
function bind(root) {
  const at = hooks(root);
  /** @type {HistoryEntry[]} */
  let entries = [];
  /** @type {string | null} */
  let cursor = null;

  const write = () => {
    reconcile(at.entries, entries, { key: (entry) => entry.title_id, create: () => piece("entry"), update: (node, entry) => writeEntry(node, entry, remove) });
    const none = entries.length === 0;
    at.entries.hidden = none;
    at.empty.hidden = !none || cursor !== null;
    at.clear.hidden = none;
    at.more.hidden = cursor === null;
  };
  const tried = async (/** @type {() => Promise<unknown>} */ act, /** @type {string} */ failure) => {
    try {
      await act();
      return true;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      say(at.said, `${failure} ${error.message}`);
      return false;
    }
  };
  const remove = async (/** @type {HistoryEntry} */ entry) => {
    const name = entry.title?.name ?? GONE;
    const place = entries.indexOf(entry);
    if (!(await tried(() => clearTitle(entry.title_id), t("history.could_not_be_removed", { name })))) return;
    entries = entries.filter((one) => one !== entry);
    write();
    say(at.said, t("history.removed_from_history", { name }));
    (at.entries.children[Math.min(place, entries.length - 1)]?.querySelector("button") ?? at.heading).focus();
  };
  const load = async ({ further = false } = {}) => {
    const page = await fetchHistory(further ? cursor : null);
    const known = new Set(further ? entries.map((entry) => entry.title_id) : []);
    entries = [...(further ? entries : []), ...page.entries.filter((entry) => !known.has(entry.title_id))];
    cursor = page.cursor;
    write();
    root.removeAttribute("aria-busy");
  };
  bindOnce(at.more, async () => {
    const next = entries.length;
    const loaded = await tried(() => load({ further: true }), t("history.earlier_entries_did_not"));
    if (loaded) at.entries.children[next]?.querySelector("a[href], button")?.focus();
  });
  at.clear.addEventListener("click", () => at.dialog.showModal());
  at["clear-no"].addEventListener("click", () => at.dialog.close());
  at["clear-yes"].addEventListener("click", async () => {
    at.dialog.close();
    if (!(await tried(clearAll, t("history.history_could_not_be")))) return;
    entries = [];
    cursor = null;
    write();
    say(at.said, t("history.history_cleared"));
    at.heading.focus();
  });
  return async function start() {
    try {
      await load();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      showProblem(root, { heading: t("history.history_did_not_load"), text: tryLater(error), retry: () => location.reload() });
    }
  };
}

const page = rootOf("history");
if (page) {
  const start = bind(page);
  start();
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) start(); });
}
