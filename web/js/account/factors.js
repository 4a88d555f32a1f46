/** The account page's part about the second step: what is set up, and the dialog that adds and removes it. */
import { hook, hooks, piece, say } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { bindFactor, codeFault } from "./factor.js";
import { bindForm } from "./form.js";
import { createPasskey, hasPasskeys } from "./passkeys.js";
import { faultsOf, givenFault } from "./rules.js";
import { authorized, renew } from "./session.js";
import { day, momentInside } from "./words.js";
import { t } from "../texts.js";

/** @import { FactorCheck, Hooks, OwnFactor } from "../types.js" */
/** @typedef {{ title: string, go: () => Promise<unknown> }} Task what the dialog does once it has a permit */
/** @typedef {{ factors: OwnFactor[], recovery_codes: number, required: boolean }} FactorList */

const FEW_CODES = 3;
const QUIET_ZONE = 4;

/**
 * Return the facts about a passkey or an app.
 * @param {OwnFactor} factor
 * @param {Date} now
 */
export function factsOf(factor, now) {
  const kind = factor.kind === "passkey" ? t("factors.passkey") : t("factors.authenticator_app");
  const used = factor.last_used_at ? t("factors.last_used", { moment: momentInside(factor.last_used_at, now) }) : t("factors.not_used_yet");
  return `${kind} · ${t("factors.added", { day: day(factor.created_at, now) })} · ${used}`;
}

/**
 * Return the sentence about the unused recovery codes; "" for an account without a second step.
 * @param {number} factors
 * @param {number} left
 */
export function codesText(factors, left) {
  if (!factors) return "";
  const number = left ? t("factors.codes", { count: left }) : t("factors.no_codes");
  return left < FEW_CODES ? `${number} ${t("factors.few_codes")}` : number;
}

/**
 * Return the path of a QR code's dark modules, as the attribute `d` of an SVG path.
 * @param {string[]} rows
 */
export const qrPath = (rows) =>
  rows.flatMap((row, y) => [...row].map((dark, x) => (dark === "1" ? `M${x} ${y}h1v1h-1z` : ""))).join("");

/** @param {string[]} rows */
function qrNode(rows) {
  const make = (/** @type {string} */ name, /** @type {Record<string, string | number>} */ attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
    return node;
  };
  const size = rows.length + 2 * QUIET_ZONE;
  const svg = make("svg", { viewBox: `${-QUIET_ZONE} ${-QUIET_ZONE} ${size} ${size}`, role: "img", "aria-label": t("factors.qr_code_for_authenticator") });
  svg.append(make("rect", { x: -QUIET_ZONE, y: -QUIET_ZONE, width: size, height: size, fill: "#fff" }), make("path", { d: qrPath(rows), fill: "#000" }));
  return svg;
}

class FactorsPart {
  /** @param {HTMLElement} root */
  constructor(root) {
    /** @type {Hooks} */
    this.at = hooks(root);
    /** @type {HTMLDialogElement} */
    this.dialog = this.at["factor-dialog"];
    /** @type {Task | null} */
    this.task = null;
    this.permit = "";
    this.ticket = "";
    /** @type {any} */
    this.options = null;
    /** @type {(check: FactorCheck) => void} */
    this.showCheck = () => {};
    this.bind();
  }

  bind() {
    const { at, dialog } = this;
    const step = (/** @type {string} */ name) => /** @type {HTMLElement} */ (dialog.querySelector(`[data-step="${name}"]`));
    const permits = "me/second-factors/permits";
    at["add-passkey"].hidden = !hasPasskeys();
    at["add-passkey"].addEventListener("click", () => this.open({ title: t("factors.add_passkey"), go: () => this.beginPasskey() }));
    at["add-app"].addEventListener("click", () => this.open({ title: t("factors.add_authenticator_app"), go: () => this.beginApp() }));
    at["renew-codes"].addEventListener("click", () => this.open({ title: t("factors.new_recovery_codes"), go: () => this.renewCodes() }));
    at["factors-retry"].addEventListener("click", () => this.load());
    at["factor-close"].addEventListener("click", () => dialog.close());
    at["codes-saved"].addEventListener("click", () => dialog.close());
    at["copy-codes"].addEventListener("click", () => this.copy());
    dialog.addEventListener("close", () => this.reset());

    this.permitForm = hook(dialog, "permit-form");
    const { tell } = bindForm(this.permitForm, {
      busy: t("common.checking"),
      fields: { wrong_password: "password" },
      check: ({ password }) => faultsOf({ password: givenFault(password) }),
      send: async ({ password }) => this.proceed(await authorized(permits, { method: "POST", body: { password } })),
    });
    this.showCheck = bindFactor(step("check"), {
      answer: async (body) => this.proceed(await this.authorized(permits, "PUT", body)),
      restart: (sentence) => {
        this.show("password");
        tell(sentence, "note");
      },
    });
    bindForm(hook(dialog, "app-form"), {
      busy: t("common.adding"),
      fields: { wrong_second_factor: "code" },
      check: ({ code }) => faultsOf({ code: codeFault(code, false) }),
      send: async ({ code, name }) => this.changed(await this.authorized("me/second-factors/authenticators", "PUT", { ticket: this.ticket, code, name }), t("factors.authenticator_app_set_up")),
    });
    bindForm(hook(dialog, "passkey-form"), {
      busy: t("common.creating"),
      send: async ({ name }) => {
        const passkey = await createPasskey(this.options);
        this.changed(await this.authorized("me/second-factors/passkeys", "PUT", { ticket: this.ticket, passkey, name }), t("factors.passkey_set_up"));
      },
    });
  }

  /**
   * Send a request whose permit or ticket may have expired; that is an error of the dialog and not of the session.
   * @param {string} path
   * @param {string} method
   * @param {object} body
   */
  authorized(path, method, body) {
    return authorized(path, { method, body, keep: true });
  }

  /** @param {Task} task */
  open(task) {
    this.task = task;
    this.at["factor-title"].textContent = task.title;
    this.show("password");
    say(this.at["factors-said"], "");
    this.dialog.showModal();
    this.permitForm.elements.password.focus();
  }

  /** @param {string} name */
  show(name) {
    for (const node of /** @type {NodeListOf<HTMLElement>} */ (this.dialog.querySelectorAll("[data-step]"))) node.hidden = node.dataset.step !== name;
    this.at["factor-close"].hidden = name === "codes";
    this.at["factor-title"].focus();
  }

  /** @param {{ permit: string | null, check: FactorCheck | null }} answer */
  async proceed({ permit, check }) {
    if (check) {
      this.show("check");
      this.showCheck(check);
      return;
    }
    this.permit = permit ?? "";
    await this.task?.go();
  }

  async beginApp() {
    const { ticket, key, qr } = await this.authorized("me/second-factors/authenticators", "POST", { permit: this.permit });
    this.ticket = ticket;
    this.at.key.textContent = key;
    this.at.qr.replaceChildren(qrNode(qr));
    this.show("app");
    hook(this.dialog, "app-form").elements.code.focus();
  }

  async beginPasskey() {
    const { ticket, options } = await this.authorized("me/second-factors/passkeys", "POST", { permit: this.permit });
    this.ticket = ticket;
    this.options = options;
    this.show("passkey");
  }

  async renewCodes() {
    const { recovery_codes: codes } = await this.authorized("me/recovery-codes", "POST", { permit: this.permit });
    this.showCodes(codes, t("factors.old_recovery_codes_no"));
  }

  /** @param {OwnFactor} factor */
  async remove(factor) {
    this.changed(await this.authorized(`me/second-factors/${factor.id}`, "DELETE", { permit: this.permit }), t("factors.was_removed", { name: factor.name }));
  }

  /**
   * @param {any} answer
   * @param {string} sentence
   */
  changed({ session: renewed, recovery_codes: codes }, sentence) {
    renew(renewed);
    if (codes.length) this.showCodes(codes, sentence);
    else {
      this.dialog.close();
      say(this.at["factors-said"], `${sentence} ${t("factors.others_logged_out")}`);
    }
    this.load();
  }

  /**
   * @param {string[]} codes
   * @param {string} sentence
   */
  showCodes(codes, sentence) {
    this.at["factor-title"].textContent = t("factors.save_recovery_codes");
    this.at.codes.replaceChildren(...codes.map((code) => {
      const node = document.createElement("li");
      node.textContent = code;
      return node;
    }));
    this.show("codes");
    say(this.at["factors-said"], sentence);
    this.load();
  }

  async copy() {
    const lines = [...this.at.codes.children].map((node) => node.textContent).join("\n");
    const copied = await navigator.clipboard.writeText(lines).then(() => true, () => false);
    say(this.at.copied, copied ? t("factors.copied_paste_them_somewhere") : t("factors.browser_does_not_allow"));
  }

  reset() {
    for (const form of this.dialog.querySelectorAll("form")) form.reset();
    this.at.codes.replaceChildren();
    this.at.qr.replaceChildren();
    this.at.key.textContent = "";
    say(this.at.copied, "");
    this.permit = "";
    this.ticket = "";
    this.options = null;
    this.task = null;
  }

  async load() {
    const { at } = this;
    at["factors-problem"].hidden = true;
    try {
      this.write(await persist(() => authorized("me/second-factors")));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      at["factors-problem-text"].textContent = error.message;
      at["factors-problem"].hidden = false;
    }
    at.factors.removeAttribute("aria-busy");
  }

  /** @param {FactorList} list */
  write({ factors, recovery_codes: left, required }) {
    const { at } = this;
    const now = new Date();
    at.factors.replaceChildren(...factors.map((factor) => {
      const node = piece("factor");
      const its = hooks(node);
      its["mark-passkey"].hidden = factor.kind !== "passkey";
      its["mark-app"].hidden = factor.kind === "passkey";
      its.name.textContent = factor.name;
      its.facts.textContent = factsOf(factor, now);
      its.remove.hidden = required && factors.length === 1;
      its.remove.setAttribute("aria-label", t("factors.remove", { name: factor.name }));
      its.remove.addEventListener("click", () => this.open({ title: t("factors.remove_title", { name: factor.name }), go: () => this.remove(factor) }));
      return node;
    }));
    at["factors-required"].hidden = !required || factors.length > 0;
    at["factors-none"].hidden = required || factors.length > 0;
    at["renew-codes"].hidden = !factors.length;
    say(at["codes-left"], codesText(factors.length, left));
  }
}

/**
 * Show the second step of the account in the page.
 * @param {HTMLElement} root
 */
export async function showFactors(root) {
  const part = /** @type {HTMLElement} */ (root.querySelector("[data-factors]"));
  const shown = new FactorsPart(part);
  if (location.hash === "#two-step") {
    part.scrollIntoView();
    /** @type {HTMLElement} */ (part.querySelector("#factors-heading")).focus();
  }
  await shown.load();
}
