/**
 * The films downloaded on this device. Everything about a film is in its cache: its files under their own addresses
 * without a key, and a record. The record exists before the first file, so an interrupted download continues with the
 * files that are missing.
 */
import { ageLimit } from "../account/session.js";
import { isSuitable } from "../certificates.js";
import { cacheName, cacheNames, filmOf } from "./caches.js";

/** @import { StoredFilm } from "../types.js" */

const RECORD = "/offline/film.json";
const FILES = "/offline/files.json";
const INSIDE = [RECORD, FILES];

/** Whether this browser can store films and play them. */
export const canStore = () => Boolean(globalThis.caches && navigator.serviceWorker && navigator.locks) && "MediaSource" in globalThis;

/** Return whether this browser also lets this site store films. */
export const mayStore = async () => canStore() && (await caches.keys().then(() => true, () => false));

/** Return the space on this device, as far as the browser knows it. Not every WebKit has `navigator.storage`. */
export const estimateSpace = async () => (await navigator.storage?.estimate?.()) ?? {};

/** @param {StoredFilm} film */
export const cacheOf = (film) => cacheName(film.user_id, film.title_id);

/** @param {unknown} content */
const json = (content) => new Response(JSON.stringify(content), { headers: { "content-type": "application/json" } });

/** Return whether a film is stored, also in part. @param {StoredFilm} film */
export const isThere = (film) => caches.has(cacheOf(film));

/**
 * Return what is stored in a cache under an address; null if there is nothing, also if the cache does not exist.
 * @param {string} name
 * @param {string} address
 */
const stored = (name, address) => caches.match(address, { cacheName: name, ignoreVary: true }).then((found) => found ?? null);

/**
 * Return a film; null if the account has not downloaded it, or if its profile must not watch it. Without an account, return the film of any account.
 * @param {string} titleId
 * @param {string | undefined} userId
 * @returns {Promise<StoredFilm | null>}
 */
export const readFilm = async (titleId, userId) => (await listFilms(userId)).find((film) => film.title_id === titleId) ?? null;

/**
 * Return the films of an account, or without an account those of all; the latest download first. Films that the profile
 * must not watch are left out.
 * @param {string | undefined} userId
 * @returns {Promise<StoredFilm[]>}
 */
export async function listFilms(userId, limit = ageLimit()) {
  const names = (await cacheNames(globalThis.caches)).filter((name) => {
    const film = filmOf(name);
    return film && (!userId || film.userId === userId);
  });
  const records = await Promise.all(names.map(async (name) => (await stored(name, RECORD))?.json() ?? null));
  return records.filter((record) => record !== null && isSuitable(record, limit)).sort((a, b) => b.stored_at.localeCompare(a.stored_at));
}

/**
 * Create a film, or replace an older version of it.
 * @param {StoredFilm} film
 * @param {string[]} files the addresses of the files that will be stored
 * @param {[address: string, file: Response][]} first files that are stored right away
 */
export async function addFilm(film, files, first) {
  await caches.delete(cacheOf(film));
  const cache = await caches.open(cacheOf(film));
  await cache.put(FILES, json(files));
  for (const [address, file] of first) await cache.put(address, file);
  await cache.put(RECORD, json(film)); // last, so that a film with a record has everything else
  return cache;
}

/**
 * Change the record of a film; return the new one, or null if the film has been deleted.
 * @param {StoredFilm} film
 * @param {Partial<StoredFilm>} change
 * @returns {Promise<StoredFilm | null>}
 */
export async function changeFilm(film, change) {
  const before = await (await stored(cacheOf(film), RECORD))?.json();
  if (!before) return null; // opening the cache would create it again
  const after = { ...before, ...change };
  await (await caches.open(cacheOf(film))).put(RECORD, json(after));
  return after;
}

/**
 * Return the addresses of the files of a film, and those that are not stored yet.
 * @param {StoredFilm} film
 */
export async function filesOfFilm(film) {
  /** @type {string[]} */
  const all = (await (await stored(cacheOf(film), FILES))?.json()) ?? [];
  const there = new Set(all.length ? (await (await caches.open(cacheOf(film))).keys()).map(({ url }) => url) : []);
  return { all, missing: all.filter((address) => !there.has(address)) };
}

/**
 * Return the response that is put into the cache for a file; its header says how large the file is.
 * @param {Blob} content
 */
export const fileFrom = (content) => new Response(content, { headers: { "content-type": content.type, "content-length": String(content.size) } });

/**
 * Return a stored file; null if it is not stored.
 * @param {StoredFilm} film
 * @param {string} address
 */
export const readFile = (film, address) => stored(cacheOf(film), address);

/**
 * Return how many bytes of a film are stored.
 * @param {StoredFilm} film
 */
export async function storedBytes(film) {
  const cache = await caches.open(cacheOf(film));
  const inside = new Set(INSIDE.map((path) => new URL(path, location.origin).href));
  const files = (await cache.keys()).filter(({ url }) => !inside.has(url));
  const sizes = await Promise.all(files.map(async (file) => Number((await cache.match(file))?.headers.get("content-length") ?? 0)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** @param {StoredFilm} film */
export const deleteFilm = (film) => caches.delete(cacheOf(film));
