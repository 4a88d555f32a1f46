/** What the studio says about files, encodes and people, and the choices it makes; pure. */
import { roughly } from "../text.js";

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** Bytes as people read them: "812 bytes", "1.4 GB". */
export function bytesText(bytes) {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits).replace(/\.0$/, "")} ${UNITS[unit]}`;
}

/** How an upload goes: "34 % of 1.4 GB, 12.3 MB/s, about 2 minutes left". */
export function sendingText({ sent, size, rate }) {
  const percent = size ? Math.floor((100 * sent) / size) : 0;
  const left = rate ? roughly((size - sent) / rate) : "";
  return [`${percent} % of ${bytesText(size)}`, rate ? `${(rate / 1e6).toFixed(rate < 1e7 ? 1 : 0)} MB/s` : "", left && sent < size ? `${left} left` : ""]
    .filter(Boolean)
    .join(", ");
}

const LANGUAGE = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/;

/** What a file is to the service, by its name: the same that the service itself will read from it. */
export function kindOf(name) {
  const dot = name.lastIndexOf(".");
  const suffix = dot > 0 && dot < name.length - 1 ? name.slice(dot).toLowerCase() : "";
  const stem = suffix ? name.slice(0, dot) : name;
  const inner = stem.includes(".") && stem.lastIndexOf(".") > 0 ? stem.slice(stem.lastIndexOf(".") + 1) : "";
  if (suffix === ".json") return { kind: "metadata", text: "Description" };
  if ([".jpg", ".jpeg", ".png", ".webp"].includes(suffix)) {
    return inner.toLowerCase() === "backdrop" ? { kind: "backdrop", text: "Wide picture" } : { kind: "poster", text: "Poster" };
  }
  if (suffix === ".srt" || suffix === ".vtt") return { kind: "subtitles", text: LANGUAGE.test(inner) ? `Subtitles, ${inner}` : "Subtitles" };
  return { kind: "film", text: "Film" };
}

export const UPLOAD_ENDED = new Set(["done", "failed", "cancelled"]);

/** The item to send now: what belongs to a film goes first, since subtitles are read when their film arrives. */
export function nextUpload(items) {
  if (items.some(({ state }) => state === "sending")) return null;
  const waiting = items.filter(({ state }) => state === "waiting");
  const sidecar = waiting.find(({ kind }) => kind !== "film");
  if (sidecar || items.some(({ kind, state }) => kind !== "film" && state === "asking")) return sidecar ?? null;
  return waiting[0] ?? null;
}

const STATES = {
  queued: "Waiting for an encoder",
  planning: "Being looked at",
  encoding: "Encoding",
  ready: "Ready",
  failed: "Failed",
};
export const isOpen = ({ status }) => status !== "ready" && status !== "failed";

/** The state of an encode in a few words: "Encoding, 34 %, about 2 minutes left". */
export function jobText(job) {
  const parts = [STATES[job.status] ?? job.status];
  if (job.status === "encoding") {
    parts.push(`${Math.floor(job.percent)} %`);
    const left = roughly(job.eta_s);
    if (left) parts.push(`${left} left`);
  }
  return parts.join(", ");
}

const SILENT_MS = 3 * 60_000;

/** Why an encode failed, or what keeps it; "" while it just goes on. `nowMs` is the clock. */
export function troubleText(job, nowMs) {
  if (!isOpen(job)) return job.reason ?? "";
  if (job.fault) return `A step failed and is tried again by itself: ${job.fault}`;
  const silent = nowMs - Date.parse(job.updated_at);
  if (silent < SILENT_MS) return "";
  const wait = `Nothing has happened for ${roughly(silent / 1000)}.`;
  return job.status === "queued"
    ? `${wait} Either others are encoded first, or no encoder runs. It begins by itself.`
    : `${wait} If that goes on, see whether an encoder runs. The work goes on by itself, from where it stopped.`;
}

/** What can be done about each job, newest first: only the newest of a title that still is one is retried or watched. */
export function offers(jobs) {
  const seen = new Set();
  return jobs.map((job) => {
    const newest = !seen.has(job.title_id) && job.title_name !== null;
    seen.add(job.title_id);
    return { job, retry: newest && job.status === "failed", watch: newest && job.status !== "failed" && Boolean(job.manifest_url) };
  });
}

/** "2 under way, 1 failed, 14 ready". */
export function countText(jobs) {
  const open = jobs.filter(isOpen).length;
  const count = (status) => jobs.filter((job) => job.status === status).length;
  return [[open, "under way"], [count("failed"), "failed"], [count("ready"), "ready"]]
    .filter(([number]) => number)
    .map(([number, word]) => `${number} ${word}`)
    .join(", ");
}

/** Milliseconds until the encodes are looked at again: soon while something moves, ever later after failures. */
export function lookAfter({ moving, failures }) {
  if (failures) return Math.min(60_000, 2000 * 2 ** failures);
  return moving ? 1500 : 12_000;
}

/** Only the fields that an edit changes, as the API takes them; null clears one. */
export function changesOf(title, { name, year, plot }) {
  const wanted = { name: name.trim(), year: year.trim() ? Number(year) : null, plot: plot.trim() || null };
  return Object.fromEntries(Object.entries(wanted).filter(([field, value]) => value !== (title[field] ?? null)));
}

/** What is wrong with a year, in a sentence; "" if nothing is. */
export const yearFault = (text) => (!text.trim() || /^(18[7-9]\d|19\d\d|20\d\d|21\d\d|2200)$/.test(text.trim()) ? "" : "A year has four digits, such as 2024.");

/** What is wrong with a number of days. */
export const daysFault = (text) => (/^\d{1,5}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= 36_500 ? "" : "Give a whole number of days, 1 or more.");

export const SUBSCRIPTION_STATES = { pending: "Not approved yet", active: "Active", suspended: "Suspended", cancelled: "Cancelled", ended: "Over" };

/** The type of an event as words: "PAYMENT.SALE.COMPLETED" -> "Payment sale completed". */
export function eventText(type) {
  const words = type.toLowerCase().replaceAll(/[._-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
