/** Downloaded films, for tests: a record, and the caches of a browser in memory. */

export const SITE = "https://films.example";
export const FOLDER = "https://blobs.example/title-film/job";
export const ADA = "a".repeat(32);
export const BOB = "b".repeat(32);

/** A CacheStorage in memory: as in a browser, opening a cache creates it, and a deleted cache keeps no file. */
export class MemoryCaches {
  constructor() { this.stores = new Map(); }
  keys() { return Promise.resolve([...this.stores.keys()]); }
  has(name) { return Promise.resolve(this.stores.has(name)); }
  delete(name) { return Promise.resolve(this.stores.delete(name)); }
  async match(address, { cacheName: name }) { return (await this.stores.get(name)?.match(address)) ?? undefined; }
  async open(name) {
    const files = new Map();
    const full = (address) => new URL(address.url ?? address, SITE).href;
    if (!this.stores.has(name)) {
      this.stores.set(name, {
        put: async (address, response) => { files.set(full(address), response); },
        match: async (address) => files.get(full(address))?.clone(),
        keys: async () => [...files.keys()].map((url) => ({ url })),
      });
    }
    return this.stores.get(name);
  }
}

/** @type {(given?: object) => any} */
export const makeFilm = (given = {}) => ({
  user_id: ADA,
  title_id: "film",
  name: "Film",
  card: null,
  height: 720,
  bytes: 1_200_000_000,
  whole: true,
  stored_at: "2026-05-01T10:00:00Z",
  licence_until: "2026-05-31T12:00:00Z",
  seen_at: "2026-05-01T10:00:00Z",
  place_s: 0,
  session: { name: "Film", manifest_url: `${FOLDER}/manifest.mpd`, sas: "" },
  ...given,
});
