/** The login page: exchanges a password and, if set up, a second step for a session, and returns to the previous page. */
import { hook, rootOf } from "../dom.js";
import { orElse } from "../net.js";
import { openSession, openWithFactor } from "./device.js";
import { bindFactor } from "./factor.js";
import { bindForm, showState } from "./form.js";
import { why } from "./gate.js";
import { nextOf, withNext } from "./next.js";
import { sessionFacts } from "./profile.js";
import { addressFault, faultsOf, givenFault } from "./rules.js";
import { authorized, isStorageRefused, keep, leaveFor, onChange, ready, update } from "./session.js";
import { t } from "../texts.js";

const NOTICES = new Map([
  ["ended", t("login.session_has_ended_please")],
  ["out", t("login.logged_out")],
  ["everywhere", t("login.logged_out_on_every")],
  ["registered", t("login.account_ready_log_in")],
]);

/**
 * Return a sentence that explains why the user was sent to this page; "" if they came on their own.
 * @param {string} reason
 */
export const noticeFor = (reason) => NOTICES.get(reason) ?? "";

/** @import { AccountSession, Profile } from "../types.js" */

/**
 * Return the page after a login: an administrator without a second step sets it up first.
 * @param {Pick<AccountSession, "admin" | "factor">} session
 * @param {string} next
 */
export const pageAfter = ({ admin, factor }, next) => (admin && factor === "none" ? "/account.html#two-step" : next);

/**
 * Return the page after a login: if several people use the account, the one on which they say who is watching.
 * @param {string} next
 */
async function afterProfiles(next) {
  const found = await orElse(authorized("profiles", { leave: false }), null); // without an answer, the account's own is used
  if (!found) return next;
  const current = found.profiles.find((/** @type {Profile} */ one) => one.id === found.current);
  if (current) update(sessionFacts(current));
  return found.profiles.length > 1 ? withNext("/profiles.html", next) : next;
}

/** @param {HTMLElement} root */
async function start(root) {
  const form = hook(root, "password-form");
  const leave = (address = nextOf(location)) => leaveFor(address, { back: false }); // "Back" does not return to this page
  let remembered = false;
  let entering = false;
  const enter = async (/** @type {AccountSession} */ session) => {
    entering = true;
    keep(session, { remember: remembered });
    await leave(await afterProfiles(pageAfter(session, nextOf(location))));
  };
  const askFactor = bindFactor(hook(root, "factor"), {
    answer: async (answer) => enter(await openWithFactor(answer)),
    restart: (sentence) => startOver(sentence),
  });
  const { tell } = bindForm(form, {
    busy: t("login.logging_in"),
    fields: { wrong_credentials: "password" },
    check: ({ email, password }) => faultsOf({ email: addressFault(email), password: givenFault(password) }),
    send: async ({ email, password, remember }) => {
      remembered = Boolean(remember);
      const opened = await openSession({ email: email.trim(), password });
      if ("session" in opened) await enter(opened.session);
      else {
        showState(root, "factor");
        askFactor(opened.check);
      }
    },
  });
  const startOver = (sentence = "") => {
    showState(root, "password");
    form.elements.password.value = "";
    form.elements.password.focus();
    tell(sentence, "note");
  };
  hook(root, "restart").addEventListener("click", () => startOver());
  tell(isStorageRefused() ? t("login.storage_refused") : noticeFor(why()), "note");
  onChange((known, elsewhere) => { if (known && elsewhere && !entering) leave(); });
  if (await ready()) await leave();
}

const page = rootOf("login");
if (page) start(page);
