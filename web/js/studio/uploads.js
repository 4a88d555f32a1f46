/**
 * The Studio's drop zone: files are uploaded one after the other with their progress, and can be cancelled and retried.
 */
import { hooks, piece, reconcile, say } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { titleAddress } from "../cards.js";
import { authorized } from "../account/session.js";
import { put, waitOnline } from "./put.js";
import { Meter, PutError, sendFile, Unreadable } from "./upload.js";
import { bytesText, kindOf, nextUpload, sendingText, UPLOAD_ENDED } from "./words.js";

/** @import { UploadTicket } from "../types.js" */
/**
 * @typedef {object} Item a file in the list
 * @property {string} key
 * @property {File} file
 * @property {string} kind the kind of the file: "film", "subtitles", …
 * @property {string} text the kind in words
 * @property {"asking" | "confirm" | "waiting" | "sending" | "done" | "cancelled" | "failed"} state
 * @property {string} said
 * @property {number} sent bytes
 * @property {boolean} agreed whether the owner has agreed to replace the film with this name
 * @property {AbortController} stop
 * @property {Meter} meter
 * @property {UploadTicket | null} ticket
 */

const PAINT_MS = 250;
/** @type {Record<string, string>} */
const ICONS = { film: "film", metadata: "text", poster: "picture", backdrop: "picture", subtitles: "words" };
const EXPECTED = [RequestError, PutError, Unreadable];

/**
 * @param {unknown} error
 * @returns {error is Error}
 */
const isExpected = (error) => EXPECTED.some((kind) => error instanceof kind);

/**
 * @param {File} file
 * @returns {Promise<UploadTicket>}
 */
const askTicket = (file) => persist(() => authorized("uploads", { method: "POST", body: { name: file.name, size: file.size } }), { attempts: 8 });

/**
 * Return the text beside a file that is not being sent.
 * @param {Item} item
 */
function stateText({ state, kind, file }) {
  const size = bytesText(file.size);
  if (state === "waiting") return `${size}, waiting`;
  if (state === "done") return kind === "film" ? `${size}, uploaded. See its progress below.` : `${size}, uploaded.`;
  if (state === "cancelled") return "Cancelled. Nothing was kept.";
  return state === "failed" ? "Not uploaded." : size;
}

/** @param {Item} item */
const beganAnew = (item) => Object.assign(item, { state: "asking", said: "", sent: 0, stop: new AbortController(), meter: new Meter(), ticket: null });

class Uploads {
  /**
   * @param {HTMLElement} root
   * @param {(item: { kind: string }) => void} onArrived
   */
  constructor(root, onArrived) {
    this.at = hooks(root);
    /** @type {Item[]} */
    this.items = [];
    this.onArrived = onArrived;
    this.number = 0;
    const { at } = this;
    at.files.addEventListener("change", () => {
      this.add([...at.files.files]);
      at.files.value = "";
    });
    at.clear.addEventListener("click", () => {
      this.items = this.items.filter(({ state }) => !UPLOAD_ENDED.has(state));
      this.write();
      at.files.focus();
    });
    this.bindDrop(at.drop);
    window.addEventListener("beforeunload", (event) => {
      if (this.items.some(({ state }) => state === "sending" || state === "waiting")) event.preventDefault();
    });
  }

  /** @param {HTMLElement} zone */
  bindDrop(zone) {
    const over = (/** @type {boolean} */ on) => zone.classList.toggle("is-over", on);
    // a file dropped outside the zone must not replace the page
    for (const kind of /** @type {const} */ (["dragover", "drop"])) {
      window.addEventListener(kind, (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
    }
    zone.addEventListener("dragenter", () => over(true));
    zone.addEventListener("dragover", () => over(true));
    zone.addEventListener("dragleave", ({ relatedTarget }) => { if (!(relatedTarget instanceof Node && zone.contains(relatedTarget))) over(false); });
    zone.addEventListener("drop", ({ dataTransfer }) => {
      over(false);
      const entries = [...(dataTransfer?.items ?? [])].filter(({ kind }) => kind === "file");
      const isFolder = (/** @type {DataTransferItem} */ item) => Boolean(item.webkitGetAsEntry?.()?.isDirectory);
      this.add(entries.filter((item) => !isFolder(item)).map((item) => item.getAsFile()).filter((file) => file !== null));
      if (entries.some(isFolder)) say(this.at.said, "Folders cannot be uploaded. Drop the files inside instead.");
    });
  }

  /** @param {File[]} files */
  add(files) {
    say(this.at.said, "");
    for (const file of files) {
      if (this.items.some((item) => item.file.name === file.name && !UPLOAD_ENDED.has(item.state))) {
        say(this.at.said, `${file.name} is already in the list.`);
      } else if (!file.size) {
        say(this.at.said, `${file.name} is empty.`);
      } else {
        this.items = this.items.filter((item) => item.file.name !== file.name);
        const item = /** @type {Item} */ ({ key: String((this.number += 1)), file, ...kindOf(file.name), agreed: false });
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
    try {
      item.ticket = await askTicket(item.file);
      if (item.state !== "asking") return;
      const isFilm = item.kind === "film";
      item.state = item.ticket.replaces && isFilm && !item.agreed ? "confirm" : "waiting";
      if (item.ticket.replaces && !isFilm) item.said = "Replaces the existing file.";
      if (item.state === "confirm") item.said = "A film with this name already exists. If you replace it, the current version plays until the new one is ready.";
    } catch (error) {
      if (!isExpected(error)) throw error;
      Object.assign(item, { state: "failed", said: error.message });
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
    item.state = "sending";
    item.said = "";
    const { signal } = item.stop;
    let first = item.ticket?.upload_url ?? null;
    const ticket = async () => {
      const address = first ?? (await askTicket(item.file)).upload_url;
      first = null;
      return address;
    };
    const painting = setInterval(() => {
      item.meter.note(item.sent, performance.now());
      this.write();
    }, PAINT_MS);
    try {
      await sendFile(item.file, {
        put,
        ticket,
        signal,
        mark: crypto.getRandomValues(new Uint32Array(1))[0].toString(16).padStart(8, "0"),
        wait: waitOnline,
        onBytes: (sent) => { item.sent = Math.min(sent, item.file.size); },
        onTrouble: (error) => { item.said = error ? `${error.message} The upload continues automatically; keep this page open.` : ""; },
      });
      Object.assign(item, { state: "done", said: "" });
      this.onArrived(item);
    } catch (error) {
      if (signal.aborted) Object.assign(item, { state: "cancelled", said: "" });
      else if (isExpected(error)) Object.assign(item, { state: "failed", said: error.message });
      else throw error;
    } finally {
      clearInterval(painting);
    }
    this.sendNext();
  }

  /** @param {Item} item */
  cancel(item) {
    if (item.state !== "sending") item.state = "cancelled";
    item.said = "";
    item.stop.abort();
    this.sendNext();
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
    for (const button of [on.cancel, on.retry, on.replace]) button.setAttribute("aria-describedby", on.name.id);
    on.bar.setAttribute("aria-labelledby", on.name.id);
    on.cancel.addEventListener("click", () => this.cancel(item));
    on.retry.addEventListener("click", () => this.begin(item));
    on.replace.addEventListener("click", () => {
      Object.assign(item, { agreed: true, state: "waiting", said: "" });
      this.sendNext();
    });
    return node;
  }

  /**
   * @param {HTMLElement} node
   * @param {Item} item
   */
  update(node, item) {
    const on = hooks(node);
    const { state, sent, file } = item;
    const isSending = state === "sending";
    const share = Math.floor((100 * sent) / file.size);
    node.dataset.state = state;
    on.state.textContent = isSending ? sendingText({ sent, size: file.size, rate: item.said ? 0 : item.meter.rate }) : stateText(item);
    say(on.said, item.said);
    on.bar.hidden = !isSending;
    on.bar.setAttribute("aria-valuenow", String(share));
    on.bar.style.setProperty("--share", `${share}%`);
    on.cancel.hidden = UPLOAD_ENDED.has(state);
    on["cancel-word"].textContent = state === "confirm" ? "Keep the existing film" : "Cancel";
    on.retry.hidden = state !== "failed" && state !== "cancelled";
    on.replace.hidden = state !== "confirm";
    on.title.hidden = state !== "done" || item.kind !== "film";
    if (item.ticket) on.title.href = titleAddress(item.ticket.title_id);
  }
}

/**
 * @param {HTMLElement} root
 * @param {(item: { kind: string }) => void} onArrived called for every file that has been uploaded
 */
export const bindUploads = (root, onArrived) => new Uploads(root, onArrived);
