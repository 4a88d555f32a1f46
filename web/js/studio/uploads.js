/** The studio's drop zone: files go in one after the other, each with its progress, a way to end it, and a way to retry. */
import { hooks, piece, reconcile, say } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { titleAddress } from "../cards.js";
import { authorized } from "../account/session.js";
import { put, waitOnline } from "./put.js";
import { Meter, PutError, sendFile, Unreadable } from "./upload.js";
import { bytesText, kindOf, nextUpload, sendingText, UPLOAD_ENDED } from "./words.js";

const PAINT_MS = 250;
const ICONS = { film: "film", metadata: "text", poster: "picture", backdrop: "picture", subtitles: "words" };

const isExpected = (error) => [RequestError, PutError, Unreadable].some((kind) => error instanceof kind);

const askTicket = (file) => persist(() => authorized("uploads", { method: "POST", body: { name: file.name, size: file.size } }), { attempts: 8 });

/** What stands beside a file that is not being sent. */
const stateText = {
  asking: ({ file }) => bytesText(file.size),
  confirm: ({ file }) => bytesText(file.size),
  waiting: ({ file }) => `${bytesText(file.size)}, waits for its turn`,
  done: ({ file, kind }) => (kind === "film" ? `${bytesText(file.size)}, uploaded. Its encode stands below.` : `${bytesText(file.size)}, uploaded.`),
  cancelled: () => "Cancelled. Nothing of it was kept.",
  failed: () => "Not uploaded.",
};

class Uploads {
  constructor(root, onArrived) {
    this.at = hooks(root);
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

  bindDrop(zone) {
    const over = (on) => zone.classList.toggle("is-over", on);
    const isFiles = (event) => event.dataTransfer?.types.includes("Files");
    // A file that misses the zone must not take the page's place.
    for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => { if (isFiles(event)) event.preventDefault(); });
    zone.addEventListener("dragenter", () => over(true));
    zone.addEventListener("dragover", () => over(true));
    zone.addEventListener("dragleave", ({ relatedTarget }) => { if (!zone.contains(relatedTarget)) over(false); });
    zone.addEventListener("drop", ({ dataTransfer }) => {
      over(false);
      const entries = [...dataTransfer.items].filter(({ kind }) => kind === "file");
      const isFolder = (item) => item.webkitGetAsEntry?.()?.isDirectory;
      const folders = entries.filter(isFolder).length;
      this.add(entries.filter((item) => !isFolder(item)).map((item) => item.getAsFile()));
      if (folders) say(this.at.said, "A folder cannot be uploaded. Drop the files that are in it.");
    });
  }

  add(files) {
    say(this.at.said, "");
    for (const file of files) {
      if (this.items.some((item) => item.file.name === file.name && !UPLOAD_ENDED.has(item.state))) {
        say(this.at.said, `${file.name} is in the list already.`);
      } else if (!file.size) {
        say(this.at.said, `${file.name} is empty.`);
      } else {
        this.items = this.items.filter((item) => item.file.name !== file.name);
        this.begin({ key: String((this.number += 1)), file, ...kindOf(file.name) });
      }
    }
    this.write();
  }

  /** Ask for the ticket first: it says whether something of that name is there. */
  async begin(item) {
    if (!this.items.includes(item)) this.items.push(item);
    Object.assign(item, { state: "asking", said: "", sent: 0, stop: new AbortController(), meter: new Meter(), ticket: null });
    try {
      item.ticket = await askTicket(item.file);
      if (item.state !== "asking") return;
      item.state = item.ticket.replaces && item.kind === "film" && !item.agreed ? "confirm" : "waiting";
      if (item.ticket.replaces && item.kind !== "film") item.said = "Replaces the one that is there.";
      if (item.state === "confirm") item.said = "A film of this name is there. If you replace it, what plays now goes on until the new one is ready.";
    } catch (error) {
      if (!isExpected(error)) throw error;
      Object.assign(item, { state: "failed", said: error.message });
    }
    this.go();
  }

  go() {
    this.write();
    const item = nextUpload(this.items);
    if (item) this.send(item);
  }

  async send(item) {
    item.state = "sending";
    item.said = "";
    const { signal } = item.stop;
    let first = item.ticket.upload_url;
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
        onTrouble: (error) => { item.said = error ? `${error.message} Going on as soon as it can be; leave this page open.` : ""; },
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
    this.go();
  }

  cancel(item) {
    if (item.state !== "sending") item.state = "cancelled";
    item.said = "";
    item.stop.abort();
    this.go();
  }

  write() {
    const { at, items } = this;
    reconcile(at.uploads, items, { key: ({ key }) => key, create: (item) => this.create(item), update: (node, item) => this.update(node, item) });
    at.clear.hidden = !items.some(({ state }) => UPLOAD_ENDED.has(state));
  }

  create(item) {
    const node = piece("upload");
    const on = hooks(node);
    on.name.textContent = item.file.name;
    on.kind.textContent = item.text;
    node.dataset.icon = ICONS[item.kind];
    for (const button of [on.cancel, on.retry, on.replace]) button.setAttribute("aria-describedby", (on.name.id = `upload-${item.key}`));
    on.bar.setAttribute("aria-labelledby", on.name.id);
    on.cancel.addEventListener("click", () => this.cancel(item));
    on.retry.addEventListener("click", () => this.begin(item));
    on.replace.addEventListener("click", () => {
      Object.assign(item, { agreed: true, state: "waiting", said: "" });
      this.go();
    });
    return node;
  }

  update(node, item) {
    const on = hooks(node);
    const { state, sent, file } = item;
    const isSending = state === "sending";
    const share = Math.floor((100 * sent) / file.size);
    node.dataset.state = state;
    on.state.textContent = isSending ? sendingText({ sent, size: file.size, rate: item.said ? 0 : item.meter.rate }) : stateText[state](item);
    say(on.said, item.said);
    on.bar.hidden = !isSending;
    on.bar.setAttribute("aria-valuenow", String(share));
    on.bar.style.setProperty("--share", `${share}%`);
    on.cancel.hidden = UPLOAD_ENDED.has(state);
    on["cancel-word"].textContent = state === "confirm" ? "Keep the old one" : "Cancel";
    on.retry.hidden = state !== "failed" && state !== "cancelled";
    on.replace.hidden = state !== "confirm";
    on.title.hidden = state !== "done" || item.kind !== "film";
    if (item.ticket) on.title.href = titleAddress(item.ticket.title_id);
  }
}

export const bindUploads = (root, onArrived) => new Uploads(root, onArrived);
