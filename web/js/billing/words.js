/** Texts for prices, periods and the state of a subscription; pure functions. */
import { day } from "../account/words.js";
import { LOCALE, t } from "../texts.js";

/** @import { Payment, Plan, Subscription } from "../types.js" */

/** The page where a PayPal user settles a failed automatic payment. */
export const PAYPAL_PAYMENTS = "https://www.paypal.com/myaccount/autopay/";

/**
 * Return the text for an amount in the currency's smallest unit: 799 EUR -> "€7.99".
 * @param {number} minor
 * @param {string} currency
 */
export function price(minor, currency, locale = LOCALE) {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  const digits = currency === "JPY" ? 0 : 2; // number of decimals in ISO 4217; some locales would show fewer
  return format.format(minor / 10 ** digits);
}

const PERIODS = new Map([
  ["day", "billing.period_day"],
  ["week", "billing.period_week"],
  ["month", "billing.period_month"],
  ["year", "billing.period_year"],
]);

/**
 * Return a plan's period as "a month" or "every 3 months".
 * @param {Pick<Plan, "interval" | "interval_count">} plan
 */
export const period = ({ interval, interval_count: count }) => t(PERIODS.get(interval) ?? "billing.period_month", { count });

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
  if (plan && state !== "ended") found.push([t("billing.plan"), `${plan.name}, ${price(plan.price_minor, plan.currency)} ${period(plan)}`]);
  if (next) found.push([t("billing.next_charge"), t("billing.charge_on", { price: price(next.amount_minor, next.currency), day: day(next.at, now) })]);
  if ((state === "cancelled" || state === "suspended") && through && isAhead(through, now)) found.push([t("billing.can_watch_until"), day(through, now)]);
  if (entitlement.reason === "grant" && entitlement.until) found.push([t("billing.free_access_until"), day(entitlement.until, now)]);
  if (entitlement.reason === "administrator") found.push([t("billing.access"), t("billing.run_service_and_can")]);
  return found;
}

/**
 * @param {string} iso
 * @param {Date} now
 */
export const isAhead = (iso, now) => new Date(iso) > now;

const PAYMENT_STATES = new Map([["completed", t("billing.paid")], ["pending", t("billing.processing")], ["declined", t("billing.declined")]]);

/**
 * Return the text of a receipt for the state of its payment.
 * @param {Pick<Payment, "state" | "amount_minor" | "refunded_minor" | "currency">} payment
 */
export function paymentText({ state, amount_minor: amount, refunded_minor: refunded, currency }) {
  if (state === "refunded") return t("billing.refunded");
  if (state === "partially_refunded") return refunded && refunded < amount ? t("billing.refunded_part", { price: price(refunded, currency) }) : t("billing.partly_refunded");
  return PAYMENT_STATES.get(state) ?? state;
}

/**
 * Return whether there is a receipt of a payment: only if it was taken, even if it was refunded later.
 * @param {Pick<Payment, "state">} payment
 */
export const hasReceipt = ({ state }) => !["pending", "declined"].includes(state);

const LATE_MS = 20_000;
const GIVE_UP_MS = 15 * 60_000;

/**
 * Return the state of the page after the approval: "waiting" for PayPal, "late" if that takes unusually long,
 * "ready", "stopped", or "none" if the viewer has never chosen a plan.
 * @param {Pick<Subscription, "state"> & { entitlement?: { entitled: boolean } } | null} subscription
 * @param {number} waitedMs
 */
export function stageOf(subscription, waitedMs) {
  const waiting = waitedMs > LATE_MS ? "late" : "waiting";
  if (subscription?.state === "none") return "none";
  if (!subscription || ["pending", "cancelled"].includes(subscription.state)) return waiting;
  if (subscription.state === "active") return subscription.entitlement?.entitled ? "ready" : waiting;
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
