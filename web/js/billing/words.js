/** How prices, periods and the state of a subscription are put into words; pure. */
import { day } from "../account/words.js";

/** An amount in the currency's smallest unit, as a person reads it: 799 EUR -> "€7.99". */
export function price(minor, currency, locale = "en") {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  const digits = currency === "JPY" ? 0 : 2; // ISO 4217; some locales show fewer than the amounts are kept with
  return format.format(minor / 10 ** digits);
}

/** "a month", "every 3 months". */
export const period = ({ interval, interval_count: count }) => (count === 1 ? `a ${interval}` : `every ${count} ${interval}s`);

/** What a longer plan saves against the shortest one, in whole percent of its price; 0 where they cannot be compared. */
export function saving(plan, plans) {
  const months = ({ interval, interval_count: count }) => ({ month: count, year: 12 * count })[interval] ?? 0;
  const monthly = plans.find((one) => months(one) === 1 && one.currency === plan.currency);
  const length = months(plan);
  if (!monthly || length <= 1) return 0;
  return Math.max(0, Math.round(100 * (1 - plan.price_minor / (monthly.price_minor * length))));
}

/** The facts of a subscription, in reading order: what, when the next charge is, until when one can watch. */
export function facts(subscription, now) {
  const { plan, next_charge: next, paid_through: through, state, entitlement } = subscription;
  const ends = state === "cancelled" && through && Date.parse(through) > now.getTime();
  return [
    plan && state !== "ended" ? ["Plan", `${plan.name}, ${price(plan.price_minor, plan.currency)} ${period(plan)}`] : null,
    next ? ["Next charge", `${price(next.amount_minor, next.currency)} on ${day(next.at, now)}`] : null,
    ends ? ["You can watch until", day(through, now)] : null,
    entitlement.reason === "grant" ? ["Free access until", day(entitlement.until, now)] : null,
    entitlement.reason === "administrator" ? ["Access", "You run this service and can watch everything."] : null,
  ].filter(Boolean);
}

/** What a receipt says of its payment. */
export function paymentText({ state, amount_minor: amount, refunded_minor: refunded, currency }) {
  if (state === "refunded") return "Paid back";
  if (state === "partially_refunded") return refunded && refunded < amount ? `${price(refunded, currency)} paid back` : "Partly paid back";
  return { completed: "Paid", pending: "Being processed", declined: "Declined" }[state] ?? state;
}

/**
 * What the page after the approval shows: `waiting` for PayPal's word, `late` when that takes unusually long, `ready`,
 * or `stopped`. `waited` is in milliseconds.
 */
export function stageOf(subscription, waited) {
  if (!subscription || subscription.state === "pending") return waited > 20_000 ? "late" : "waiting";
  if (subscription.state === "active") return subscription.entitlement.entitled ? "ready" : "waiting";
  if (subscription.state === "cancelled" || subscription.state === "none") return waited > 20_000 ? "late" : "waiting";
  return "stopped";
}

/** Milliseconds until the page asks again: often at first, then less and less, for a quarter of an hour. */
export function askAfter(waited) {
  if (waited > 15 * 60_000) return null;
  return waited < 10_000 ? 700 : Math.min(10_000, waited / 8);
}
