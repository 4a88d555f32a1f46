/** The account page: the profile, recent logins, and everything that can be changed. */
import "../nav.js";
import { bindOnce, hook, hooks, piece, rootOf, say } from "../dom.js";
import { orElse, persist, repeat, RequestError } from "../net.js";
import { showSubscription } from "../billing/subscription.js";
import { deleteFilmsOf } from "../offline/caches.js";
import { StreamList } from "../streams.js";
import { act } from "./act.js";
import { download } from "./download.js";
import { showEmails } from "./emails.js";
import { collectData } from "./export.js";
import { showFactors } from "./factors.js";
import { bindForm, showState } from "./form.js";
import { faultsOf, givenFault, passwordFault } from "./rules.js";
import { authorized, drop, leaveFor, loginAddress, logOut, onChange, ready, renew, session, update } from "./session.js";
import { day, moment, outcomeOf, placeName, thisLogin } from "./words.js";
import { deviceName, t } from "../texts.js";

/** @import { AccountSession, Hooks, Login } from "../types.js" */
/** @typedef {{ logins: Login[], cursor: string | null }} LoginPage */

const REFRESH_MS = 2000;
const FRESH_MS = 60_000;

/**
 * Return whether the login was so recent that it may not be in the login history yet.
 * @param {number | null | undefined} sinceMs
 * @param {number} nowMs
 */
export const isFresh = (sinceMs, nowMs) => Boolean(sinceMs) && Math.abs(nowMs - (sinceMs ?? 0)) < FRESH_MS;

/**
 * @param {Hooks} at
 * @param {AccountSession} me
 */
function writeProfile(at, me) {
  at["profile-address"].textContent = me.email;
  at.confirmed.hidden = !me.confirmed;
  at.unconfirmed.hidden = me.confirmed;
  at.confirm.hidden = me.confirmed;
  at.admin.hidden = !me.admin;
  at["password-name"].value = me.email;
}

/**
 * @param {Login} login
 * @param {{ now: Date, mine: boolean }} how
 */
function loginNode(login, { now, mine }) {
  const node = piece("login");
  const at = hooks(node);
  const { text, kind } = outcomeOf(login.outcome);
  node.dataset.kind = kind;
  at.at.textContent = moment(login.at, now);
  at.at.dateTime = login.at;
  at.mine.hidden = !mine;
  at.browser.textContent = deviceName(login.browser);
  at.place.textContent = placeName(login.ip);
  at.outcome.textContent = text;
  return node;
}

/**
 * Recent logins, newest first. Entries go through a queue, so the entry of the current login may be some seconds late.
 */
class Logins {
  /** @param {Hooks} at */
  constructor(at) {
    this.at = at;
    /** @type {Login[]} */
    this.known = [];
    /** @type {string | null} */
    this.cursor = null;
    bindOnce(at.more, () => this.load());
    bindOnce(at["logins-retry"], () => this.load());
  }

  async load() {
    const { at } = this;
    at["logins-problem"].hidden = true;
    at.logins.setAttribute("aria-busy", "true");
    try {
      const page = await this.page(this.cursor);
      const first = this.known.length;
      this.write([...this.known, ...page.logins], page.cursor);
      if (first) at.logins.children[first]?.focus(); // after "more", focus the first new entry
      else this.awaitMine();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      at["logins-problem-text"].textContent = error.message;
      at["logins-problem"].hidden = false;
    }
    at.logins.removeAttribute("aria-busy");
  }

  /**
   * @param {string | null} cursor
   * @returns {Promise<LoginPage>}
   */
  page(cursor) {
    return persist(() => authorized(`me/logins${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""}`));
  }

  get mine() {
    return thisLogin(this.known, session()?.since);
  }

  /** Fetch the first page again until it contains the current login, which arrives within seconds or not at all. */
  awaitMine() {
    const refresh = async () => {
      const page = await orElse(this.page(null), null);
      if (page && this.known.length <= page.logins.length) this.write(page.logins, page.cursor);
    };
    repeat(refresh, () => (this.mine || !isFresh(session()?.since, Date.now()) ? null : REFRESH_MS));
  }

  /**
   * @param {Login[]} logins
   * @param {string | null} cursor
   */
  write(logins, cursor) {
    const { at } = this;
    this.known = logins;
    this.cursor = cursor ?? null;
    const now = new Date();
    const { mine } = this;
    at.logins.replaceChildren(...logins.map((login) => loginNode(login, { now, mine: login === mine })));
    at["logins-none"].hidden = logins.length > 0;
    at.more.hidden = !this.cursor;
  }
}

/** @param {HTMLFormElement} form */
function bindPassword(form) {
  const { tell } = bindForm(form, {
    busy: t("common.changing"),
    fields: { wrong_password: "current", weak_password: "new" },
    check: ({ current, new: wanted }) =>
      faultsOf({
        current: givenFault(current),
        new: passwordFault(wanted) || (wanted === current ? t("account.current_password") : ""),
      }),
    send: async ({ current, new: wanted }) => {
      renew(await authorized("me/password", { method: "PUT", body: { current, new: wanted } }));
      form.reset();
      tell(t("account.password_changed_every_other"), "note");
    },
  });
}

/**
 * @param {HTMLElement} root
 * @param {Hooks} at
 */
function bindDelete(root, at) {
  const { dialog } = at;
  const form = hook(dialog, "delete-form");
  at["delete-open"].addEventListener("click", () => {
    dialog.showModal();
    form.elements.password.focus();
  });
  at["delete-close"].addEventListener("click", () => dialog.close());
  const { clear } = bindForm(form, {
    busy: t("account.deleting"),
    fields: { wrong_password: "password" },
    check: ({ password }) => faultsOf({ password: givenFault(password) }),
    send: async ({ password }) => {
      await authorized("me", { method: "DELETE", body: { password } });
      await deleteFilmsOf(session()?.user_id);
      dialog.close();
      drop();
      showState(root, "gone");
    },
  });
  dialog.addEventListener("close", () => {
    form.reset();
    clear();
  });
}

/** @param {Hooks} at */
function bindSessions(at) {
  at["log-out"].addEventListener("click", () =>
    act(at["log-out"], at["sessions-said"], async () => {
      await logOut();
      await leaveFor("/login.html?why=out");
    }));
  at["log-out-everywhere"].addEventListener("click", () =>
    act(at["log-out-everywhere"], at["sessions-said"], async () => {
      await logOut({ everywhere: true });
      await leaveFor("/login.html?why=everywhere");
    }));
}

/** @param {HTMLElement} root */
async function start(root) {
  const known = await ready();
  if (!known) {
    await leaveFor(loginAddress(), { back: false });
    return;
  }
  const at = hooks(root);
  writeProfile(at, known);
  showState(root, "known");
  bindPassword(hook(root, "password-form"));
  bindDelete(root, at);
  bindSessions(at);
  at["send-link"].addEventListener("click", () =>
    act(at["send-link"], at["profile-said"], async () => {
      await authorized("me/confirmation", { method: "POST" });
      return t("account.link_sent", { email: session()?.email ?? "" });
    }));
  at["data-save"].addEventListener("click", () =>
    act(at["data-save"], at["data-said"], async () => {
      const data = await collectData((path) => persist(() => authorized(path)), new Date());
      download(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }), "notflix-my-data.json");
      return t("account.file_ready");
    }));
  onChange((now, elsewhere) => {
    if (now) writeProfile(at, now);
    else if (elsewhere) leaveFor(loginAddress(), { back: false });
  });
  await Promise.all([loadProfile(at), showSubscription(root), showFactors(root), new Logins(at).load(), showStreams(at), showEmails(at)]);
}

/** @param {Hooks} at */
async function showStreams(at) {
  const list = new StreamList(at.streams, { onStopped: () => load(), onTrouble: (text) => say(at["streams-said"], text) });
  const load = async () => { at["streams-none"].hidden = (await list.load()) !== 0; };
  await load();
}

/** @param {Hooks} at */
async function loadProfile(at) {
  try {
    const me = await persist(() => authorized("me"));
    update(me);
    writeProfile(at, me);
    at["session-end"].textContent = t("account.stay_logged_in_on", { day: day(me.session_expires_at, new Date()) });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    say(at["profile-said"], error.message);
  }
}

const page = rootOf("account-page");
if (page) start(page);
