/** The Studio's texts about files, encodes and people, and the decisions it makes; pure functions. */
import { roughly } from "../text.js";

/** @import { Job, Title } from "../types.js" */

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/**
 * Return a number of bytes in readable form: "812 bytes", "1.4 GB".
 * @param {number} bytes
 */
export function bytesText(bytes) {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits).replace(/\.0$/, "")} ${UNITS[unit]}`;
}

/**
 * Return the progress of an upload: "34 % of 1.4 GB, 12.3 MB/s, about 2 minutes left".
 * @param {{ sent: number, size: number, rate: number }} upload
 */
export function sendingText({ sent, size, rate }) {
  const percent = size ? Math.floor((100 * sent) / size) : 0;
  const left = rate ? roughly((size - sent) / rate) : "";
  return [`${percent} % of ${bytesText(size)}`, rate ? `${(rate / 1e6).toFixed(rate < 1e7 ? 1 : 0)} MB/s` : "", left && sent < size ? `${left} left` : ""]
    .filter(Boolean)
    .join(", ");
}

const LANGUAGE = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/;

/**
 * Return the kind of a file, derived from its name by the same rules as in the API.
 * @param {string} name
 */
export function kindOf(name) {
  const dot = name.lastIndexOf(".");
  const suffix = dot > 0 && dot < name.length - 1 ? name.slice(dot).toLowerCase() : "";
  const stem = suffix ? name.slice(0, dot) : name;
  const inner = stem.includes(".") && stem.lastIndexOf(".") > 0 ? stem.slice(stem.lastIndexOf(".") + 1) : "";
  if (suffix === ".json") return { kind: "metadata", text: "Description" };
  if ([".jpg", ".jpeg", ".png", ".webp"].includes(suffix)) {
    return inner.toLowerCase() === "backdrop" ? { kind: "backdrop", text: "Backdrop" } : { kind: "poster", text: "Poster" };
  }
  if (suffix === ".srt" || suffix === ".vtt") return { kind: "subtitles", text: LANGUAGE.test(inner) ? `Subtitles, ${inner}` : "Subtitles" };
  return { kind: "film", text: "Film" };
}

export const UPLOAD_ENDED = new Set(["done", "failed", "cancelled"]);

/**
 * Return the upload to send now. Files that belong to a film are sent first, because subtitles are read when their film
 * arrives.
 * @template {{ state: string, kind: string }} T
 * @param {T[]} items
 */
export function nextUpload(items) {
  if (items.some(({ state }) => state === "sending")) return null;
  const waiting = items.filter(({ state }) => state === "waiting");
  const sidecar = waiting.find(({ kind }) => kind !== "film");
  if (sidecar || items.some(({ kind, state }) => kind !== "film" && state === "asking")) return sidecar ?? null;
  return waiting[0] ?? null;
}

const STATES = new Map([
  ["queued", "Waiting for an encoder"],
  ["planning", "Analysing"],
  ["encoding", "Encoding"],
  ["ready", "Ready"],
  ["failed", "Failed"],
]);

/** @param {{ status: string }} job */
export const isOpen = ({ status }) => status !== "ready" && status !== "failed";

/**
 * Return the state of an encode in a few words: "Encoding, 34 %, about 2 minutes left".
 * @param {Pick<Job, "status" | "percent" | "eta_s">} job
 */
export function jobText(job) {
  const parts = [STATES.get(job.status) ?? job.status];
  if (job.status === "encoding") {
    parts.push(`${Math.floor(job.percent)} %`);
    const left = roughly(job.eta_s);
    if (left) parts.push(`${left} left`);
  }
  return parts.join(", ");
}

const SILENT_MS = 3 * 60_000;

/**
 * Return why an encode failed or what delays it; "" while it makes progress. `nowMs` is the current time.
 * @param {Pick<Job, "status" | "reason" | "fault" | "updated_at">} job
 * @param {number} nowMs
 */
export function troubleText(job, nowMs) {
  if (!isOpen(job)) return job.reason ?? "";
  if (job.fault) return `A step failed and will be retried: ${job.fault}`;
  const silent = nowMs - new Date(job.updated_at).getTime();
  if (silent < SILENT_MS) return "";
  const wait = `No progress for ${roughly(silent / 1000)}.`;
  return job.status === "queued"
    ? `${wait} Other films are being encoded first, or no encoder is running. It starts automatically.`
    : `${wait} Check that an encoder is running. The work continues where it stopped.`;
}

/**
 * Return the possible actions for each job, newest first. Only the newest job of a title that still exists can be
 * retried or watched.
 * @template {Pick<Job, "title_id" | "title_name" | "status" | "manifest_url">} T
 * @param {T[]} jobs
 */
export function offers(jobs) {
  /** @type {Set<string>} */
  const seen = new Set();
  return jobs.map((job) => {
    const isNewest = !seen.has(job.title_id) && job.title_name !== null;
    seen.add(job.title_id);
    return { job, retry: isNewest && job.status === "failed", watch: isNewest && job.status !== "failed" && Boolean(job.manifest_url) };
  });
}

/**
 * Return the number of jobs by state: "2 in progress, 1 failed, 14 ready".
 * @param {{ status: string }[]} jobs
 */
export function countText(jobs) {
  const count = (/** @type {string} */ status) => jobs.filter((job) => job.status === status).length;
  /** @type {[number, string][]} */
  const counts = [[jobs.filter(isOpen).length, "in progress"], [count("failed"), "failed"], [count("ready"), "ready"]];
  return counts
    .filter(([number]) => number)
    .map(([number, word]) => `${number} ${word}`)
    .join(", ");
}

/**
 * Return the number of milliseconds until the encodes are polled again: few while any encode is in progress, more after
 * each failed request.
 * @param {{ moving: boolean, failures: number }} state
 */
export function lookAfter({ moving, failures }) {
  if (failures) return Math.min(60_000, 2000 * 2 ** failures);
  return moving ? 1500 : 12_000;
}

/**
 * Return only the fields that an edit changes, in the form that the API expects; null clears a field.
 * @param {Pick<Title, "name" | "year" | "plot">} title
 * @param {{ name: string, year: string, plot: string }} edit
 */
export function changesOf(title, { name, year, plot }) {
  const wanted = { name: name.trim(), year: year.trim() ? Number(year) : null, plot: plot.trim() || null };
  const before = /** @type {Record<string, unknown>} */ (title);
  return Object.fromEntries(Object.entries(wanted).filter(([field, value]) => value !== (before[field] ?? null)));
}

/**
 * Return a sentence that says what is wrong with a year; "" if nothing is wrong.
 * @param {string} text
 */
export const yearFault = (text) => (!text.trim() || /^(18[7-9]\d|19\d\d|20\d\d|21\d\d|2200)$/.test(text.trim()) ? "" : "A year has four digits, such as 2024.");

/**
 * Return a sentence that says what is wrong with a number of days; "" if nothing is wrong.
 * @param {string} text
 */
export const daysFault = (text) => (/^\d{1,5}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= 36_500 ? "" : "Enter a whole number of days, 1 or more.");

/** @type {Record<string, string>} */
export const SUBSCRIPTION_STATES = { pending: "Not approved yet", active: "Active", suspended: "Suspended", cancelled: "Cancelled", ended: "Ended" };

/**
 * Return the type of an event in words: "PAYMENT.SALE.COMPLETED" -> "Payment sale completed".
 * @param {string} type
 */
export function eventText(type) {
  const words = type.toLowerCase().replaceAll(/[._-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
