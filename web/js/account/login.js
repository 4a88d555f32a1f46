/** The login page: exchanges an email address and password for a session, and returns to the previous page. */
import { rootOf } from "../dom.js";
import { openSession } from "./device.js";
import { bindForm } from "./form.js";
import { why } from "./gate.js";
import { nextOf } from "./next.js";
import { addressFault, faultsOf, givenFault } from "./rules.js";
import { keep, leaveFor, onChange, ready } from "./session.js";

const NOTICES = new Map([
  ["ended", "Your session has ended. Please log in again."],
  ["out", "You are logged out."],
  ["everywhere", "You are logged out on every device."],
  ["registered", "Your account is ready. Log in to continue."],
]);

/**
 * Return a sentence that explains why the user was sent to this page; "" if they came on their own.
 * @param {string} reason
 */
export const noticeFor = (reason) => NOTICES.get(reason) ?? "";

/** @param {HTMLFormElement} form */
async function start(form) {
  const leave = () => leaveFor(nextOf(location), { back: false }); // so that "Back" does not return to this page
  const { tell } = bindForm(form, {
    busy: "Logging in…",
    fields: { wrong_credentials: "password" },
    check: ({ email, password }) => faultsOf({ email: addressFault(email), password: givenFault(password) }),
    send: async ({ email, password, remember }) => {
      keep(await openSession({ email: email.trim(), password }), { remember: Boolean(remember) });
      await leave();
    },
  });
  tell(noticeFor(why()), "note");
  onChange((known, elsewhere) => { if (known && elsewhere) leave(); });
  if (await ready()) await leave();
}

const page = /** @type {HTMLFormElement | null} */ (rootOf("login"));
if (page) start(page);
