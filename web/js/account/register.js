/** The page to create an account: registers, logs in, and shows the address to which the confirmation was sent. */
import { hook, rootOf } from "../dom.js";
import { api, ask, RequestError } from "../net.js";
import { openSession } from "./device.js";
import { bindForm, showState } from "./form.js";
import "./gate.js";
import { nextOf, withNext } from "./next.js";
import { addressFault, faultsOf, passwordFault } from "./rules.js";
import { keep, leaveFor, ready } from "./session.js";
import { inLanguage, t } from "../texts.js";

/**
 * @param {{ email: string, password: string }} credentials
 * @param {boolean} remember
 * @param {string} next
 */
async function logIn(credentials, remember, next) {
  try {
    const opened = await openSession(credentials); // a new account has no second step
    if ("session" in opened) keep(opened.session, { remember });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    await leaveFor(withNext("/login.html", next, "registered")); // the account exists; the user can log in manually
  }
}

/** @param {HTMLElement} root */
async function start(root) {
  const next = nextOf(location);
  const form = /** @type {HTMLFormElement} */ (hook(root, "form"));
  const taken = hook(root, "taken");
  form.addEventListener("input", () => { taken.hidden = true; });
  bindForm(form, {
    busy: t("common.creating"),
    fields: { address_taken: "email", weak_password: "password" },
    check: ({ email, password }) => faultsOf({ email: addressFault(email), password: passwordFault(password) }),
    send: async ({ email, password, remember }) => {
      const credentials = { email: email.trim(), password };
      let account;
      try {
        account = await ask(api("accounts"), { method: "POST", body: credentials });
      } catch (error) {
        taken.hidden = !(error instanceof RequestError) || error.code !== "address_taken";
        throw error;
      }
      await logIn(credentials, Boolean(remember), next);
      hook(root, "address").textContent = account.email;
      const go = hook(root, "go");
      go.href = inLanguage(next);
      if (next !== "/") go.textContent = t("common.continue");
      form.reset();
      showState(root, "done");
    },
  });
  if (await ready()) await leaveFor(next, { back: false });
}

const page = rootOf("register");
if (page) start(page);
