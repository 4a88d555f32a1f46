/** The page that the link in an email opens to choose a new password. */
import { hook, rootOf } from "../dom.js";
import { api, ask, RequestError } from "../net.js";
import { rememberDevice } from "./device.js";
import { bindForm, showState } from "./form.js";
import { takeToken } from "./gate.js";
import { faultsOf, passwordFault } from "./rules.js";
import { drop } from "./session.js";
import { t } from "../texts.js";

/** @param {HTMLElement} root */
function start(root) {
  const token = takeToken();
  if (!token) {
    showState(root, "broken");
    return;
  }
  showState(root, "ask");
  const form = hook(root, "form");
  bindForm(form, {
    busy: t("common.changing"),
    fields: { weak_password: "password" },
    check: ({ password }) => faultsOf({ password: passwordFault(password) }),
    send: async ({ password }) => {
      try {
        const { device } = await ask(api("password-resets"), { method: "PUT", body: { token, password } });
        rememberDevice(device);
      } catch (error) {
        if (!(error instanceof RequestError) || error.code !== "link_over") throw error;
        form.reset();
        showState(root, "broken");
        return;
      }
      drop(); // every session of this account has ended
      form.reset();
      showState(root, "done");
    },
  });
  form.elements.password.focus();
}

const page = rootOf("reset");
if (page) start(page);
