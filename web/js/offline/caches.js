/**
 * The caches of downloaded films: one per account and title, so that deleting a film is one operation. This module is
 * small, because every page needs it: whoever logs out deletes the films of the account.
 */

const PREFIX = "notflix film";

/**
 * Return the name of the cache of a film.
 * @param {string} userId
 * @param {string} titleId
 */
export const cacheName = (userId, titleId) => `${PREFIX} ${userId} ${titleId}`;

/**
 * Return the account and the title of a cache; null if its name is not that of a film.
 * @param {string} name
 */
export function filmOf(name) {
  const [userId, titleId, ...more] = name.startsWith(`${PREFIX} `) ? name.slice(PREFIX.length + 1).split(" ") : [];
  return userId && titleId && !more.length ? { userId, titleId } : null;
}

/**
 * Return the names of all caches; none in browsers and on pages that offer no storage, or if the browser refuses it to
 * this site.
 * @param {CacheStorage | undefined} storage
 * @returns {Promise<string[]>}
 */
export const cacheNames = async (storage) =>
  (await storage?.keys().catch((error) => {
    if (error instanceof DOMException) return [];
    throw error;
  })) ?? [];

/**
 * Delete all films that an account has downloaded on this device.
 * @param {string | undefined} userId
 * @param {CacheStorage | undefined} storage
 */
export async function deleteFilmsOf(userId, storage = globalThis.caches) {
  const names = await cacheNames(storage);
  await Promise.all(names.filter((name) => userId && filmOf(name)?.userId === userId).map((name) => storage.delete(name)));
}
