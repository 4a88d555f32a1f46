/** Texts for prices, periods and the state of a subscription; pure functions. */
import { day } from "../account/words.js";

/** @import { Payment, Plan, Subscription } from "../types.js" */

/** The page where a PayPal user settles a failed automatic payment. */
export const PAYPAL_PAYMENTS = "https://www.paypal.com/myaccount/autopay/";

/**
 * Return the text for an amount in the currency's smallest unit: 799 EUR -> "€7.99".
 * @param {number} minor
 * @param {string} currency
 */
export function price(minor, currency, locale = "en") {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  const digits = currency === "JPY" ? 0 : 2; // number of decimals in ISO 4217; some locales would show fewer
  return format.format(minor / 10 ** digits);
}

/**
 * Return a plan's period as "a month" or "every 3 months".
 * @param {Pick<Plan, "interval" | "interval_count">} plan
 */
export const period = ({ interval, interval_count: count }) => (count === 1 ? `a ${interval}` : `every ${count} ${interval}s`);

/** @typedef {Pick<Plan, "interval" | "interval_count" | "price_minor" | "currency">} Priced */

const MONTHS = new Map([["month", 1], ["year", 12]]);

/** @param {Priced} plan */
const monthsOf = ({ interval, interval_count: count }) => count * (MONTHS.get(interval) ?? 0);

/**
 * Return how much a longer plan saves compared with the monthly plan, in whole percent; 0 if they are not comparable.
 * @param {Priced} plan
 * @param {Priced[]} plans
 */
export function saving(plan, plans) {
  const monthly = plans.find((one) => monthsOf(one) === 1 && one.currency === plan.currency);
  const months = monthsOf(plan);
  if (!monthly || months <= 1) return 0;
  return Math.max(0, Math.round(100 * (1 - plan.price_minor / (monthly.price_minor * months))));
}

/**
 * Return the facts about a subscription in reading order: the plan, the next charge, the end of access.
 * @param {Pick<Subscription, "plan" | "next_charge" | "paid_through" | "state" | "entitlement">} subscription
 * @param {Date} now
 * @returns {[string, string][]}
 */
export function facts(subscription, now) {
  const { plan, next_charge: next, paid_through: through, state, entitlement } = subscription;
  /** @type {[string, string][]} */
  const found = [];
  if (plan && state !== "ended") found.push(["Plan", `${plan.name}, ${price(plan.price_minor, plan.currency)} ${period(plan)}`]);
  if (next) found.push(["Next charge", `${price(next.amount_minor, next.currency)} on ${day(next.at, now)}`]);
  if (state === "cancelled" && through && isAhead(through, now)) found.push(["You can watch until", day(through, now)]);
  if (entitlement.reason === "grant" && entitlement.until) found.push(["Free access until", day(entitlement.until, now)]);
  if (entitlement.reason === "administrator") found.push(["Access", "You run this service and can watch everything."]);
  return found;
}

/**
 * @param {string} iso
 * @param {Date} now
 */
export const isAhead = (iso, now) => new Date(iso) > now;

const PAYMENT_STATES = new Map([["completed", "Paid"], ["pending", "Processing"], ["declined", "Declined"]]);

/**
 * Return the text of a receipt for the state of its payment.
 * @param {Pick<Payment, "state" | "amount_minor" | "refunded_minor" | "currency">} payment
 */
export function paymentText({ state, amount_minor: amount, refunded_minor: refunded, currency }) {
  if (state === "refunded") return "Refunded";
  if (state === "partially_refunded") return refunded && refunded < amount ? `${price(refunded, currency)} refunded` : "Partly refunded";
  return PAYMENT_STATES.get(state) ?? state;
}

const LATE_MS = 20_000;
const GIVE_UP_MS = 15 * 60_000;

/**
 * Return the state of the page after the approval: "waiting" for PayPal, "late" if that takes unusually long, "ready"
 * or "stopped".
 * @param {Pick<Subscription, "state"> & { entitlement?: { entitled: boolean } } | null} subscription
 * @param {number} waitedMs
 */
export function stageOf(subscription, waitedMs) {
  const waiting = waitedMs > LATE_MS ? "late" : "waiting";
  if (!subscription || ["pending", "cancelled", "none"].includes(subscription.state)) return waiting;
  if (subscription.state === "active") return subscription.entitlement?.entitled ? "ready" : "waiting";
  return "stopped";
}

/**
 * Return the number of milliseconds until the page polls again, which increases with time; null after a quarter of an
 * hour.
 * @param {number} waitedMs
 */
export function askAfter(waitedMs) {
  if (waitedMs > GIVE_UP_MS) return null;
  return waitedMs < 10_000 ? 700 : Math.min(10_000, waitedMs / 8);
}
