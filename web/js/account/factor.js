/** The second step: asks for a passkey, the code of an app, or a recovery code, whichever the account has. */
import { hook, say } from "../dom.js";
import { RequestError } from "../net.js";
import { bindForm } from "./form.js";
import { hasPasskeys, usePasskey } from "./passkeys.js";
import { faultsOf } from "./rules.js";
import { t } from "../texts.js";

/** @import { FactorAnswer, FactorCheck } from "../types.js" */

/**
 * Return the sentence that says what to do.
 * @param {{ recovery: boolean, passkey: boolean, app: boolean }} ways
 */
export function leadFor({ recovery, passkey, app }) {
  if (recovery) return t("factor.enter_one_recovery_codes");
  if (passkey && app) return t("factor.use_passkey_or_enter");
  if (passkey) return t("factor.use_passkey_set_up");
  if (app) return t("factor.enter_code_from_authenticator");
  return t("factor.browser_cannot_use_passkey");
}

/**
 * Return the sentence about a typed code; "" if nothing obvious is wrong.
 * @param {string} code
 * @param {boolean} recovery
 */
export function codeFault(code, recovery) {
  const text = code.replace(/[^a-z0-9]/gi, "");
  if (!text) return recovery ? t("factor.enter_recovery_code") : t("factor.enter_code_from_app");
  if (recovery) return text.length === 16 ? "" : t("factor.recovery_code_has_16");
  return /^\d{6}$/.test(text) ? "" : t("factor.code_has_six_digits");
}

/**
 * Bind the second step inside `root`. `answer(fields)` sends the answer to the API; `restart(sentence)` is called if
 * the ticket has expired. Return a function that shows the request for the second step.
 * @param {HTMLElement} root
 * @param {{ answer: (fields: FactorAnswer) => Promise<unknown>, restart: (sentence: string) => void }} how
 */
export function bindFactor(root, { answer, restart }) {
  const at = {
    lead: hook(root, "factor-lead"),
    form: /** @type {HTMLFormElement} */ (hook(root, "code-form")),
    passkey: hook(root, "use-passkey"),
    said: hook(root, "passkey-said"),
    recovery: hook(root, "use-recovery"),
    app: hook(root, "use-app"),
  };
  const input = /** @type {HTMLInputElement} */ (at.form.elements.namedItem("code"));
  const hint = /** @type {HTMLElement} */ (at.form.querySelector(".field-hint"));
  const label = /** @type {HTMLElement} */ (at.form.querySelector("label"));
  /** @type {FactorCheck | null} */
  let asked = null;
  let recovery = false;

  const send = async (/** @type {Partial<FactorAnswer>} */ proof) => {
    try {
      await answer({ ticket: asked?.ticket ?? "", ...proof });
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== "unauthenticated") throw error;
      restart(error.message);
    }
  };
  const { clear } = bindForm(at.form, {
    busy: t("common.checking"),
    fields: { wrong_second_factor: "code" },
    check: ({ code }) => faultsOf({ code: codeFault(code, recovery) }),
    send: ({ code }) => send({ code }),
  });

  const show = (/** @type {boolean} */ wantsRecovery) => {
    const kinds = asked?.kinds ?? [];
    const app = kinds.includes("totp");
    const passkey = kinds.includes("passkey") && hasPasskeys();
    recovery = wantsRecovery;
    at.passkey.hidden = !passkey || recovery;
    at.form.hidden = !app && !recovery;
    at.recovery.hidden = recovery;
    at.app.hidden = !recovery || (!app && !passkey);
    at.app.textContent = app ? t("factor.use_authenticator_app_instead") : t("factor.use_passkey_instead");
    label.textContent = recovery ? t("factor.recovery_code") : t("factor.code");
    hint.hidden = recovery;
    input.inputMode = recovery ? "text" : "numeric";
    say(at.said, "");
    say(at.lead, leadFor({ recovery, passkey, app }));
    if (!at.form.hidden) input.focus();
    else at.passkey.focus();
  };
  const choose = (/** @type {boolean} */ wantsRecovery) => {
    at.form.reset();
    clear();
    show(wantsRecovery);
  };
  at.recovery.addEventListener("click", () => choose(true));
  at.app.addEventListener("click", () => choose(false));
  at.passkey.addEventListener("click", async () => {
    if (at.passkey.getAttribute("aria-disabled") === "true") return;
    at.passkey.setAttribute("aria-disabled", "true");
    say(at.said, "");
    try {
      await send({ passkey: await usePasskey(asked?.passkey_options) });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      say(at.said, error.message);
    } finally {
      at.passkey.removeAttribute("aria-disabled");
    }
  });

  return (/** @type {FactorCheck} */ check) => {
    asked = check;
    choose(!check.kinds.includes("totp") && !(check.kinds.includes("passkey") && hasPasskeys()));
  };
}
