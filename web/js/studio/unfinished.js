/**
 * Remembers unfinished uploads in the browser, so that the Studio can offer to continue them after a reload. A page
 * cannot read a file again by itself, so the owner chooses it once more.
 */

/**
 * @typedef {{ name: string, size: number, sent: number, atMs: number, blob?: string, upload?: string }} Unfinished `sent`
 *   and `size` in bytes; `blob` is the name in storage, and `upload` the id of an upload in steps, if they are known
 */
/** @typedef {Pick<Storage, "getItem" | "setItem">} Store */

const KEY = "notflix.uploads";
const KEPT_MS = 7 * 24 * 3600_000; // storage deletes blocks that were not committed for a week (Put Block)

/**
 * @param {unknown} entry
 * @returns {entry is Unfinished}
 */
const isUnfinished = (entry) => {
  const { name, size, sent, atMs } = /** @type {Partial<Unfinished>} */ (entry ?? {});
  return typeof name === "string" && [size, sent, atMs].every(Number.isFinite);
};

/**
 * Return the unfinished uploads, oldest first; none if the browser stores nothing.
 * @param {Store} store
 * @param {number} nowMs
 * @returns {Unfinished[]}
 */
export function unfinished(store, nowMs) {
  try {
    const entries = /** @type {unknown} */ (JSON.parse(store.getItem(KEY) ?? "[]"));
    return Array.isArray(entries) ? entries.filter((entry) => isUnfinished(entry) && nowMs - entry.atMs < KEPT_MS) : [];
  } catch {
    return [];
  }
}

/**
 * @param {Store} store
 * @param {Unfinished[]} entries
 */
function write(store, entries) {
  try {
    store.setItem(KEY, JSON.stringify(entries));
  } catch { // private browsing, or no space: the upload works without it
  }
}

/**
 * @param {Store} store
 * @param {string} name
 * @param {number} nowMs
 */
export function forgetUpload(store, name, nowMs) {
  write(store, unfinished(store, nowMs).filter((entry) => entry.name !== name));
}

/**
 * @param {Store} store
 * @param {Unfinished} entry
 */
export function rememberUpload(store, entry) {
  write(store, [...unfinished(store, entry.atMs).filter(({ name }) => name !== entry.name), entry]);
}
