/**
 * Claims on uploads: a tab of this browser holds a lock for each file that it uploads, so that no other tab takes the
 * upload for an interrupted one. The browser releases the locks of a tab that is closed or crashes.
 */

const PREFIX = "notflix.upload/";

/**
 * Claim an upload; return the function that releases it, or null if another tab has it.
 * @param {string} name the name of the file
 * @returns {Promise<(() => void) | null>}
 */
export function claim(name) {
  return new Promise((resolve, reject) => {
    const held = navigator.locks.request(PREFIX + name, { ifAvailable: true }, (lock) => {
      if (!lock) {
        resolve(null);
        return undefined;
      }
      return new Promise((release) => { resolve(() => release(undefined)); });
    });
    held.catch(reject);
  });
}

/** Return the names of the files that tabs of this browser upload. */
export async function claimed() {
  const { held = [] } = await navigator.locks.query();
  return new Set(held.filter(({ name, mode }) => name?.startsWith(PREFIX) && mode === "exclusive").map(({ name = "" }) => name.slice(PREFIX.length)));
}

/**
 * Wait until no tab uploads a file.
 * @param {string} name
 */
export const unclaimed = (name) => navigator.locks.request(PREFIX + name, { mode: "shared" }, () => {});
