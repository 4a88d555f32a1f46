/** The login page: gives address and password for a session, and goes back to where the person came from. */
import { api, ask } from "../net.js";
import { bindForm } from "./form.js";
import { why } from "./gate.js";
import { nextOf } from "./next.js";
import { addressFault, faultsOf, givenFault } from "./rules.js";
import { keep, leaveFor, onChange, ready } from "./session.js";

const NOTICES = new Map([
  ["ended", "Your session has ended. Log in to go on."],
  ["out", "You are logged out."],
  ["everywhere", "You are logged out on every device."],
  ["registered", "Your account is there. Log in with it."],
]);

/** Why somebody is on this page, in a sentence; "" where they know it themselves. */
export const noticeFor = (reason) => NOTICES.get(reason) ?? "";

async function start(form) {
  const goneOn = () => leaveFor(nextOf(location), { back: false }); // "Back" does not lead here again
  const { tell } = bindForm(form, {
    busy: "Logging in…",
    fields: { wrong_credentials: "password" },
    check: ({ email, password }) => faultsOf({ email: addressFault(email), password: givenFault(password) }),
    send: async ({ email, password, remember }) => {
      keep(await ask(api("sessions"), { method: "POST", body: { email: email.trim(), password } }), { remember: Boolean(remember) });
      await goneOn();
    },
  });
  tell(noticeFor(why()), "note");
  onChange((known, elsewhere) => { if (known && elsewhere) goneOn(); });
  if (await ready()) await goneOn();
}

const form = globalThis.document?.querySelector("[data-login]");
if (form) start(form);
