/** The Studio's texts about files, encodes and people, and the decisions it makes; pure functions. */
import { price } from "../billing/words.js";
import { bytesText, clock, languageName, roughly } from "../text.js";
import { inOwnLanguage, LOCALE, t } from "../texts.js";

/** @import { Job, JobReceipt, Title } from "../types.js" */

/**
 * Return the progress of an upload: "34 % of 1.4 GB, 12.3 MB/s, about 2 minutes left".
 * @param {{ sent: number, size: number, rate: number }} upload
 */
export function sendingText({ sent, size, rate }) {
  const left = rate ? roughly((size - sent) / rate) : "";
  return [shareText({ sent, size }), rate ? `${(rate / 1e6).toLocaleString(LOCALE, { minimumFractionDigits: rate < 1e7 ? 1 : 0, maximumFractionDigits: rate < 1e7 ? 1 : 0 })} MB/s` : "", left && sent < size ? t("studio.left", { time: left }) : ""]
    .filter(Boolean)
    .join(", ");
}

/**
 * Return the sent share of an upload: "34 % of 1.4 GB".
 * @param {{ sent: number, size: number }} upload
 */
export const shareText = ({ sent, size }) => t("studio.share", { percent: size ? Math.floor((100 * sent) / size) : 0, size: bytesText(size) });

/**
 * Return the question that is asked before a film is replaced. `existing` is the name of a film that differs only in
 * the extension, null if the name is the same.
 * @param {string | null} existing
 */
export const confirmText = (existing) =>
  existing ? t("studio.replace_other", { file: existing.split("/").pop() ?? "" }) : t("studio.replace_same");

/**
 * Return a title in a sentence: "The Sea (2010)".
 * @param {{ name: string, year: number | null }} title
 */
export const titleText = ({ name, year }) => (year ? `${name} (${year})` : name);

/**
 * Return the question whether a film is that of an announced title.
 * @param {{ name: string, year: number | null }[]} announced
 */
export const belongsText = (announced) =>
  announced.length === 1 ? t("studio.belongs", { title: titleText(announced[0]) }) : t("studio.several_announced_titles_have");

export const UPLOAD_ENDED = new Set(["done", "failed", "cancelled", "interrupted"]);

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
  ["receiving", t("studio.uploading")],
  ["queued", t("studio.waiting_for_encoder")],
  ["planning", t("studio.analysing")],
  ["encoding", t("titles.encoding")],
  ["ready", t("studio.ready")],
  ["failed", t("figures.failed")],
]);

/** @param {{ status: string }} job */
export const isOpen = ({ status }) => status !== "ready" && status !== "failed";

/**
 * Return whether files of a film are missing or cannot be played, according to its last verification.
 * @param {Pick<Job, "status" | "verification">} job
 */
export const isDamaged = ({ status, verification }) => status === "ready" && (verification?.damaged ?? 0) > 0;

/**
 * Return the state of an encode in a few words: "Encoding, 34 %, about 2 minutes left".
 * @param {Pick<Job, "status" | "percent" | "eta_s" | "verification" | "paused" | "uploaded_percent">} job
 */
export function jobText(job) {
  const parts = [isDamaged(job) ? t("studio.damaged") : job.paused ? t("studio.paused") : (STATES.get(job.status) ?? job.status)];
  if (job.status === "receiving") parts.push(`${Math.floor(job.uploaded_percent ?? 0)} %`);
  if (job.status === "encoding") {
    parts.push(`${Math.floor(job.percent)} %`);
    const left = roughly(job.eta_s);
    if (left) parts.push(t("studio.left", { time: left }));
  }
  return parts.join(", ");
}

/**
 * Return an amount in US dollars: "$0.43", "$12", "$1,500", t("studio.under_a_cent").
 * @param {number} microusd millionths of a US dollar
 */
export function dollarText(microusd) {
  if (microusd < 10_000) return t("studio.under_a_cent");
  return price(Math.round(microusd / 10_000), "USD").replace(/[.,]00(?!\d)/, "");
}

/**
 * Return what a job costs: "about $0.43 to encode", "$0.41 to encode, $0.08 a month to store"; "" if nothing is known.
 * @param {Pick<Job, "status" | "cost">} job
 */
export function costText({ status, cost }) {
  if (!cost) return "";
  const { estimate_microusd: estimate, encode_microusd: encoded, storage_microusd: stored } = cost;
  const parts = [];
  if (isOpen({ status }) && estimate !== null) parts.push(t("studio.about_to_encode", { price: dollarText(estimate) }));
  else if (encoded) parts.push(t("studio.to_encode", { price: dollarText(encoded) }));
  if (stored) parts.push(t("studio.to_store", { price: dollarText(stored) }));
  return parts.join(", ");
}

/**
 * Return the result of an encode: "1.2 GB for 5 picture sizes, 46 % less than at full bitrate. Quality 94 of 100."; "" if
 * it is not known.
 * @param {JobReceipt | null | undefined} receipt
 */
export function receiptText(receipt) {
  if (!receipt) return "";
  const count = receipt.renditions.length;
  const share = Math.round((100 * receipt.saved) / (receipt.size + receipt.saved));
  const size = bytesText(receipt.size);
  const best = receipt.renditions[0]?.mean_vmaf ?? null;
  const saved = share > 0 ? t("studio.receipt_saved", { count, size, percent: share }) : t("studio.receipt", { count, size });
  return best === null ? saved : `${saved} ${t("studio.quality", { quality: Math.round(best) })}`;
}

/**
 * Return how far the second encode of a film is: "Also encoding in AV1, 42 %."; "" if there is none.
 * @param {Job["av1"]} av1
 */
export function av1Text(av1) {
  if (!av1) return "";
  if (av1.status === "complete") return t("studio.av1_complete", { size: bytesText(av1.size) });
  if (av1.status === "encoding") return t("studio.av1_encoding", { percent: Math.floor(av1.percent) });
  return t("studio.av1_abandoned", { reason: inOwnLanguage(av1.reason) });
}

/**
 * Return how far the automatic captions of a film are: "Automatic captions in English."; "" if it gets none.
 * @param {Job["captions"]} found
 */
export function captionsText(found) {
  if (!found) return "";
  if (found.status === "abandoned") return t("studio.captions_abandoned", { reason: inOwnLanguage(found.reason ?? "") });
  if (found.status === "encoding") return found.reason ? inOwnLanguage(found.reason) : t("studio.captions_encoding");
  return found.cues ? t("studio.captions_complete", { language: languageName(found.language) }) : t("studio.captions_silent");
}

/**
 * Return what is known of picture sizes that are made when viewers want them: "3 more picture sizes are made when
 * somebody watches; until then, this saves 1.2 GB."; "" if all are made at once.
 * @param {Job["on_demand"]} found
 */
export function onDemandText(found) {
  if (!found) return "";
  const count = found.renditions.length;
  if (found.status === "complete" || found.status === "leaving") return t("studio.on_demand_complete", { count, size: bytesText(found.size) });
  if (found.status === "encoding") return t("studio.on_demand_encoding", { count, percent: Math.floor(found.percent) });
  if (found.status === "abandoned") return t("studio.on_demand_abandoned", { count, reason: inOwnLanguage(found.reason ?? "") });
  return t("studio.on_demand_saved", { count, size: bytesText(found.saved_size) });
}

/**
 * Return the rows of a receipt: picture size, bytes, mean quality, and the worst second with its place in the film.
 * @param {JobReceipt} receipt
 */
export function receiptRows(receipt) {
  return receipt.renditions.map(({ width, height, size, mean_vmaf: mean, worst_vmaf: worst, worst_at_s: at }) => [
    `${width} × ${height}`,
    bytesText(size),
    mean === null ? t("studio.not_measured") : String(Math.round(mean)),
    worst === null || at === null ? "" : t("studio.worst_at", { quality: Math.round(worst), time: clock(at) }),
  ]);
}

/**
 * Return a sentence for each audio track that was measured: "English: -27.2 LUFS, peaks of -3.1 dB; 1.8 dB louder."
 * @param {JobReceipt} receipt
 */
export function soundTexts(receipt) {
  return (receipt.sounds ?? []).map(({ label, measured_lufs: level, peak_dbtp: highest, gain_db: change }) => {
    const [lufs, peak, gain] = [level, highest, Math.abs(change)].map(decibels);
    if (change > 0) return t("studio.sound_louder", { label, lufs, peak, gain });
    if (change < 0) return t("studio.sound_quieter", { label, lufs, peak, gain });
    return t("studio.sound_unchanged", { label, lufs, peak });
  });
}

/** @param {number} level */
const decibels = (level) => level.toLocaleString(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/**
 * Return what this month's encodes have cost: "Encoding in November: $3.20 of $20."; "" if nothing was spent.
 * @param {{ month: string, encode_microusd: number, limit_microusd: number | null } | null} spending
 */
export function spendingText(spending) {
  if (!spending || (!spending.encode_microusd && spending.limit_microusd === null)) return "";
  const month = new Date(`${spending.month}-15T12:00:00Z`).toLocaleDateString(LOCALE, { month: "long" });
  const spent = dollarText(spending.encode_microusd);
  if (spending.limit_microusd === null) return t("studio.spent", { month, price: spent });
  return t("studio.spent_of", { month, price: spent, limit: dollarText(spending.limit_microusd) });
}

const SILENT_MS = 3 * 60_000;
const UPLOAD_SILENT_MS = 60 * 60_000; // a large upload is rarely committed

/**
 * Return why an encode failed, what delays it, or which damage was found and which tracks were left out; "" if all is
 * well. `nowMs` is the current time.
 * @param {Pick<Job, "status" | "reason" | "fault" | "damage" | "notes" | "updated_at" | "verification" | "paused">} job
 * @param {number} nowMs
 */
export function troubleText(job, nowMs) {
  const notes = [...(job.damage ? [job.damage.note] : []), ...(job.notes ?? [])].map(inOwnLanguage).join(" ");
  if (isDamaged(job)) return t("studio.files_damaged", { damaged: job.verification?.damaged ?? 0, files: job.verification?.files ?? 0 });
  if (!isOpen(job)) return job.reason ? inOwnLanguage(job.reason) : notes;
  if (job.paused) return inOwnLanguage(job.paused);
  if (job.fault) return t("studio.step_failed", { reason: inOwnLanguage(job.fault) });
  const silent = nowMs - new Date(job.updated_at).getTime();
  if (silent < (job.status === "receiving" ? UPLOAD_SILENT_MS : SILENT_MS)) return notes;
  const wait = t("studio.no_progress", { time: roughly(silent / 1000) });
  if (job.status === "receiving") return `${wait} ${t("studio.continue_upload")}`;
  return job.status === "queued"
    ? `${wait} ${t("studio.others_first")}`
    : `${wait} ${t("studio.check_encoder")}`;
}

/**
 * Return a sentence about the verification that the owner requested, running or ended: "All 120 files are fine.".
 * @param {Pick<Job, "status" | "verification" | "verifying">} job
 */
export function verificationText(job) {
  if (job.status !== "ready") return "";
  if (job.verifying) return t("studio.checking_files");
  return job.verification && !job.verification.damaged ? t("studio.files_fine", { count: job.verification.files }) : "";
}

/**
 * Return the possible actions for each job, newest first. Only the newest job of a title that still exists can be
 * retried, repaired, verified or watched; whether an upload that stopped continues, only its file decides. A trailer is
 * watched once it is complete and its title exists.
 * @template {Pick<Job, "title_id" | "title_name" | "trailer_of" | "status" | "uploaded_percent" | "manifest_url" | "verification" | "verifying">} T
 * @param {T[]} jobs
 */
export function offers(jobs) {
  /** @type {Set<string>} */
  const seen = new Set();
  return jobs.map((job) => {
    const isNewest = !seen.has(job.title_id) && job.title_name !== null;
    seen.add(job.title_id);
    const plays = job.trailer_of ? job.status === "ready" : job.trailer_of !== "";
    return {
      job,
      retry: isNewest && ((job.status === "failed" && job.uploaded_percent === null) || isDamaged(job)),
      verify: isNewest && job.status === "ready" && !isDamaged(job) && !job.verifying,
      watch: isNewest && job.status !== "failed" && Boolean(job.manifest_url) && plays,
    };
  });
}

/**
 * Return the number of jobs by state: "2 in progress, 1 failed, 14 ready".
 * @param {{ status: string }[]} jobs
 */
export function countText(jobs) {
  const count = (/** @type {string} */ status) => jobs.filter((job) => job.status === status).length;
  /** @type {[number, string][]} */
  const counts = [[jobs.filter(isOpen).length, "studio.jobs_open"], [count("failed"), "studio.jobs_failed"], [count("ready"), "studio.jobs_ready"]];
  return counts
    .filter(([number]) => number)
    .map(([number, key]) => t(key, { number }))
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

const LISTS = ["genres", "directors", "actors"];

/**
 * Return only the fields that an edit changes, in the form that the API expects; null clears a field. Entries of lists
 * are separated by commas.
 * @param {Partial<Title>} title
 * @param {Record<string, string>} edit
 */
export function changesOf(title, edit) {
  const before = /** @type {Record<string, any>} */ (title);
  /** @type {Record<string, unknown>} */
  const changes = {};
  for (const [field, given] of Object.entries(edit)) {
    const text = given.trim();
    if (LISTS.includes(field)) {
      const entries = text.split(",").map((entry) => entry.trim()).filter(Boolean);
      if (entries.join() !== (before[field] ?? []).join()) changes[field] = entries;
    } else {
      const value = field === "name" ? text : text ? (field === "year" ? Number(text) : text) : null;
      if (value !== (before[field] ?? null)) changes[field] = value;
    }
  }
  return changes;
}

/**
 * Return a sentence that says what is wrong with a year; "" if nothing is wrong.
 * @param {string} text
 */
export const yearFault = (text) => (!text.trim() || /^(18[7-9]\d|19\d\d|20\d\d|21\d\d|2200)$/.test(text.trim()) ? "" : t("studio.year_has_four_digits"));

/**
 * Return a sentence that says what is wrong with a number of days; "" if nothing is wrong.
 * @param {string} text
 */
export const daysFault = (text) => (/^\d{1,5}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= 36_500 ? "" : t("studio.enter_whole_number_days"));

/**
 * Return the last second of a day.
 * @param {string} date the day as "2027-01-31"
 */
export const endOfDay = (date) => new Date(`${date}T23:59:59`);

/**
 * Return what is wrong with the end of free access, by field: either a number of days or the last day is needed.
 * @param {{ days: string, until: string }} end
 * @param {Date} now
 * @returns {Record<string, string>}
 */
export function accessFaults({ days, until }, now) {
  if (!until) return { days: days.trim() ? daysFault(days) : t("studio.enter_number_days_or") };
  if (days.trim()) return { until: t("studio.enter_either_days_or") };
  const left = (endOfDay(until).getTime() - now.getTime()) / 86_400_000;
  return { until: left < 0 ? t("studio.choose_today_or_later") : left > 36_500 ? t("studio.choose_day_in_next") : "" };
}

/**
 * Return the text for a new administrator; `link` is for setting a password, and null if the account has one.
 * @param {string} email
 * @param {string | null} link
 */
export const addedText = (email, link) =>
  link ? t("studio.now_administrator_sent_link", { email, link }) : t("studio.now_administrator_at_next", { email });

/** @type {Record<string, string>} */
export const SUBSCRIPTION_STATES = { pending: t("studio.not_approved_yet"), active: t("studio.active"), suspended: t("studio.suspended"), cancelled: t("studio.cancelled"), ended: t("people.ended") };

/**
 * Return the type of an event in words: "PAYMENT.SALE.COMPLETED" -> "Payment sale completed".
 * @param {string} type
 */
export function eventText(type) {
  const words = type.toLowerCase().replaceAll(/[._-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
