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
 * Delete all films that an account has downloaded on this device.
 * @param {string | undefined} userId
 * @param {CacheStorage | undefined} storage undefined in browsers and on pages that offer no storage
 */
export async function deleteFilmsOf(userId, storage = globalThis.caches) {
  if (!storage) return;
  const names = await storage.keys();
  await Promise.all(names.filter((name) => userId && filmOf(name)?.userId === userId).map((name) => storage.delete(name)));
}
