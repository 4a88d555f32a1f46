/**
 * Who is logged in: the one place that holds the session's token.
 *
 * It lies in sessionStorage, or in localStorage where the person wants to stay logged in on this device. Tabs of this
 * site share it: a new tab asks the others, and all of them follow when it is renewed or dropped. The token goes to the
 * API alone, in a header.
 */
import { api, ask, RequestError } from "../net.js";
import { here, withNext } from "./next.js";

const KEY = "notflix.session";
const ANSWER_WITHIN_MS = 250;
const FACTS = ["token", "expires_at", "user_id", "email", "admin", "confirmed", "since"];

/** Storage that lasts as long as the page, for browsers that refuse theirs. */
export function memory() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => { kept.set(key, value); },
    removeItem: (key) => { kept.delete(key); },
  };
}

/** A session as it was written, or null for whatever is none. */
export function readSession(text) {
  try {
    const found = JSON.parse(text ?? "null");
    return typeof found?.token === "string" && found.token ? found : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const only = (facts) => Object.fromEntries(FACTS.filter((name) => name in facts).map((name) => [name, facts[name]]));

export class SessionKeeper {
  #tab;
  #device;
  #post;
  #now;
  #listeners = new Set();
  #asking = null;

  /** `tab` and `device` are storages, `post` sends a message to the other tabs, `now` is the clock. */
  constructor({ tab = memory(), device = memory(), post = () => {}, now = Date.now } = {}) {
    this.#tab = tab;
    this.#device = device;
    this.#post = post;
    this.#now = now;
  }

  get session() {
    return readSession(this.#tab.getItem(KEY)) ?? readSession(this.#device.getItem(KEY));
  }

  get remembered() {
    return !readSession(this.#tab.getItem(KEY)) && Boolean(readSession(this.#device.getItem(KEY)));
  }

  get token() {
    return this.session?.token ?? "";
  }

  /** Keep a session that somebody has just logged in to. */
  keep(session, { remember = false } = {}) {
    this.#write({ ...only(session), since: this.#now() }, remember);
  }

  /** Keep the session that takes the place of this one, where and since when that one was kept. */
  renew(session) {
    this.#write({ ...only(session), since: this.session?.since ?? this.#now() }, this.remembered);
  }

  /** Note what the API says of the person by now. */
  update(facts) {
    const old = this.session;
    const { token, since } = old ?? {};
    const known = old && { ...old, ...only(facts), token, since };
    if (known && JSON.stringify(known) !== JSON.stringify(old)) this.#write(known, this.remembered);
  }

  /** Forget the session, in every tab. */
  drop() {
    const { token } = this;
    if (!token) return;
    this.#forget();
    this.#post({ dropped: token });
    this.#tell();
  }

  /** Call `listener(session, elsewhere)` at every change, by this tab or by one elsewhere; return what ends that. */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The session; where this tab has none, the other tabs are asked first. */
  async ready() {
    if (this.session) return this.session;
    this.#asking ??= new Promise((resolve) => {
      const stop = this.onChange(() => resolve());
      setTimeout(() => { stop(); resolve(); }, ANSWER_WITHIN_MS);
      this.#post({ asked: true });
    });
    await this.#asking;
    return this.session;
  }

  /** Take a message of another tab. */
  hear({ asked, session, replaces, dropped }) {
    const { token } = this;
    if (asked && token && !this.remembered) this.#post({ session: this.session, replaces: "" });
    if (dropped && dropped === token) {
      this.#forget();
      this.#tell(true);
    }
    if (session && readSession(JSON.stringify(session)) && (!token || token === replaces)) {
      this.#forget();
      this.#tab.setItem(KEY, JSON.stringify(only(session)));
      this.#tell(true);
    }
  }

  /** What the device keeps has been changed by another tab. */
  deviceChanged() {
    this.#tell(true);
  }

  #write(session, remember) {
    const replaces = this.token;
    this.#forget();
    (remember ? this.#device : this.#tab).setItem(KEY, JSON.stringify(session));
    if (!remember) this.#post({ session, replaces });
    this.#tell();
  }

  #forget() {
    this.#tab.removeItem(KEY);
    this.#device.removeItem(KEY);
  }

  #tell(elsewhere = false) {
    const { session } = this;
    for (const listener of [...this.#listeners]) listener(session, elsewhere);
  }
}

function storage(name) {
  try {
    globalThis[name].getItem(KEY);
    return globalThis[name];
  } catch {
    return memory(); // the browser refuses storage to this site: logged in until the page is left
  }
}

function inBrowser() {
  const channel = new BroadcastChannel(KEY);
  const keeper = new SessionKeeper({
    tab: storage("sessionStorage"),
    device: storage("localStorage"),
    post: (message) => channel.postMessage(message),
  });
  channel.addEventListener("message", ({ data }) => keeper.hear(data ?? {}));
  window.addEventListener("storage", ({ key, storageArea }) => {
    if (storageArea === window.localStorage && (key === KEY || key === null)) keeper.deviceChanged();
  });
  return keeper;
}

const keeper = globalThis.document ? inBrowser() : new SessionKeeper();

export const token = () => keeper.token;
export const session = () => keeper.session;
export const ready = () => keeper.ready();
export const keep = (found, options) => keeper.keep(found, options);
export const renew = (found) => keeper.renew(found);
export const update = (facts) => keeper.update(facts);
export const drop = () => keeper.drop();
export const onChange = (listener) => keeper.onChange(listener);

/** Go to another page; what awaits this never goes on, so a page that is being left stays as it is. */
export function leaveFor(address, { back = true } = {}) {
  if (back) location.assign(address);
  else location.replace(address);
  return new Promise(() => {});
}

/** Where to log in, to come back to this page. */
export const loginAddress = (why = "") => withNext("/login.html", here(location), why);

/**
 * Ask the API at `path` as the person who is logged in; as `ask` of net.js.
 *
 * If nobody is, or no longer, the token is dropped and the login page takes over; with `leave: false` a RequestError of
 * status 401 is raised instead, for what is only an extra on a page that anybody may see.
 */
export async function authorized(path, { leave = true, headers, ...options } = {}, using = keeper) {
  const known = await using.ready();
  try {
    if (!known) throw new RequestError(401, "unauthenticated", "You are not logged in.");
    return await ask(api(path), { ...options, headers: { ...headers, authorization: `Bearer ${known.token}` } });
  } catch (error) {
    if (error.status !== 401 || error.code !== "unauthenticated") throw error;
    if (known && using.token === known.token) using.drop();
    if (!leave) throw error;
    return leaveFor(loginAddress(known ? "ended" : ""), { back: false });
  }
}

/** End this session, or all of this person's; what the server does not hear of, this browser forgets all the same. */
export async function logOut({ everywhere = false } = {}) {
  try {
    await authorized(everywhere ? "sessions?everywhere=true" : "sessions", { method: "DELETE", leave: false });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (everywhere && error.status !== 401) throw error;
  }
  drop();
}
