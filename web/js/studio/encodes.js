/** The encodes: their progress, the reason for a failure, and the possible actions. */
import { hook, hooks, piece, reconcile, say } from "../dom.js";
import { repeat, RequestError } from "../net.js";
import { trailerAddress, watchAddress } from "../addresses.js";
import { bytesText } from "../text.js";
import { authorized } from "../account/session.js";
import { moment } from "../account/words.js";
import { bindLimit } from "./limit.js";
import { av1Text, captionsText, costText, countText, isDamaged, isOpen, jobText, lookAfter, offers, onDemandText, receiptRows, receiptText, soundTexts, spendingText, troubleText, verificationText } from "./words.js";
import { inOwnLanguage, t } from "../texts.js";

/** @import { Job } from "../types.js" */

const EXPECTED_MS = 60_000; // the job appears within seconds after its upload

class Encodes {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.at = hooks(root);
    /** @type {Job[]} */
    this.jobs = [];
    /** What this month's encodes have cost. @type {{ month: string, encode_microusd: number, limit_microusd: number | null } | null} */
    this.spending = null;
    this.failures = 0;
    this.expectedUntil = 0;
    this.isKnown = false;
    this.turn = 0;
    this.stop = () => {};
    this.filter = "all";
    /** The jobs whose files the owner has checked here. @type {Set<string>} */
    this.checked = new Set();
    const openLimit = bindLimit(root, () => this.look());
    this.at.limit.addEventListener("click", () => openLimit(this.spending?.limit_microusd ?? null));
    this.at.filter.addEventListener("change", () => {
      this.filter = this.at.filter.value;
      this.write();
    });
    document.addEventListener("visibilitychange", () => { if (!document.hidden && this.isKnown) this.look(); });
  }

  /** Fetch the jobs now, then repeatedly. */
  async look() {
    this.stop();
    const turn = (this.turn += 1);
    await this.load();
    if (turn !== this.turn) return;
    this.stop = repeat(() => this.load(), () => lookAfter({ moving: this.isMoving, failures: this.failures }));
  }

  /** Poll more often, because an upload has just ended and its job will appear soon. */
  expect() {
    this.expectedUntil = performance.now() + EXPECTED_MS;
    this.look();
  }

  get isMoving() {
    return this.jobs.some((job) => isOpen(job) || (job.verifying && this.checked.has(job.job_id))) || performance.now() < this.expectedUntil;
  }

  async load() {
    const { at } = this;
    try {
      ({ jobs: this.jobs, spending: this.spending = null } = await authorized("jobs"));
      this.failures = 0;
      this.isKnown = true;
      say(at.trouble, "");
      this.write();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.failures += 1;
      say(at.trouble, [error.message, this.isKnown ? t("encodes.list_may_be_out") : "", t("encodes.trying_again")].filter(Boolean).join(" "));
    }
  }

  write() {
    const { at } = this;
    const shown = offers(this.jobs).filter(({ job }) => this.filter === "all" || (this.filter === "open" ? isOpen(job) : job.status === this.filter));
    reconcile(at.jobs, shown, { key: ({ job }) => job.job_id, create: ({ job }) => this.create(job), update: (node, offer) => this.update(node, offer) });
    const count = countText(this.jobs);
    if (at.count.textContent !== count) at.count.textContent = count;
    say(at.spending, spendingText(this.spending));
    at.filtering.hidden = this.jobs.length === 0;
    at.none.hidden = this.jobs.length > 0;
    at["none-alike"].hidden = this.jobs.length === 0 || shown.length > 0;
    at.jobs.removeAttribute("aria-busy");
  }

  /** @param {Job} job */
  create(job) {
    const node = piece("job");
    const on = hooks(node);
    on.file.textContent = job.name;
    on.name.id = `job-${job.job_id}`;
    on.bar.setAttribute("aria-labelledby", on.name.id);
    on.retry.setAttribute("aria-describedby", on.name.id);
    on.watch.setAttribute("aria-describedby", on.name.id);
    on.verify.setAttribute("aria-describedby", on.name.id);
    on.dismiss.setAttribute("aria-describedby", on.name.id);
    on.retry.addEventListener("click", () => this.ask(node, job.job_id, "retry"));
    on.dismiss.addEventListener("click", () => this.dismiss(node, job.job_id));
    on.verify.addEventListener("click", () => {
      this.checked.add(job.job_id);
      this.ask(node, job.job_id, "verification");
    });
    return node;
  }

  /**
   * @param {HTMLElement} node
   * @param {{ job: Job, retry: boolean, verify: boolean, watch: boolean }} offer
   */
  update(node, { job, retry, verify, watch }) {
    const on = hooks(node);
    node.dataset.state = isOpen(job) ? "open" : isDamaged(job) ? "failed" : job.status;
    on.name.textContent = job.title_name ?? job.name;
    say(on.withdrawn, job.title_name === null ? t("encodes.withdrawn") : "");
    on.file.hidden = on.name.textContent === job.name;
    const text = jobText(job);
    if (on.state.textContent !== text) on.state.textContent = text;
    const percent = Math.floor(job.percent);
    on.bar.hidden = !isOpen(job);
    on.bar.setAttribute("aria-valuenow", String(percent));
    on.bar.style.setProperty("--share", `${percent}%`);
    say(on.reason, troubleText(job, Date.now()));
    say(on.pictures, inOwnLanguage(job.passthrough ?? ""));
    say(on.av1, av1Text(job.av1));
    say(on.captions, captionsText(job.captions));
    say(on["on-demand"], onDemandText(job.on_demand));
    on.when.textContent = moment(job.created_at, new Date());
    on.when.dateTime = job.created_at;
    on.size.textContent = [bytesText(job.source.size), costText(job)].filter(Boolean).join(" · ");
    say(on.checked, this.checked.has(job.job_id) ? verificationText(job) : "");
    writeReceipt(on, job);
    on.retry.hidden = !retry;
    on["retry-word"].textContent = isDamaged(job) ? t("encodes.repair") : t("common.try_again");
    on.dismiss.hidden = job.status !== "failed";
    on.verify.hidden = !verify;
    on.watch.hidden = !watch;
    on.watch.href = job.trailer_of ? trailerAddress(job.trailer_of) : watchAddress(job.title_id);
    on["watch-word"].textContent = isOpen(job) ? t("common.watch_now") : t("common.watch");
  }

  /**
   * Remove a failed job from the list.
   * @param {HTMLElement} node
   * @param {string} id
   */
  async dismiss(node, id) {
    say(hook(node, "said"), "");
    try {
      await authorized(`jobs/${encodeURIComponent(id)}/dismissal`, { method: "POST" });
      this.jobs = this.jobs.filter((job) => job.job_id !== id);
      this.write();
      this.at.heading.focus();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      say(hook(node, "said"), error.message);
    }
    await this.look();
  }

  /**
   * Ask the API to retry or verify a job.
   * @param {HTMLElement} node
   * @param {string} id
   * @param {"retry" | "verification"} what
   */
  async ask(node, id, what) {
    const button = hook(node, what === "retry" ? "retry" : "verify");
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    say(hook(node, "said"), "");
    try {
      const again = await authorized(`jobs/${encodeURIComponent(id)}/${what}`, { method: "POST" });
      this.jobs = this.jobs.map((job) => (job.job_id === id ? again : job));
      this.write();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      say(hook(node, "said"), error.message);
    }
    button.removeAttribute("aria-disabled");
    await this.look();
  }
}

/**
 * Show the result of an encode, with a row for each picture size.
 * @param {ReturnType<typeof hooks>} on
 * @param {Job} job
 */
function writeReceipt(on, { receipt }) {
  const text = receiptText(receipt);
  on.receipt.hidden = !receipt;
  if (!receipt || on["receipt-text"].textContent === text) return;
  on["receipt-text"].textContent = text;
  on["receipt-rows"].replaceChildren(...receiptRows(receipt).map((words) => {
    const row = document.createElement("tr");
    for (const word of words) row.insertCell().textContent = word;
    return row;
  }));
  const sounds = soundTexts(receipt);
  on["receipt-sounds"].hidden = !sounds.length;
  on["receipt-sounds"].replaceChildren(...sounds.map((sentence) => {
    const item = document.createElement("li");
    item.textContent = sentence;
    return item;
  }));
}

/** @param {HTMLElement} root */
export const bindEncodes = (root) => new Encodes(root);
