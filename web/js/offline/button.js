/** The button that downloads a film, on the page of the film and in the player. */
import { session } from "../account/session.js";
import { hooks, say } from "../dom.js";
import { RequestError } from "../net.js";
import { Download, DownloadFailure, endOfDownload, isRunning, onProgressElsewhere } from "./downloading.js";
import { canStore, deleteFilm, mayStore, readFilm } from "./films.js";
import { t } from "../texts.js";

/** @import { Progress } from "./downloading.js" */

/** @type {WeakSet<HTMLElement>} */
const shown = new WeakSet();

/**
 * Return the text that is shown while a film is downloaded.
 * @param {Pick<Progress, "percent" | "waits">} progress
 */
export const progressText = ({ percent, waits }) =>
  waits ? t("downloading.downloaded_waiting_for_connection", { percent }) : t("downloading.downloading_keep_page_open", { percent });

class DownloadButton {
  /** @type {Download | null} */
  #running = null;
  #isWaiting = false;

  /**
   * @param {HTMLElement} root
   * @param {string} titleId
   */
  constructor(root, titleId) {
    this.root = root;
    this.at = hooks(root);
    this.titleId = titleId;
    this.at["download-start"].addEventListener("click", () => this.start());
    this.at["download-cancel"].addEventListener("click", () => this.cancel());
    onProgressElsewhere((progress) => { if (progress.title_id === titleId && !this.#running) this.followElsewhere(progress); });
  }

  find() {
    return readFilm(this.titleId, session()?.user_id);
  }

  /** Show the state of the download; with `resume`, continue one that was interrupted. */
  async show({ resume = false } = {}) {
    const film = await this.find();
    this.root.hidden = false;
    const isElsewhere = film !== null && !film.whole && (await isRunning(film));
    if (film && !film.whole && resume && !isElsewhere) await this.start();
    else this.write(film?.whole ? "done" : isElsewhere ? "running" : "none");
    if (isElsewhere) this.waitForEnd();
  }

  /**
   * Show the download of another page, until it ends.
   * @param {Progress} progress
   */
  followElsewhere(progress) {
    this.follow(progress);
    this.waitForEnd();
  }

  /** Show how the download of another page has ended, once it has. */
  async waitForEnd() {
    const userId = session()?.user_id;
    if (this.#isWaiting || !userId) return;
    this.#isWaiting = true;
    await endOfDownload(userId, this.titleId);
    this.#isWaiting = false;
    if (!this.#running) await this.show();
  }

  /** @param {"none" | "running" | "done"} state */
  write(state) {
    const { at } = this;
    at["download-start"].hidden = state !== "none";
    at["download-cancel"].hidden = state !== "running";
    at["download-progress"].hidden = state !== "running";
    at["download-done"].hidden = state !== "done";
  }

  /** @param {Progress} progress */
  follow(progress) {
    const { at } = this;
    at["download-text"].textContent = progressText(progress);
    at["download-meter"].setAttribute("aria-valuenow", String(progress.percent));
    at["download-fill"].style.setProperty("--share", `${progress.percent}%`);
    this.write("running");
  }

  async start() {
    if (this.#running) return;
    const hadFocus = document.activeElement === this.at["download-start"];
    const running = (this.#running = new Download(this.titleId, (progress) => this.follow(progress)));
    say(this.at["download-said"], "");
    this.follow({ title_id: this.titleId, percent: 0, waits: false });
    if (hadFocus) this.at["download-cancel"].focus();
    let text = "";
    try {
      const film = await running.run();
      if (film) text = t("downloading.downloaded_can_watch_without");
    } catch (error) {
      if (!(error instanceof RequestError || error instanceof DownloadFailure)) throw error;
      text = error.message;
    } finally {
      this.#running = null;
    }
    say(this.at["download-said"], text);
    const focused = document.activeElement === this.at["download-cancel"];
    this.write((await this.find())?.whole ? "done" : "none");
    if (focused) (this.at["download-done"].hidden ? this.at["download-start"] : this.at["download-done"]).focus();
  }

  async cancel() {
    if (this.#running) {
      this.#running.cancel();
      return;
    }
    const film = await this.find();
    if (film && !film.whole) await deleteFilm(film); // the page that downloads it notices
    this.write(film?.whole ? "done" : "none");
  }
}

/**
 * Show the button, once.
 * @param {HTMLElement} root
 * @param {string} titleId
 * @param {{ resume: boolean }} how `resume`: continue a download that was interrupted
 */
export async function showDownload(root, titleId, { resume }) {
  if (!canStore() || shown.has(root)) return;
  shown.add(root);
  if (!(await mayStore())) return;
  await new DownloadButton(root, titleId).show({ resume });
}
