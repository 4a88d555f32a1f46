/**
 * The dialog with the pictures of a title. A chosen file, or a frame of the film, is uploaded beside the film, under the
 * name that the catalogue reads. The picture therefore stays when the description is fetched again.
 */
import { hook, hooks, picture, say } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { authorized } from "../account/session.js";
import { markOf, PutError, sendFile, Unreadable } from "./upload.js";
import { put, stored, waitOnline } from "./put.js";
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
  /**
   * `again(title)` returns the title with its new pictures, once the catalogue has made them.
   * @param {HTMLElement} root
   * @param {{ again: (title: Title) => Promise<Title>, onChanged: (title: Title) => void }} how
   */
  constructor(root, { again, onChanged }) {
    this.at = hooks(root);
    this.again = again;
    this.onChanged = onChanged;
    /** @type {Title | null} */
    this.title = null;
    this.frames = new FilmFrames(root, { use: (slot, file) => this.work((title) => this.upload(title, slot, file)) });
    this.at["pictures-close"].addEventListener("click", () => this.at["pictures-dialog"].close());
    this.at["pictures-dialog"].addEventListener("close", () => this.frames.end());
    /** @type {[string, Record<string, any>][]} */
    this.slots = [.../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-slot]"))].map((node) => [node.dataset.slot ?? "", hooks(node)]);
    for (const [slot, on] of this.slots) {
      on.file.addEventListener("change", () => {
        const [file] = on.file.files;
        on.file.value = "";
        if (file) this.work((title) => this.upload(title, slot, file));
      });
    }
    hook(root, "omdb").addEventListener("click", () => this.work((title) => authorized(`titles/${encodeURIComponent(title.id)}/omdb-poster`, { method: "POST", signal: AbortSignal.timeout(FETCH_MS) })));
  }

  /** @param {Title} title */
  open(title) {
    this.tell("");
    this.show(title);
    this.frames.begin(title);
    this.at["pictures-dialog"].showModal();
  }

  /** @param {Title} title */
  show(title) {
    this.title = title;
    for (const [slot, on] of this.slots) picture(on.picture, title.artwork?.[/** @type {"poster" | "backdrop"} */ (slot)]);
  }

  /** @param {string} text */
  tell(text, kind = "problem") {
    this.at["pictures-said"].dataset.kind = kind;
    say(this.at["pictures-said"], text);
  }

  /**
   * Change the title by `change`, which returns it with its new pictures.
   * @param {(title: Title) => Promise<Title>} change
   */
  async work(change) {
    const { title } = this;
    if (!title || this.at["pictures-dialog"].getAttribute("aria-busy") === "true") return;
    this.at["pictures-dialog"].setAttribute("aria-busy", "true");
    this.tell(t("limit.saving"), "note");
    try {
      const changed = await change(title);
      this.onChanged(changed);
      this.show(changed);
      this.tell(t("pictures.saved_site_shows_picture"), "note");
    } catch (error) {
      if (!(error instanceof RequestError || error instanceof PutError || error instanceof Unreadable)) throw error;
      this.tell(error.message);
    } finally {
      this.at["pictures-dialog"].removeAttribute("aria-busy");
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
    await sendFile(file, { put, stored, ticket, signal: AbortSignal.timeout(FETCH_MS), mark: await markOf(file), wait: waitOnline });
    return this.again(title);
  }
}
