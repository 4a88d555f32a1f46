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
    /** @type {OwnerPage | null} */
    this.page = null;
    const { at } = this;
    this.input = /** @type {HTMLTextAreaElement} */ (at.form.elements.namedItem("markdown"));
    this.form = bindForm(at.form, {
      busy: t("pages.publishing"),
      check: ({ markdown }) => faultsOf({ markdown: textFault(markdown) }),
      send: async ({ markdown }) => {
        this.show(await authorized(`pages/${this.name}`, { method: "PUT", body: { markdown, version: this.page?.version ?? null } }));
        this.form.tell(t("pages.published"), "note");
      },
    });
    at.outline.addEventListener("click", () => {
      this.input.value = OUTLINES[this.name];
      this.input.focus();
    });
    at.remove.addEventListener("click", () => this.remove());
  }

  /** @param {OwnerPage} page */
  show(page) {
    const { at, input, page: before } = this;
    const isPublished = page.version !== null;
    if (!before || input.value === before.markdown) input.value = page.markdown; // what is being typed stays
    this.page = page;
    at.state.textContent = isPublished ? t("pages.is_published") : t("pages.not_written_yet");
    this.node.dataset.kind = isPublished ? "good" : "";
    at.changed.textContent = page.updated_at ? moment(page.updated_at, new Date()) : "";
    at.open.hidden = !isPublished;
    at.remove.hidden = !isPublished;
    at.outline.hidden = isPublished;
  }

  async remove() {
    const { form, input, name } = this;
    form.clear();
    try {
      await authorized(`pages/${name}`, { method: "DELETE" });
      const text = input.value;
      this.show({ name, markdown: "", updated_at: null, version: null });
      input.value = text; // so that it can be published again
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
