/** The dialog that changes the monthly limit on encoding. */
import { hook } from "../dom.js";
import { persist } from "../net.js";
import { bindForm } from "../account/form.js";
import { faultsOf } from "../account/rules.js";
import { authorized } from "../account/session.js";
import { t } from "../texts.js";

const LARGEST_USD = 1_000_000;

/**
 * Return a typed amount, such as "20" or "$1,500", in whole US dollars: 0 for an empty text, NaN if the text is not an
 * amount.
 * @param {string} text
 */
export function amountOf(text) {
  const amount = text.trim().replace(/^\$\s*/u, "");
  if (!amount) return 0;
  return /^(\d+|\d{1,3}(,\d{3})+)(\.0{1,2})?$/u.test(amount) ? Number(amount.replaceAll(",", "")) : Number.NaN;
}

/**
 * Return what is wrong with an amount that somebody typed; "" if it is valid.
 * @param {string} text
 */
export function amountFault(text) {
  const amount = amountOf(text);
  if (Number.isNaN(amount)) return t("limit.enter_whole_dollars_such");
  return amount > LARGEST_USD ? t("limit.enter_at_most_1") : "";
}

/**
 * Bind the dialog; `saved` is called after a change. Returns a function that opens it with a limit in millionths of a
 * US dollar, null for none.
 * @param {HTMLElement} root
 * @param {() => unknown} saved
 */
export function bindLimit(root, saved) {
  const dialog = /** @type {HTMLDialogElement} */ (hook(root, "limit-dialog"));
  const form = /** @type {HTMLFormElement} */ (hook(root, "limit-form"));
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("usd"));
  const bound = bindForm(form, {
    busy: t("limit.saving"),
    check: ({ usd }) => faultsOf({ usd: amountFault(usd) }),
    send: async ({ usd }) => {
      await persist(() => authorized("encoding/limit", { method: "PUT", body: { usd: amountOf(usd) } }));
      dialog.close();
      saved();
    },
  });
  hook(root, "limit-close").addEventListener("click", () => dialog.close());
  return (/** @type {number | null} */ microusd) => {
    bound.clear();
    field.value = microusd === null ? "" : String(Math.round(microusd / 1e6));
    dialog.showModal();
    field.select();
  };
}
