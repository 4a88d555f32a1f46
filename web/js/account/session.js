/**
 * The session of the logged-in user. Only this module stores the session's token.
 *
 * The token is stored in sessionStorage, or in localStorage if the user chose to stay logged in on this device. The
 * tabs of this site share it: a new tab requests it from the others, and all tabs are updated when it is renewed or
 * dropped. A tab whose session is in sessionStorage leaves a mark in localStorage; without it, nobody waits for an
 * answer. The token is sent only to the API, in a header.
 */
import { api, ask, RequestError } from "../net.js";
import { deleteFilmsOf } from "../offline/caches.js";
import { here, withNext } from "./next.js";
import { inLanguage, t } from "../texts.js";

/** @import { AccountSession, RequestOptions } from "../types.js" */
/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Store */
/** @typedef {(session: AccountSession | null, elsewhere: boolean) => unknown} Listener */
/**
 * @typedef {object} Message a message between tabs
 * @property {boolean} [asked] a tab without a session requests one
 * @property {AccountSession} [session] a session, which replaces the session whose token is `replaces`
 * @property {string} [replaces]
 * @property {string} [dropped] the token of a session that has ended
 */

const KEY = "notflix.session";
const ELSEWHERE = "notflix.session.elsewhere"; // guests.js knows both names
const ANSWER_WITHIN_MS = 250;
const FACTS = /** @type {const} */ (["token", "expires_at", "user_id", "email", "admin", "confirmed", "factor", "since", "profile_id", "profile_name", "profile_colour", "age_limit"]);

/**
 * Return storage that lasts as long as the page, for browsers that refuse access to their own storage.
 * @returns {Store}
 */
export function memory() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => { kept.set(key, value); },
    removeItem: (key) => { kept.delete(key); },
  };
}

/**
 * Return the session parsed from stored text, or null if the text is not a session.
 * @param {string | null | undefined} text
 * @returns {AccountSession | null}
 */
export function readSession(text) {
  try {
    const found = JSON.parse(text ?? "null");
    return typeof found?.token === "string" && found.token ? found : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * @param {Partial<AccountSession>} facts
 * @returns {any}
 */
const only = (facts) => Object.fromEntries(FACTS.filter((name) => name in facts).map((name) => [name, facts[name]]));

export class SessionKeeper {
  #tab;
  #device;
  #post;
  #now;
  /** @type {Set<Listener>} */
  #listeners = new Set();
  /** @type {Promise<void> | null} */
  #asking = null;

  /**
   * `tab` and `device` are storages, `post` sends a message to the other tabs, `now` is the clock.
   * @param {{ tab?: Store, device?: Store, post?: (message: Message) => void, now?: () => number }} parts
   */
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

  /**
   * Store the session of a new login.
   * @param {AccountSession} session
   */
  keep(session, { remember = false } = {}) {
    this.#write({ ...only(session), since: this.#now() }, remember);
  }

  /**
   * Store the session that replaces the current one, in the same storage and with the same `since`.
   * @param {AccountSession} session
   */
  renew(session) {
    this.#write({ ...only(session), since: this.session?.since ?? this.#now() }, this.remembered);
  }

  /**
   * Update the stored facts about the user with `facts` from the API.
   * @param {Partial<AccountSession>} facts
   */
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

  /**
   * Call `listener(session, elsewhere)` at every change; `elsewhere` is true if another tab made it. Return a function
   * that removes the listener.
   * @param {Listener} listener
   */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Return the session; if this tab has none, request it from the other tabs first, if they may have one. */
  async ready() {
    if (this.session || this.#device.getItem(ELSEWHERE) === null) return this.session;
    this.#asking ??= new Promise((resolve) => {
      const stop = this.onChange(() => resolve());
      setTimeout(() => {
        stop();
        resolve();
      }, ANSWER_WITHIN_MS);
      this.#post({ asked: true });
    });
    await this.#asking;
    return this.session;
  }

  /**
   * Handle a message from another tab.
   * @param {Message} message
   */
  hear({ asked, session: given, replaces, dropped }) {
    const { token, session: own } = this;
    if (asked && own && !this.remembered) this.#post({ session: own, replaces: "" });
    if (dropped && dropped === token) {
      this.#forget();
      this.#tell(true);
    } else if (dropped) this.mark(); // the tab that dropped its own session has removed the mark
    if (given && readSession(JSON.stringify(given)) && (!token || token === replaces)) {
      this.#forget();
      this.#tab.setItem(KEY, JSON.stringify(only(given)));
      this.#tell(true);
    }
  }

  /** Leave the mark by which new tabs know that they can get a session from this one. */
  mark() {
    if (!this.session || this.remembered) return;
    try {
      this.#device.setItem(ELSEWHERE, "");
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // localStorage is full: new tabs have no session
    }
  }

  /** Handle a change that another tab made in localStorage. */
  deviceChanged() {
    this.#tell(true);
  }

  /**
   * @param {AccountSession} session
   * @param {boolean} remember
   */
  #write(session, remember) {
    const replaces = this.token;
    this.#forget();
    (remember ? this.#device : this.#tab).setItem(KEY, JSON.stringify(session));
    this.mark();
    if (!remember) this.#post({ session, replaces });
    this.#tell();
  }

  #forget() {
    this.#tab.removeItem(KEY);
    for (const key of [KEY, ELSEWHERE]) this.#device.removeItem(key);
  }

  #tell(elsewhere = false) {
    const { session: current } = this;
    for (const listener of [...this.#listeners]) listener(current, elsewhere);
  }
}

/**
 * Return a storage of the browser, or one that lasts as long as the page.
 * @param {"sessionStorage" | "localStorage"} name
 * @returns {Store}
 */
export function storage(name) {
  try {
    globalThis[name].getItem(KEY);
    return globalThis[name];
  } catch {
    return memory(); // the browser refuses storage to this site: the session lasts until the page is left
  }
}

/** Return whether the browser refuses storage to this site, so that a session ends with the page. */
export function isStorageRefused() {
  try {
    return !globalThis.sessionStorage;
  } catch {
    return true;
  }
}

/**
 * Return a channel to the other tabs of this site, and call `hear` with their messages. Browsers that refuse storage to
 * this site can refuse channels too: then the tabs do not know of one another.
 * @param {string} name
 * @param {(message: any) => unknown} [hear]
 * @returns {Pick<BroadcastChannel, "postMessage" | "close">}
 */
export function openChannel(name, hear = () => {}) {
  try {
    const channel = new BroadcastChannel(name);
    channel.addEventListener("message", ({ data }) => hear(data));
    return channel;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return { postMessage: () => {}, close: () => {} };
  }
}

function inBrowser() {
  const channel = openChannel(KEY, (message) => made.hear(message ?? {}));
  const device = storage("localStorage");
  if (isStorageRefused()) device.setItem(ELSEWHERE, ""); // no tab can leave a mark, so all are asked
  const made = new SessionKeeper({
    tab: storage("sessionStorage"),
    device,
    post: (message) => channel.postMessage(message),
  });
  made.mark(); // what the session was stored by may have left none
  window.addEventListener("storage", ({ key, storageArea }) => {
    if (storageArea === window.localStorage && (key === KEY || key === null)) made.deviceChanged();
  });
  return made;
}

const keeper = globalThis.document ? inBrowser() : new SessionKeeper();

export const token = () => keeper.token;
export const session = () => keeper.session;

/** Return the age limit of the profile that is used; null if there is none. */
export const ageLimit = () => keeper.session?.age_limit ?? null;
export const ready = () => keeper.ready();
/** @type {SessionKeeper["keep"]} */
export const keep = (found, options) => keeper.keep(found, options);
/** @type {SessionKeeper["renew"]} */
export const renew = (found) => keeper.renew(found);
/** @type {SessionKeeper["update"]} */
export const update = (facts) => keeper.update(facts);
export const drop = () => keeper.drop();
/** @type {SessionKeeper["onChange"]} */
export const onChange = (listener) => keeper.onChange(listener);

/**
 * Go to another page. The promise never settles, so code that awaits it does not change the page any more.
 * @param {string} address
 * @returns {Promise<never>}
 */
export function leaveFor(address, { back = true } = {}) {
  if (back) location.assign(inLanguage(address));
  else location.replace(inLanguage(address));
  return new Promise(() => {});
}

let stays = false;
/** Keep this page when its session ends, because something would be lost; the page learns of it by `onChange`. */
export const stayWhenLoggedOut = () => { stays = true; };

/** Return the address of the login page that returns to this page afterwards. */
export const loginAddress = (why = "") => withNext("/login.html", here(location), why);

/**
 * Send a request to the API at `path` as the logged-in user; see `ask` in net.js.
 *
 * If nobody is logged in or the session has ended, the token is dropped and the login page opens. With `leave: false`,
 * a RequestError with status 401 is raised instead; this is for optional content on pages that need no login. With
 * `keep: true`, the session is also kept, because the 401 may be about another token in the request. After
 * `stayWhenLoggedOut`, no request opens the login page.
 * @param {string} path
 * @param {RequestOptions & { leave?: boolean, keep?: boolean }} [options]
 * @param {SessionKeeper} [using]
 * @returns {Promise<any>}
 */
export async function authorized(path, { leave = true, keep: kept = false, headers, ...options } = {}, using = keeper) {
  const known = await using.ready();
  try {
    if (!known) throw new RequestError(401, "unauthenticated", t("session.not_logged_in"));
    return await ask(api(path), { ...options, headers: { ...headers, authorization: `Bearer ${known.token}` } });
  } catch (error) {
    if (!(error instanceof RequestError) || error.status !== 401 || error.code !== "unauthenticated") throw error;
    if (kept && known) throw error;
    if (known && using.token === known.token) using.drop();
    if (!leave || stays) throw error;
    return leaveFor(loginAddress(known ? "ended" : ""), { back: false });
  }
}

/**
 * Return the API's answer at `path`, which guests get too; it leaves out what is not for the age of a viewer's profile.
 * @param {string} path
 * @param {RequestOptions} [options]
 * @returns {Promise<any>}
 */
export const forAnyone = async (path, options = {}) => ((await ready()) ? authorized(path, { ...options, leave: false }) : ask(api(path), options));

/**
 * End this session, or all sessions of this user; this browser forgets the session even if the request fails, and
 * deletes the films that the user has downloaded.
 */
export async function logOut({ everywhere = false } = {}) {
  const userId = session()?.user_id;
  try {
    await authorized(everywhere ? "sessions?everywhere=true" : "sessions", { method: "DELETE", leave: false });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (everywhere && error.status !== 401) throw error;
  }
  drop();
  await deleteFilmsOf(userId);
}
