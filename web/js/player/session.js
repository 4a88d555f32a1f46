/** A playback session: where the film lies and the SAS that opens it, renewed long before it ends. */
import { isPassing, RequestError } from "../net.js";

/** `uri` with the SAS in its query; left alone when it lies elsewhere or is no request at all (`data:`). */
export function sign(uri, sas, origin) {
  if (!URL.canParse(uri)) return uri;
  const address = new URL(uri);
  if (address.origin !== origin || address.searchParams.has("sig")) return uri;
  const [place, fragment] = uri.split(/(?=#)/); // a piece of a thumbnail sheet is named behind a "#"
  return `${place}${address.search ? "&" : "?"}${sas.replace(/^\?/, "")}${fragment ?? ""}`;
}

/**
 * Milliseconds after which to ask for a new SAS: three quarters of its life, at most a quarter of an hour. The cap keeps
 * a film going on a machine whose clock is slow by hours.
 */
export function renewAfter(expiresAt, now) {
  const left = Date.parse(expiresAt) - now;
  return Math.min(15 * 60_000, Math.max(5000, left * 0.75));
}

export class Session {
  #open;
  #ticks;
  #now;
  #due = 0;
  #pending = null;
  #onRefused;

  /**
   * `open()` asks the API for a session; `ticks` is a clock that never jumps, in milliseconds. `onRefused(error)` is told
   * when the API refuses another SAS while the old one still works.
   */
  constructor(open, { ticks = () => performance.now(), now = Date.now, onRefused = () => {} } = {}) {
    this.#open = open;
    this.#onRefused = onRefused;
    this.#ticks = ticks;
    this.#now = now;
    this.data = null;
  }

  /** Ask for a session now; those who ask meanwhile share the answer. */
  renew() {
    this.#pending ??= this.#open()
      .then((data) => {
        this.data = data;
        this.#due = this.#ticks() + renewAfter(data.expires_at, this.#now());
        return data;
      })
      .finally(() => { this.#pending = null; });
    return this.#pending;
  }

  get origin() {
    return new URL(this.data.manifest_url).origin;
  }

  /** `uri` signed with a SAS that is still good; a renewal that fails leaves the old one in use while it lasts. */
  async signed(uri) {
    if (this.#ticks() >= this.#due) {
      await this.renew().catch((error) => {
        if (this.#now() >= Date.parse(this.data.expires_at)) throw error;
        this.#due = this.#ticks() + 5000;
        if (error instanceof RequestError && !isPassing(error)) this.#onRefused(error);
      });
    }
    return sign(uri, this.data.sas, this.origin);
  }
}
