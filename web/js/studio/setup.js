/** The set-up: what is configured and what is not, and buttons that test each service. */
import { hook, hooks, say } from "../dom.js";
import { RequestError } from "../net.js";
import { authorized } from "../account/session.js";
import { bindParts } from "./loading.js";
import { inOwnLanguage, t } from "../texts.js";

/** @import { SetupPart } from "../types.js" */

const TEST_MS = 120_000; // a mail server may take long to answer, and the API waits for each of its steps

/** @type {Record<string, string>} */
const STAND_INS = {
  domain: t("setup.temporary_address"),
  paypal: t("setup.no_real_money"),
  mail: t("setup.emails_stay_here"),
  omdb: t("setup.simulator"),
};

/**
 * Return the state of a part in a few words, and the kind of its tag.
 * @param {Pick<SetupPart, "id" | "state">} part
 */
export function stateOf({ id, state }) {
  if (state === "missing") return { text: t("setup.not_set_up"), kind: "bad" };
  return state === "ready" ? { text: t("setup.set_up"), kind: "good" } : { text: STAND_INS[id] ?? t("setup.replacement"), kind: "" };
}

/**
 * Return which settings lack a value: "Not set: PAYPAL_CLIENT_ID, PAYPAL_CLIENT_SECRET"; "" if none does.
 * @param {Pick<SetupPart, "settings">} part
 */
export function missingText({ settings }) {
  const missing = settings.filter(({ given }) => !given).map(({ name }) => name);
  return missing.length ? t("setup.not_set", { names: missing.join(", ") }) : "";
}

/**
 * Return how far the set-up is: "4 of 6 parts are set up."
 * @param {Pick<SetupPart, "state">[]} parts
 */
export function summaryText(parts) {
  const ready = parts.filter(({ state }) => state === "ready").length;
  return ready === parts.length ? t("setup.everything_set_up") : t("setup.ready_of", { ready, parts: parts.length });
}

/** A part of the set-up on the page. */
class PartView {
  /** @param {HTMLElement} node */
  constructor(node) {
    this.id = node.dataset.setup ?? "";
    this.node = node;
    this.at = hooks(node);
    this.at.test.addEventListener("click", () => this.test());
  }

  /** @param {SetupPart} part */
  show(part) {
    const { at, node } = this;
    const { text, kind } = stateOf(part);
    at.state.textContent = text;
    node.dataset.kind = kind;
    at.settings.textContent = missingText(part);
    at.without.hidden = part.state !== "missing";
    at.how.open = part.state === "missing";
    at.test.hidden = part.state === "missing";
  }

  async test() {
    const { at } = this;
    if (at.test.getAttribute("aria-disabled") === "true") return;
    at.test.setAttribute("aria-disabled", "true");
    at.said.dataset.kind = "";
    say(at.said, t("setup.testing"));
    try {
      const { works, sentence } = await authorized(`setup/${this.id}/test`, { method: "POST", signal: AbortSignal.timeout(TEST_MS) });
      at.said.dataset.kind = works ? "good" : "bad";
      say(at.said, inOwnLanguage(sentence));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      say(at.said, error.message);
    } finally {
      at.test.removeAttribute("aria-disabled");
    }
  }
}

/** @param {HTMLElement} root */
export function bindSetup(root) {
  const views = [.../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-setup]"))].map((node) => new PartView(node));
  return bindParts(root, "setup", (/** @type {{ parts: SetupPart[] }} */ { parts }) => {
    for (const view of views) {
      const part = parts.find(({ id }) => id === view.id);
      if (part) view.show(part);
    }
    hook(root, "summary").textContent = summaryText(parts);
  });
}
