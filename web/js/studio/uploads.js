/**
 * The Studio's drop zone: files are uploaded one after the other with their progress, and can be paused, cancelled and
 * retried. An upload whose page was closed continues when its file is chosen again.
 */
import { hooks, piece, reconcile, say } from "../dom.js";
import { titleAddress } from "../addresses.js";
import { storage } from "../account/session.js";
import { claim, claimed, unclaimed } from "./claims.js";
import { bindDropZone } from "./drop_zone.js";
import { committed, put, stored, waitOnline } from "./put.js";
import { forgetUpload, rememberUpload, unfinished } from "./unfinished.js";
import { markOf, Meter, PutError, sendFile } from "./upload.js";
import { askTicket, beganAnew, endJob, isExpected, stateText } from "./upload_items.js";
import { kindOf } from "./kinds.js";
import { belongsText, confirmText, nextUpload, sendingText, titleText, UPLOAD_ENDED } from "./words.js";
import { t } from "../texts.js";

/** @import { Item } from "./upload_items.js" */

const remembered = storage("localStorage");
const PAINT_MS = 250;
const REMEMBER_MS = 2000;
/** @type {Record<string, string>} */
const ICONS = { film: "film", metadata: "text", poster: "picture", backdrop: "picture", subtitles: "words" };

class Uploads {
  /**
   * @param {HTMLElement} root
   * @param {(item: { kind: string }) => void} onArrived
   */
  constructor(root, onArrived) {
    this.at = hooks(root);
    /** @type {Item[]} */
    this.items = [];
    /** Settled once the server knows that an upload was cancelled; by the name of the file. @type {Map<string, Promise<void>>} */
    this.endings = new Map();
    this.onArrived = onArrived;
    this.number = 0;
    const { at } = this;
    at.files.addEventListener("change", () => {
      this.add([...at.files.files]);
      at.files.value = "";
    });
    at.clear.addEventListener("click", () => {
      for (const item of this.items.filter(({ state }) => UPLOAD_ENDED.has(state))) this.drop(item, { ends: item.state === "failed" });
      at.files.focus();
    });
    bindDropZone(at.drop, { onFiles: (files) => this.add(files), onFolder: () => say(at.said, t("uploads.folders_cannot_be_uploaded")) });
    this.write();
    this.restore();
    window.addEventListener("storage", () => this.follow()); // another tab has remembered how far its uploads are
    window.addEventListener("beforeunload", (event) => {
      if (this.items.some(({ state }) => state === "sending" || state === "waiting")) event.preventDefault();
    });
  }

  /**
   * @param {File} file
   * @param {Partial<Item>} more
   * @returns {Item}
   */
  itemOf(file, more = {}) {
    this.number += 1;
    return /** @type {Item} */ ({ key: String(this.number), file, ...kindOf(file.name), agreed: false, title: null, said: "", sent: 0, stop: new AbortController(), meter: new Meter(), ticket: null, over: null, blob: file.name, upload: "", release: null, ...more });
  }

  /** Show the uploads that were interrupted, and those of other tabs. */
  async restore() {
    const elsewhere = await claimed();
    const isListed = (/** @type {string} */ name) => this.items.some(({ file }) => file.name === name);
    const restored = unfinished(remembered, Date.now()).filter(({ name }) => !isListed(name)).map(({ name, size, sent, blob = name, upload = "" }) =>
      this.itemOf(/** @type {File} */ ({ name, size }), { state: elsewhere.has(name) ? "elsewhere" : "interrupted", sent, blob, upload }));
    this.items = [...restored, ...this.items];
    this.write();
    for (const item of restored) if (item.state === "elsewhere") this.waitForEnd(item);
  }

  /** Show how far the uploads of other tabs are, and no longer those that another tab has completed or dismissed. */
  async follow() {
    const elsewhere = await claimed();
    const entries = new Map(unfinished(remembered, Date.now()).map((entry) => [entry.name, entry]));
    const isOthers = (/** @type {Item} */ { state }) => state === "elsewhere" || state === "interrupted";
    this.items = this.items.filter((item) => !isOthers(item) || entries.has(item.file.name));
    for (const item of this.items.filter(isOthers)) {
      const { sent, upload = "" } = entries.get(item.file.name) ?? item;
      Object.assign(item, { sent, upload });
      if (item.state === "interrupted" && elsewhere.has(item.file.name)) this.giveUp(item);
    }
    this.write();
  }

  /**
   * Leave an upload to the tab that has it.
   * @param {Item} item
   */
  giveUp(item) {
    item.state = "elsewhere";
    this.waitForEnd(item);
  }

  /**
   * Offer to continue an upload once its tab no longer has it.
   * @param {Item} item
   */
  async waitForEnd(item) {
    await unclaimed(item.file.name);
    if (item.state !== "elsewhere") return;
    item.state = "interrupted";
    await this.follow();
  }

  /** @param {Item} item */
  release(item) {
    item.release?.();
    item.release = null;
  }

  /** @param {File[]} files */
  add(files) {
    say(this.at.said, "");
    for (const file of files) {
      const listed = this.items.find((item) => item.file.name === file.name && !UPLOAD_ENDED.has(item.state));
      if (listed) {
        say(this.at.said, t(listed.state === "elsewhere" ? "uploads.continue_in_other_tab" : "uploads.already_in_list", { name: file.name }));
      } else if (!file.size) {
        say(this.at.said, t("uploads.empty", { name: file.name }));
      } else {
        this.items = this.items.filter((item) => item.file.name !== file.name);
        const item = this.itemOf(file);
        this.items.push(item);
        this.begin(item);
      }
    }
    this.write();
  }

  /**
   * Request the ticket first, because it says whether a file with this name exists.
   * @param {Item} item
   */
  async begin(item) {
    beganAnew(item);
    await this.endings.get(item.file.name);
    item.release ??= await claim(item.file.name);
    if (item.state !== "asking") {
      this.release(item);
      return;
    }
    if (!item.release) {
      this.giveUp(item);
      this.write();
      return;
    }
    try {
      item.ticket = await askTicket(item);
      Object.assign(item, { blob: item.ticket.blob, over: item.ticket.version });
      if (item.state !== "asking") return;
      const isFilm = item.kind === "film";
      const { replaces, existing, announced } = item.ticket;
      const isReplacing = (replaces || Boolean(existing)) && isFilm && !item.agreed;
      item.state = isReplacing || announced.length ? "confirm" : "waiting";
      if (replaces && !isFilm) item.said = t("uploads.replaces_existing_file");
      if (item.state === "confirm") item.said = announced.length ? belongsText(announced) : confirmText(existing);
    } catch (error) {
      if (!isExpected(error)) throw error;
      Object.assign(item, { state: "failed", said: error.message });
      this.release(item);
    }
    this.sendNext();
  }

  sendNext() {
    this.write();
    const item = nextUpload(this.items);
    if (item) this.send(item);
  }

  /** @param {Item} item */
  async send(item) {
    const stop = new AbortController();
    Object.assign(item, { state: "sending", said: "", stop, meter: new Meter() });
    const { signal } = stop;
    const upload_id = item.ticket?.upload_id ?? "";
    let first = item.ticket?.upload_url ?? null;
    const ticket = async () => {
      const address = first ?? (await askTicket(item)).upload_url;
      first = null;
      return address;
    };
    // only an upload that was begun before has blocks; for another one, storage would answer 404
    const isBegun = unfinished(remembered, Date.now()).some(({ name, size }) => name === item.file.name && size === item.file.size);
    this.remember(item);
    const painting = setInterval(() => {
      item.meter.note(item.sent, performance.now());
      this.write();
    }, PAINT_MS);
    const remembering = setInterval(() => this.remember(item), REMEMBER_MS);
    try {
      const mark = await markOf(item.file);
      item.upload = upload_id && `${upload_id}-${mark}`;
      this.remember(item);
      await sendFile(item.file, {
        put,
        stored: isBegun ? stored : async () => new Map(),
        committed,
        ticket,
        signal,
        mark,
        upload: item.upload,
        over: item.over,
        onCommitted: (etag) => { item.over = etag; },
        wait: waitOnline,
        onBytes: (sent) => { item.sent = Math.min(sent, item.file.size); },
        onTrouble: (error) => { item.said = error ? `${error.message} ${t("uploads.continues")}` : ""; },
      });
      Object.assign(item, { state: "done", said: "" });
      forgetUpload(remembered, item.file.name, Date.now());
      this.onArrived(item);
    } catch (error) {
      if (!signal.aborted && isExpected(error)) Object.assign(item, { state: "failed", said: error.message });
      else if (!signal.aborted) throw error; // `pause` and `cancel` have set the state
      if (error instanceof PutError && error.isReplaced) item.agreed = false; // to replace another file than that
    } finally {
      clearInterval(painting);
      clearInterval(remembering);
    }
    if (item.state === "cancelled") this.end(item);
    else if (item.state !== "paused") this.release(item);
    this.sendNext();
  }

  /**
   * Tell the server that an upload is not continued, so that nobody waits for the rest of the film; not if another tab
   * continues it.
   * @param {Item} item
   */
  end(item) {
    if (!item.upload) {
      this.release(item);
      return;
    }
    const ending = this.endHere(item).then(
      () => this.onArrived(item),
      (error) => {
        if (!isExpected(error)) throw error;
        if (item.state === "cancelled") Object.assign(item, { said: error.message });
        this.write();
      },
    );
    this.endings.set(item.file.name, ending);
  }

  /** @param {Item} item */
  async endHere(item) {
    item.release ??= await claim(item.file.name);
    if (!item.release) return;
    try {
      await endJob(item);
    } finally {
      this.release(item);
    }
  }

  /** @param {Item} item */
  remember({ file, sent, blob }) {
    rememberUpload(remembered, { name: file.name, size: file.size, sent, atMs: Date.now(), blob });
  }

  /**
   * Pause an upload, or continue it after the one that is being sent.
   * @param {Item} item
   */
  pause(item) {
    if (item.state === "sending") {
      Object.assign(item, { state: "paused", said: "" });
      this.remember(item);
      item.stop.abort(); // `send` then begins the next one
      this.write();
    } else if (item.state === "paused") {
      item.state = "waiting";
      this.sendNext();
    }
  }

  /** @param {Item} item */
  cancel(item) {
    const wasSending = item.state === "sending";
    Object.assign(item, { state: "cancelled", said: "" });
    forgetUpload(remembered, item.file.name, Date.now());
    item.stop.abort();
    if (wasSending) this.write(); // `send` then ends its job, and begins the next one
    else {
      this.end(item);
      this.sendNext();
    }
  }

  /**
   * Remove a file that is not being sent from the list. One that was interrupted may be continued elsewhere, so it ends
   * only if its own entry is dismissed.
   * @param {Item} item
   */
  drop(item, { ends = item.state === "interrupted" || item.state === "failed" } = {}) {
    forgetUpload(remembered, item.file.name, Date.now());
    if (ends) this.end(item);
    this.items = this.items.filter((other) => other !== item);
    this.write();
  }

  write() {
    const { at, items } = this;
    reconcile(at.uploads, items, { key: ({ key }) => key, create: (item) => this.create(item), update: (node, item) => this.update(node, item) });
    at.clear.hidden = !items.some(({ state }) => UPLOAD_ENDED.has(state));
  }

  /** @param {Item} item */
  create(item) {
    const node = piece("upload");
    const on = hooks(node);
    on.name.textContent = item.file.name;
    on.name.id = `upload-${item.key}`;
    on.kind.textContent = item.text;
    node.dataset.icon = ICONS[item.kind];
    for (const button of [on.pause, on.cancel, on.retry, on.replace, on.dismiss]) button.setAttribute("aria-describedby", on.name.id);
    on.bar.setAttribute("aria-labelledby", on.name.id);
    on.pause.addEventListener("click", () => this.pause(item));
    on.cancel.addEventListener("click", () => this.cancel(item));
    on.dismiss.addEventListener("click", () => {
      this.drop(item);
      this.at.files.focus();
    });
    on.retry.addEventListener("click", () => this.begin(item));
    on.own.addEventListener("click", () => this.assign(item, ""));
    on.replace.addEventListener("click", () => {
      item.agreed = true;
      this.begin(item); // the new ticket lets the film replace one with another extension
      this.write();
    });
    return node;
  }

  /**
   * Record the owner's answer to the question whether a film is that of an announced title.
   * @param {Item} item
   * @param {string} title its id, or "" for a title of its own
   */
  assign(item, title) {
    item.title = title;
    this.begin(item);
    this.write();
  }

  /**
   * @param {HTMLElement} node
   * @param {Item} item
   */
  update(node, item) {
    const on = hooks(node);
    const asked = item.state === "confirm" ? (item.ticket?.announced ?? []) : [];
    reconcile(on.titles, asked, {
      key: ({ id }) => id,
      create: ({ id }) => {
        const button = piece("belongs");
        button.addEventListener("click", () => this.assign(item, id));
        return button;
      },
      update: (button, title) => { button.textContent = asked.length > 1 ? t("uploads.it_is", { title: titleText(title) }) : t("uploads.yes_it_is"); },
    });
    on.own.hidden = !asked.length;
    const { state, sent, file } = item;
    const isSending = state === "sending";
    const share = Math.floor((100 * sent) / file.size);
    node.dataset.state = state;
    on.state.textContent = isSending ? sendingText({ sent, size: file.size, rate: item.said ? 0 : item.meter.rate }) : stateText(item);
    say(on.said, item.said);
    on.bar.hidden = !isSending && state !== "paused" && state !== "interrupted" && state !== "elsewhere";
    on.bar.setAttribute("aria-valuenow", String(share));
    on.bar.style.setProperty("--share", `${share}%`);
    on.pause.hidden = !isSending && state !== "paused";
    on["pause-word"].textContent = isSending ? t("common.pause") : t("common.continue");
    on.cancel.hidden = UPLOAD_ENDED.has(state) || state === "elsewhere";
    on.dismiss.hidden = !UPLOAD_ENDED.has(state) || state === "done";
    on["cancel-word"].textContent = state === "confirm" && !asked.length ? t("uploads.keep_existing_film") : t("common.cancel");
    on.retry.hidden = state !== "failed" && state !== "cancelled";
    on.replace.hidden = state !== "confirm" || asked.length > 0;
    on.title.hidden = state !== "done" || item.kind !== "film" || Boolean(item.isTrailer);
    if (item.ticket) on.title.href = titleAddress(item.ticket.title_id);
  }
}

/**
 * @param {HTMLElement} root
 * @param {(item: { kind: string }) => void} onArrived called for every file that has been uploaded, or was cancelled
 */
export const bindUploads = (root, onArrived) => new Uploads(root, onArrived);
