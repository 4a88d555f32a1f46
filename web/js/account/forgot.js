/** The page for a forgotten password: requests an email with a link, and never reveals whether the account exists. */
import { hook, rootOf } from "../dom.js";
import { api, ask } from "../net.js";
import { knownDevice } from "./device.js";
import { bindForm, showState } from "./form.js";
import "./gate.js";
import { addressFault, faultsOf } from "./rules.js";
import { t } from "../texts.js";

/** @param {HTMLElement} root */
function start(root) {
  const form = hook(root, "form");
  bindForm(form, {
    busy: t("forgot.sending"),
    check: ({ email }) => faultsOf({ email: addressFault(email) }),
    send: async ({ email }) => {
      const address = email.trim();
      await ask(api("password-resets"), { method: "POST", body: { email: address, ...knownDevice() } });
      hook(root, "address").textContent = address;
      showState(root, "sent");
    },
  });
  hook(root, "again").addEventListener("click", () => {
    showState(root, "ask");
    form.elements.email.focus();
  });
}

const page = rootOf("forgot");
if (page) start(page);
