/** The account page's part about the subscription: its state, the receipts, and how to cancel. */
import { hook, hooks, piece, say } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { act } from "../account/act.js";
import { download } from "../account/download.js";
import { authorized } from "../account/session.js";
import { day } from "../account/words.js";
import { facts, hasReceipt, isAhead, PAYPAL_PAYMENTS, paymentText, price } from "./words.js";
import { t, translated } from "../texts.js";

/** @import { Payment, Subscription } from "../types.js" */

/** @param {[string, string]} fact */
function factNode([name, value]) {
  const node = piece("subscription-fact");
  hook(node, "name").textContent = name;
  hook(node, "value").textContent = value;
  return node;
}

/**
 * @param {Payment} payment
 * @param {Date} now
 * @param {HTMLElement} said where a failure is shown
 */
function receiptNode(payment, now, said) {
  const node = piece("receipt");
  const at = hooks(node);
  at.at.textContent = day(payment.at, now);
  at.at.dateTime = payment.at;
  at.amount.textContent = price(payment.amount_minor, payment.currency);
  at.state.textContent = paymentText(payment);
  at.id.textContent = payment.id;
  at.pdf.hidden = !hasReceipt(payment);
  at.pdf.setAttribute("aria-label", t("subscription.receipt_as_pdf", { day: day(payment.at, now) }));
  at.pdf.addEventListener("click", () => act(at.pdf, said, () => savePdf(payment)));
  return node;
}

/** @param {Payment} payment */
async function savePdf({ id, at }) {
  const content = await persist(() => authorized(`payments/${encodeURIComponent(id)}/receipt`, { asFile: true }));
  download(content, `notflix-${at.slice(0, 10)}.pdf`);
}

/**
 * Return the text of the link to the plans; "" for no link.
 * @param {Pick<Subscription, "state"> & { entitlement: { reason: string } }} subscription
 */
export const offerFor = ({ state, entitlement }) => {
  if (entitlement.reason === "administrator") return "";
  if (state === "cancelled") return t("subscription.subscribe_again");
  return state === "none" || state === "ended" || state === "pending" ? t("common.see_plans") : "";
};

/**
 * Return the PayPal address where the viewer approves a subscription or settles a failed payment; "" if neither is due.
 * @param {Pick<Subscription, "state" | "approve_url">} subscription
 */
export const payPalAddress = ({ state, approve_url: approve }) => approve ?? (state === "suspended" ? PAYPAL_PAYMENTS : "");

class SubscriptionPart {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.at = hooks(root);
    const { at } = this;
    at["cancel-open"].addEventListener("click", () => at["cancel-dialog"].showModal());
    at["cancel-close"].addEventListener("click", () => at["cancel-dialog"].close());
    at["cancel-do"].addEventListener("click", () => this.cancel());
    at["subscription-retry"].addEventListener("click", () => this.load());
  }

  async load() {
    const { at } = this;
    at["subscription-problem"].hidden = true;
    try {
      const [subscription, { payments }] = await Promise.all([persist(() => authorized("subscription")), persist(() => authorized("payments"))]);
      this.write(subscription, payments);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      at["subscription-problem-text"].textContent = error.message;
      at["subscription-problem"].hidden = false;
    }
    at.subscription.removeAttribute("aria-busy");
  }

  /**
   * @param {Subscription} subscription
   * @param {Payment[] | null} payments null leaves the receipts unchanged
   */
  write(subscription, payments) {
    const { at } = this;
    const now = new Date();
    say(at["subscription-says"], translated(subscription.says) || subscription.says);
    at["subscription-facts"].replaceChildren(...facts(subscription, now).map(factNode));
    at["cancel-open"].hidden = !subscription.can_cancel;
    const offer = offerFor(subscription);
    at["subscription-plans"].hidden = !offer;
    at["subscription-plans"].textContent = offer;
    const paypal = payPalAddress(subscription);
    at["subscription-paypal"].hidden = !paypal;
    at["subscription-paypal"].textContent = subscription.state === "suspended" ? t("common.settle_with_paypal") : t("common.continue_to_paypal");
    if (paypal) at["subscription-paypal"].href = paypal;
    const through = subscription.paid_through;
    at["cancel-until"].textContent = through && isAhead(through, now) ? t("subscription.have_paid_until_and", { day: day(through, now) }) : "";
    if (!payments) return;
    at["receipts-part"].hidden = payments.length === 0;
    at.receipts.replaceChildren(...payments.map((payment) => receiptNode(payment, now, at["receipts-said"])));
  }

  async cancel() {
    const { at } = this;
    const button = at["cancel-do"];
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    button.classList.add("is-busy");
    say(at["cancel-said"], "");
    try {
      const subscription = await persist(() => authorized("subscription", { method: "DELETE" }), { attempts: 2 });
      at["cancel-dialog"].close();
      this.write(subscription, null);
      at["subscription-says"].focus();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      say(at["cancel-said"], error.message);
    } finally {
      button.removeAttribute("aria-disabled");
      button.classList.remove("is-busy");
    }
  }
}

/**
 * Fill the part of the page that shows the logged-in viewer's subscription.
 * @param {HTMLElement} root
 */
export const showSubscription = (root) => new SubscriptionPart(root).load();
