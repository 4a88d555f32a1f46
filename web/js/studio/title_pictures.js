/**
 * The dialog with the pictures of a title. A chosen file, or a frame of the film, is uploaded beside the film, under the
 * name that the catalogue reads. The picture therefore stays when the description is fetched again.
 */
import { hook, hooks, picture, say } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { authorized } from "../account/session.js";
import { markOf, PutError, sendFile, Unreadable } from "./upload.js";
import { committed, put, stored, waitOnline } from "./put.js";
import { FilmFrames } from "./title_frames.js";
import { t } from "../texts.js";

/** @import { Title } from "../types.js" */

const FETCH_MS = 60_000;
const LARGEST = 20 * 2 ** 20;
const ENDINGS = new Map([["image/jpeg", "jpg"], ["image/png", "png"], ["image/webp", "webp"]]);

/**
 * Return the name under which a picture of a film is uploaded: "film.jpg", "film.backdrop.png"; null for other files.
 * @param {string} stem
 * @param {string} slot
 * @param {string} type the media type of the file
 */
export function uploadName(stem, slot, type) {
  const ending = ENDINGS.get(type);
  return ending ? `${stem}${slot === "backdrop" ? ".backdrop" : ""}.${ending}` : null;
}

export class PicturesDialog {
  /** The titles whose pictures are being saved, by their ids. @type {Set<string>} */
  #saving = new Set();

  /**
   * `again(title)` returns the title with its new pictures, once the catalogue has made them. `isShown` is whether the
   * dialog shows the title that has changed; `onFailed(text)` is called if it does not.
   * @param {HTMLElement} root
   * @param {{
   *   again: (title: Title) => Promise<Title>,
   *   onChanged: (title: Title, isShown: boolean) => void,
   *   onFailed: (text: string) => void,
   * }} how
   */
  constructor(root, { again, onChanged, onFailed }) {
    this.at = hooks(root);
    this.again = again;
    this.onChanged = onChanged;
    this.onFailed = onFailed;
    /** @type {Title | null} */
    this.title = null;
    this.frames = new FilmFrames(root, { use: (title, slot, file) => this.work(title, (now) => this.upload(now, slot, file)) });
    this.at["pictures-close"].addEventListener("click", () => this.at["pictures-dialog"].close());
    this.at["pictures-dialog"].addEventListener("close", () => this.frames.end());
    /** @type {[string, Record<string, any>][]} */
    this.slots = [.../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-slot]"))].map((node) => [node.dataset.slot ?? "", hooks(node)]);
    for (const [slot, on] of this.slots) {
      on.file.addEventListener("change", () => {
        const [file] = on.file.files;
        on.file.value = "";
        if (file) this.work(this.title, (title) => this.upload(title, slot, file));
      });
    }
    hook(root, "omdb").addEventListener("click", () => this.work(this.title, (title) => authorized(`titles/${encodeURIComponent(title.id)}/omdb-poster`, { method: "POST", signal: AbortSignal.timeout(FETCH_MS) })));
  }

  /** @param {Title} title */
  open(title) {
    this.show(title);
    this.tell(this.#saving.has(title.id) ? t("limit.saving") : "", "note");
    this.at["pictures-title"].textContent = t("pictures.of", { name: title.name });
    this.frames.begin(title);
    this.at["pictures-dialog"].showModal();
  }

  /** @param {Title} title */
  show(title) {
    this.title = title;
    this.write();
    for (const [slot, on] of this.slots) picture(on.picture, title.artwork?.[/** @type {"poster" | "backdrop"} */ (slot)]);
  }

  /** Show whether the pictures of the title in the dialog are being saved. */
  write() {
    this.at["pictures-dialog"].setAttribute("aria-busy", String(this.#saving.has(this.title?.id ?? "")));
  }

  /**
   * Return whether the owner sees a title in the dialog.
   * @param {Title} title
   */
  isShown({ id }) {
    return this.title?.id === id && this.at["pictures-dialog"].open;
  }

  /** @param {string} text */
  tell(text, kind = "problem") {
    this.at["pictures-said"].dataset.kind = kind;
    say(this.at["pictures-said"], text);
  }

  /**
   * Change a title by `change`, which returns it with its new pictures. The owner may open the dialog of another title
   * meanwhile; that one stays as it is.
   * @param {Title | null} of
   * @param {(title: Title) => Promise<Title>} change
   */
  async work(of, change) {
    if (!of) return;
    if (this.#saving.has(of.id)) {
      this.tell(t("pictures.still_being_saved", { name: of.name }), "note");
      return;
    }
    this.#saving.add(of.id);
    this.write();
    if (this.isShown(of)) this.tell(t("limit.saving"), "note");
    try {
      const changed = await change(this.title?.id === of.id ? this.title : of);
      const isShown = this.isShown(changed);
      this.onChanged(changed, isShown);
      if (!isShown) return;
      this.show(changed);
      this.tell(t("pictures.saved_site_shows_picture"), "note");
    } catch (error) {
      if (!(error instanceof RequestError || error instanceof PutError || error instanceof Unreadable)) throw error;
      if (this.isShown(of)) this.tell(error.message);
      else this.onFailed(t("pictures.failure_of", { name: of.name, reason: error.message }));
    } finally {
      this.#saving.delete(of.id);
      this.write();
    }
  }

  /**
   * @param {Title} title
   * @param {string} slot
   * @param {File} file
   */
  async upload(title, slot, file) {
    const name = uploadName(title.stem ?? "", slot, file.type);
    if (!name) throw new RequestError(0, "malformed", t("pictures.choose_jpeg_png_or"));
    if (file.size > LARGEST) throw new RequestError(0, "malformed", t("pictures.choose_picture_at_most"));
    const ticket = async () => (await persist(() => authorized("uploads", { method: "POST", body: { name, size: file.size, replace: true } }))).upload_url;
    const onTrouble = (/** @type {PutError | null} */ error) => { if (this.isShown(title)) this.tell(error ? `${error.message} ${t("uploads.continues")}` : t("limit.saving"), "note"); };
    const { signal } = new AbortController(); // never aborted: a slow upload takes its time, and `put` notices silence
    await sendFile(file, { put, stored, committed, ticket, signal, onTrouble, mark: await markOf(file), wait: waitOnline });
    return this.again(title);
  }
}
