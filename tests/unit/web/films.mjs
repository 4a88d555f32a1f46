/** Downloaded films, for tests: a record, and the caches and locks of a browser in memory. */

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

/** A LockManager in memory: a shared lock waits for an exclusive one, and `ifAvailable` does not wait. */
export class MemoryLocks {
  /** @type {Map<string, Promise<void>>} */
  held = new Map();

  async request(name, { mode = "exclusive", ifAvailable = false }, work) {
    if (mode === "shared") {
      await this.held.get(name);
      return work({});
    }
    if (ifAvailable && this.held.has(name)) return work(null);
    let release = () => {};
    this.held.set(name, new Promise((resolve) => { release = () => resolve(); }));
    try {
      return await work({});
    } finally {
      this.held.delete(name);
      release();
    }
  }

  async query() { return { held: [...this.held.keys()].map((name) => ({ name, mode: "exclusive" })) }; }
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
