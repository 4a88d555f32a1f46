/** The pages whose texts the owner writes: terms, privacy, imprint, help and contact. */
import { hooks } from "../dom.js";
import { RequestError } from "../net.js";
import { bindForm } from "../account/form.js";
import { faultsOf } from "../account/rules.js";
import { authorized } from "../account/session.js";
import { moment } from "../account/words.js";
import { bindParts } from "./loading.js";
import { OUTLINES, textFault } from "./outlines.js";
import { t } from "../texts.js";

/** @import { OwnerPage } from "../types.js" */

/** A page in the Studio: its state, and the form that publishes its text. */
class PageEditor {
  /** @param {HTMLElement} node */
  constructor(node) {
    this.node = node;
    this.name = node.dataset.page ?? "";
    this.at = hooks(node);
    /** The stored page on which the text in the form is based. @type {OwnerPage | null} */
    this.base = null;
    const { at } = this;
    this.input = /** @type {HTMLTextAreaElement} */ (at.form.elements.namedItem("markdown"));
    this.form = bindForm(at.form, {
      busy: t("pages.publishing"),
      check: ({ markdown }) => faultsOf({ markdown: textFault(markdown) }),
      send: async ({ markdown }) => {
        const page = await authorized(`pages/${this.name}`, { method: "PUT", body: { markdown, version: this.base?.version ?? null } });
        if (this.input.value === markdown) this.input.value = page.markdown; // otherwise more has been typed
        this.base = page;
        this.write(page);
        this.form.tell(t("pages.published"), "note");
      },
    });
    at.outline.addEventListener("click", () => {
      this.input.value = OUTLINES[this.name];
      this.input.focus();
    });
    at.remove.addEventListener("click", () => this.remove());
  }

  /**
   * Show the stored page. What is being typed stays, and remains based on the text that its owner has seen, so that the
   * API refuses to replace the text of somebody else.
   * @param {OwnerPage} page
   */
  show(page) {
    const { input, base, form } = this;
    if (!base || [base.markdown, page.markdown].includes(input.value)) {
      input.value = page.markdown;
      this.base = page;
    } else if (page.version !== base.version) form.tell(t("pages.changed_elsewhere"));
    this.write(page);
  }

  /**
   * Write what is known about the stored page.
   * @param {OwnerPage} page
   */
  write(page) {
    const { at } = this;
    const isPublished = page.version !== null;
    at.state.textContent = isPublished ? t("pages.is_published") : t("pages.not_written_yet");
    this.node.dataset.kind = isPublished ? "good" : "";
    at.changed.textContent = page.updated_at ? moment(page.updated_at, new Date()) : "";
    at.open.hidden = !isPublished;
    at.remove.hidden = !isPublished;
    at.outline.hidden = isPublished;
  }

  async remove() {
    const { form, name } = this;
    form.clear();
    try {
      const version = this.base?.version;
      await authorized(`pages/${name}${version ? `?version=${encodeURIComponent(version)}` : ""}`, { method: "DELETE" });
      this.base = { name, markdown: "", updated_at: null, version: null }; // its text stays, and can be published again
      this.write(this.base);
      form.tell(t("pages.removed_from_site_text"), "note");
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      form.tell(error.message);
    }
  }
}

/** @param {HTMLElement} root */
export function bindPages(root) {
  const editors = [.../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-page]"))].map((node) => new PageEditor(node));
  return bindParts(root, "pages", (/** @type {{ pages: OwnerPage[] }} */ { pages }) => {
    for (const editor of editors) {
      const page = pages.find(({ name }) => name === editor.name);
      if (page) editor.show(page);
    }
  });
}
