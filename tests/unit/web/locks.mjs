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
