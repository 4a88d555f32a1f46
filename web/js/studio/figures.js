/** What the overview says: tiles, plots and notices made from the API's reports; pure functions. */
import { day, momentInside } from "../account/words.js";
import { price } from "../billing/words.js";
import { bytesText } from "../text.js";
import { dollarText } from "./words.js";
import { LOCALE, t } from "../texts.js";

/** @import { BusinessReport, EncodingReport, Figure, HealthReport, Notice, PlotData, ViewingReport } from "../types.js" */

const NEARLY = 0.8; // of the monthly limit
const LATE_MS = 15 * 60_000; // a webhook is usually handled within seconds

/**
 * Return minutes as hours: "0 hours", "0.4 hours", "1,204 hours".
 * @param {number} minutes
 */
export function hoursText(minutes) {
  const hours = minutes / 60;
  const shown = Number(hours.toFixed(hours < 10 ? 1 : 0));
  return t("figures.hours", { count: shown });
}

/** @param {number} seconds */
const secondsOf = (seconds) => t("figures.seconds", { seconds: seconds.toLocaleString(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 }) });

/**
 * Return milliseconds as seconds: "0.9 s".
 * @param {number | null} ms
 */
export const secondsText = (ms) => (ms === null ? "–" : secondsOf(ms / 1000));

/** @param {number} microusd */
const usd = (microusd) => (microusd ? dollarText(microusd) : price(0, "USD").replace(/[.,]00/, ""));

/** @param {number | null} value */
const plain = (value) => (value === null ? "–" : value.toLocaleString(LOCALE));

/**
 * Return a day or month for the axis: "27 Nov", or "Nov" for a month.
 * @param {string} at such as 2026-11-27 or 2026-11
 */
export function shortDay(at) {
  const date = new Date(`${at.length === 7 ? `${at}-01` : at}T00:00:00Z`);
  return date.toLocaleDateString(LOCALE, { ...(at.length === 7 ? {} : { day: "numeric" }), month: "short", timeZone: "UTC" });
}

/**
 * Return a day or month for a table: "27 November 2026".
 * @param {string} at
 */
export function longDay(at) {
  const date = new Date(`${at.length === 7 ? `${at}-01` : at}T00:00:00Z`);
  return date.toLocaleDateString(LOCALE, { ...(at.length === 7 ? {} : { day: "numeric" }), month: "long", year: "numeric", timeZone: "UTC" });
}

/**
 * Return how many seconds playback stalled per hour watched; null if nothing was watched.
 * @param {{ watched_min: number, stalled_s: number }} day
 */
export const stalledPerHour = ({ watched_min: minutes, stalled_s: stalled }) => (minutes ? (60 * stalled) / minutes : null);

/**
 * Return whether a plot has nothing to show.
 * @param {PlotData} plot
 */
export const isEmpty = ({ series }) => series.every(({ values }) => values.every((value) => !value));

/**
 * Return what a plot shows, for users of screen readers: "Hours watched: 12 hours in all, most on 27 November 2026."
 * @param {PlotData} plot
 */
export function describe({ heading, at, series, format }) {
  const [{ values }] = series;
  const most = values.map((value) => value ?? 0).reduce((best, value, index, all) => (value > all[best] ? index : best), 0);
  return t("figures.plot_text", { heading, day: longDay(at[most]), highest: format(values[most]), latest: format(values[values.length - 1]) });
}

/**
 * @param {ViewingReport} report
 * @returns {PlotData[]}
 */
export function viewingPlots({ days }) {
  const at = days.map((one) => one.day);
  const empty = t("figures.nobody_has_watched_film");
  return [
    { id: "watched", heading: t("figures.hours_watched"), kind: "bars", at, empty, series: [{ label: t("figures.watched"), values: days.map((one) => one.watched_min) }], format: (value) => hoursText(value ?? 0), scale: 60 },
    { id: "startup", heading: t("figures.time_first_picture"), kind: "line", at, empty, series: [{ label: t("figures.average"), values: days.map((one) => one.startup_ms) }], format: secondsText, scale: 1000 },
    { id: "stalls", heading: t("figures.buffering_per_hour_watched"), kind: "bars", at, empty: t("figures.no_buffering_or_nothing"), series: [{ label: t("figures.buffering"), values: days.map(stalledPerHour) }], format: (value) => (value === null ? "–" : secondsOf(value)) },
    { id: "starts", heading: t("figures.films_started"), kind: "bars", at, empty, series: [{ label: t("figures.started"), values: days.map((one) => one.starts) }], format: plain },
  ];
}

/**
 * @param {BusinessReport} report
 * @returns {PlotData[]}
 */
export function businessPlots({ days, revenue }) {
  const at = days.map((one) => one.day);
  /** @type {PlotData[]} */
  const income = revenue.map(({ currency, by_day: values }) => ({
    id: `revenue-${currency}`,
    heading: revenue.length > 1 ? t("figures.revenue_in", { currency }) : t("figures.revenue"),
    kind: "bars",
    at,
    empty: "",
    series: [{ label: t("figures.after_refunds"), values }],
    format: (value) => price(value ?? 0, currency),
    scale: currency === "JPY" ? 1 : 100,
  }));
  /** @type {PlotData} */
  const none = { id: "revenue", heading: t("figures.revenue"), kind: "bars", at, empty: t("figures.no_payments_in_period"), series: [{ label: t("figures.after_refunds"), values: at.map(() => 0) }], format: plain };
  return [
    { id: "subscribers", heading: t("figures.subscribers"), kind: "line", at, empty: t("figures.no_subscribers_yet_create"), series: [{ label: t("figures.at_end_day"), values: days.map((one) => one.subscribers) }], format: plain },
    { id: "turnover", heading: t("figures.new_and_lost_subscribers"), kind: "pairs", at, empty: t("figures.nobody_has_subscribed_or"), series: [{ label: t("figures.new"), values: days.map((one) => one.gained) }, { label: t("figures.lost"), values: days.map((one) => one.lost) }], format: plain },
    ...(income.length ? income : [none]),
    { id: "webhooks", heading: t("figures.messages_from_paypal"), kind: "bars", at, empty: t("figures.paypal_has_sent_nothing"), series: [{ label: t("figures.received"), values: days.map((one) => one.webhooks) }], format: plain },
  ];
}

/**
 * @param {EncodingReport} report
 * @returns {PlotData[]}
 */
export function encodingPlots({ days, months, month }) {
  const at = days.map((one) => one.day);
  return [
    { id: "films", heading: t("figures.films_uploaded"), kind: "stacked", at, empty: t("figures.no_films_were_uploaded"), series: [{ label: t("figures.ready_or_in_progress"), values: days.map((one) => one.ready + one.open) }, { label: t("figures.failed"), values: days.map((one) => one.failed) }], format: plain },
    {
      id: "spending",
      heading: t("figures.encoding_by_month"),
      kind: "bars",
      at: months.map((one) => one.month),
      empty: t("figures.nothing_has_been_encoded"),
      series: [{ label: t("figures.cost_in_azure"), values: months.map((one) => one.encode_microusd) }],
      format: (value) => usd(value ?? 0),
      scale: 1e6,
      limit: month.limit_microusd === null ? undefined : { value: month.limit_microusd, label: t("figures.limit", { price: usd(month.limit_microusd) }) },
    },
  ];
}

/**
 * @param {BusinessReport} report
 * @returns {Figure[]}
 */
export function businessTiles({ days, subscribers, churn_percent: churn, revenue, webhooks_waiting: waiting }) {
  const gained = days.reduce((sum, one) => sum + one.gained, 0);
  const lost = days.reduce((sum, one) => sum + one.lost, 0);
  const left = (/** @type {{ amount_minor: number, refunded_minor: number, currency: string }} */ one) => price(one.amount_minor - one.refunded_minor, one.currency);
  const refunds = revenue.filter((one) => one.refunded_minor);
  return [
    { label: t("figures.subscribers"), value: plain(subscribers), note: t("figures.new_and_lost", { gained: plain(gained), lost: plain(lost) }) },
    { label: t("figures.churn"), value: churn === null ? "–" : `${churn.toLocaleString(LOCALE)} %`, note: churn === null ? t("figures.no_subscribers_at_start") : t("figures.subscribers_at_start") },
    { label: t("figures.revenue"), value: revenue.map(left).join(" + ") || "–", note: refunds.length ? t("figures.after_refunds_of", { price: refunds.map((one) => price(one.refunded_minor, one.currency)).join(" + ") }) : revenue.length ? t("figures.no_refunds") : t("figures.no_payments") },
    { label: t("figures.messages_from_paypal"), value: plain(days.reduce((sum, one) => sum + one.webhooks, 0)), note: waiting ? t("figures.being_handled", { number: plain(waiting) }) : t("figures.all_handled") },
  ];
}

/**
 * @param {ViewingReport} report
 * @returns {Figure[]}
 */
export function viewingTiles({ days, startup_ms: startup }) {
  const minutes = days.reduce((sum, one) => sum + one.watched_min, 0);
  const stalled = stalledPerHour({ watched_min: minutes, stalled_s: days.reduce((sum, one) => sum + one.stalled_s, 0) });
  return [
    { label: t("figures.watched"), value: hoursText(minutes), note: t("figures.starts_counted", { count: days.reduce((sum, one) => sum + one.starts, 0) }) },
    { label: t("figures.time_first_picture"), value: secondsText(startup), note: stalled === null ? t("figures.on_average") : t("figures.then_buffering", { time: secondsOf(stalled) }) },
  ];
}

/**
 * @param {EncodingReport} report
 * @returns {Figure[]}
 */
export function encodingTiles({ storage, open, month }) {
  const size = storage.film_size + storage.upload_size;
  const limit = month.limit_microusd;
  return [
    { label: t("common.films"), value: plain(storage.films), note: [open ? t("figures.in_progress", { number: plain(open) }) : "", t("figures.in_storage", { size: bytesText(size), price: usd(storage.microusd_per_month) })].filter(Boolean).join(" · ") },
    { label: t("figures.encoding_month"), value: usd(month.encode_microusd), note: limit === null ? t("figures.no_limit_set") : t("figures.of_limit", { price: usd(limit) }) },
  ];
}

/**
 * Return what needs the owner's attention, the most urgent first.
 * @param {{ business?: BusinessReport, encoding?: EncodingReport, health?: HealthReport }} reports
 * @param {Date} now
 * @returns {Notice[]}
 */
export function noticesOf({ business, encoding, health }, now) {
  /** @type {Notice[]} */
  const found = [];
  for (const [name, store] of Object.entries(health?.stores ?? {})) {
    if (!store.up) found.push({ text: `${t("figures.store_away", { store: storeName(name) })}${store.optional ? ` ${t("figures.fewer_features")}` : ""}`, link: "", tab: "", kind: store.optional ? "note" : "bad" });
  }
  if (business?.waiting_since && now.getTime() - new Date(business.waiting_since).getTime() > LATE_MS) {
    found.push({ text: t("figures.waiting_since", { moment: momentInside(business.waiting_since, now) }), link: t("figures.see_messages"), tab: "people", kind: "bad" });
  }
  if (encoding) {
    const failed = encoding.days.reduce((sum, one) => sum + one.failed, 0);
    if (failed) found.push({ text: t("figures.not_encoded", { count: failed }), link: t("figures.see_why"), tab: "films", kind: "bad" });
    const { encode_microusd: spent, limit_microusd: limit } = encoding.month;
    if (limit !== null && spent >= NEARLY * limit) {
      found.push({ text: t("figures.limit_used", { spent: usd(spent), limit: usd(limit) }), link: "", tab: "", kind: "note" });
    }
    if (!encoding.storage.films && !encoding.open && !failed) found.push({ text: t("figures.there_no_films_yet"), link: t("figures.upload_first_film"), tab: "films", kind: "note" });
  }
  return found;
}

const STORES = new Map([
  ["blob", t("figures.films_and_pictures")],
  ["queue", t("figures.background_work")],
  ["mongo", t("figures.titles_and_encodes")],
  ["mysql", t("figures.accounts_and_payments")],
  ["redis", t("figures.logins_and_sessions")],
  ["neo4j", t("figures.recommendations")],
  ["cosmos", t("common.viewing_history")],
]);

/**
 * Return what a store holds.
 * @param {string} name
 */
export const storeName = (name) => STORES.get(name) ?? name;

/**
 * Return the sentence that tells users of screen readers that the figures have changed.
 * @param {{ days: { day: string }[] }} report
 * @param {Date} now
 */
export const loadedText = ({ days }, now) => t("figures.showing_figures_since", { day: day(days[0].day, now) });
