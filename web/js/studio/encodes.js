/** The encodes: their progress, the reason for a failure, and the possible actions. */
import { hook, hooks, piece, reconcile, say } from "../dom.js";
import { repeat, RequestError } from "../net.js";
import { watchAddress } from "../cards.js";
import { authorized } from "../account/session.js";
import { moment } from "../account/words.js";
import { bytesText, countText, isOpen, jobText, lookAfter, offers, troubleText } from "./words.js";

/** @import { Job } from "../types.js" */

const EXPECTED_MS = 60_000; // the job appears within seconds after its upload

class Encodes {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.at = hooks(root);
    /** @type {Job[]} */
    this.jobs = [];
    this.failures = 0;
    this.expectedUntil = 0;
    this.isKnown = false;
    this.turn = 0;
    this.stop = () => {};
    this.filter = "all";
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
    return this.jobs.some(isOpen) || performance.now() < this.expectedUntil;
  }

  async load() {
    const { at } = this;
    try {
      ({ jobs: this.jobs } = await authorized("jobs"));
      this.failures = 0;
      this.isKnown = true;
      say(at.trouble, "");
      this.write();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.failures += 1;
      say(at.trouble, [error.message, this.isKnown ? "This list may be out of date." : "", "Trying again…"].filter(Boolean).join(" "));
    }
  }

  write() {
    const { at } = this;
    const shown = offers(this.jobs).filter(({ job }) => this.filter === "all" || (this.filter === "open" ? isOpen(job) : job.status === this.filter));
    reconcile(at.jobs, shown, { key: ({ job }) => job.job_id, create: ({ job }) => this.create(job), update: (node, offer) => this.update(node, offer) });
    const count = countText(this.jobs);
    if (at.count.textContent !== count) at.count.textContent = count;
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
    on.watch.href = watchAddress(job.title_id);
    on.retry.addEventListener("click", () => this.retry(node, job.job_id));
    return node;
  }

  /**
   * @param {HTMLElement} node
   * @param {{ job: Job, retry: boolean, watch: boolean }} offer
   */
  update(node, { job, retry, watch }) {
    const on = hooks(node);
    node.dataset.state = isOpen(job) ? "open" : job.status;
    on.name.textContent = job.title_name ?? job.name;
    say(on.withdrawn, job.title_name === null ? "Withdrawn" : "");
    on.file.hidden = on.name.textContent === job.name;
    const text = jobText(job);
    if (on.state.textContent !== text) on.state.textContent = text;
    const percent = Math.floor(job.percent);
    on.bar.hidden = !isOpen(job);
    on.bar.setAttribute("aria-valuenow", String(percent));
    on.bar.style.setProperty("--share", `${percent}%`);
    say(on.reason, troubleText(job, Date.now()));
    on.when.textContent = moment(job.created_at, new Date());
    on.when.dateTime = job.created_at;
    on.size.textContent = bytesText(job.source.size);
    on.retry.hidden = !retry;
    on.watch.hidden = !watch;
    on["watch-word"].textContent = isOpen(job) ? "Watch now" : "Watch";
  }

  /**
   * @param {HTMLElement} node
   * @param {string} id
   */
  async retry(node, id) {
    const button = hook(node, "retry");
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    say(hook(node, "said"), "");
    try {
      const again = await authorized(`jobs/${encodeURIComponent(id)}/retry`, { method: "POST" });
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

/** @param {HTMLElement} root */
export const bindEncodes = (root) => new Encodes(root);
