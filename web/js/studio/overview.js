/** The overview: the owner's figures in tiles, plots and tables. Each report is loaded and fails independently. */
import { hooks, piece, reconcile, say } from "../dom.js";
import { api, RequestError } from "../net.js";
import { fetchPatiently, loadInto } from "./loading.js";
import { loadPlots, PlotView } from "./plots.js";
import { businessPlots, businessTiles, encodingPlots, encodingTiles, loadedText, noticesOf, storeName, viewingPlots, viewingTiles } from "./figures.js";
import { t } from "../texts.js";

/** @import { BusinessReport, EncodingReport, Figure, HealthReport, Notice, PlotData, ViewingReport } from "../types.js" */

const HEALTH_MS = 15_000;

/** @type {Record<string, (report: any) => PlotData[]>} */
const PLOTS = { business: businessPlots, viewing: viewingPlots, encoding: encodingPlots };
/** @type {Record<string, (report: any) => Figure[]>} */
const TILES = { business: businessTiles, viewing: viewingTiles, encoding: encodingTiles };

/**
 * Return the state of the stores, even if one of them is down and the answer is therefore an error.
 * @returns {Promise<HealthReport>}
 */
async function askHealth() {
  try {
    const response = await fetch(api("health"), { signal: AbortSignal.timeout(HEALTH_MS) });
    return await response.json();
  } catch {
    throw new RequestError(0, "unreachable", t("figures.could_not_check_health"));
  }
}

class Overview {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.at = hooks(root);
    this.library = root.dataset.uplot ?? "";
    /** The parts of the page by the name of their report. @type {Map<string, Record<string, any>>} */
    this.parts = new Map([.../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-report]"))].map((node) => [node.dataset.report ?? "", hooks(node)]));
    /** @type {{ business?: BusinessReport, viewing?: ViewingReport, encoding?: EncodingReport, health?: HealthReport }} */
    this.reports = {};
    /** @type {Map<string, PlotView>} */
    this.views = new Map();
    this.turn = 0;
    this.at.days.addEventListener("change", () => this.look());
    for (const [name, at] of this.parts) at.retry.addEventListener("click", () => this.load(name, this.turn));
  }

  /** Fetch all reports now. */
  async look() {
    const turn = (this.turn += 1);
    await Promise.all([...this.parts.keys()].map((name) => this.load(name, turn)));
    if (turn !== this.turn) return;
    this.at.tiles.removeAttribute("aria-busy");
    const report = this.reports.viewing ?? this.reports.business ?? this.reports.encoding;
    if (report) this.at.loaded.textContent = loadedText(report, new Date());
  }

  /**
   * Fetch and show one report.
   * @param {string} name
   * @param {number} turn
   */
  async load(name, turn) {
    const at = /** @type {Record<string, any>} */ (this.parts.get(name));
    await loadInto(at, async () => {
      const asking = name === "health" ? askHealth() : fetchPatiently(`reports/${name}?days=${this.at.days.value}`);
      const [report, Plot] = await Promise.all([
        asking.catch((error) => { if (turn === this.turn) throw error; }), // another period was chosen meanwhile
        name === "health" ? null : loadPlots(this.library),
      ]);
      if (turn !== this.turn) return;
      this.reports = { ...this.reports, [name]: report };
      this.write();
      if (name === "health") this.writeStores(at, report);
      else this.writePlots(at, PLOTS[name](report), Plot);
    });
    (at.plots ?? at.stores).removeAttribute("aria-busy");
  }

  /** Show the tiles and notices of the reports that have arrived. */
  write() {
    const { reports, at } = this;
    const given = /** @type {Record<string, any>} */ (reports);
    const tiles = Object.keys(TILES).flatMap((name) => (given[name] ? TILES[name](given[name]) : []));
    reconcile(at.tiles, tiles, {
      key: ({ label }) => label,
      create: () => piece("tile"),
      update: (node, tile) => {
        const on = hooks(node);
        on.label.textContent = tile.label;
        on.value.textContent = tile.value;
        on.note.textContent = tile.note;
      },
    });
    reconcile(at.notices, noticesOf(reports, new Date()), {
      key: ({ text }) => text,
      create: () => piece("notice"),
      update: (node, /** @type {Notice} */ notice) => {
        const on = hooks(node);
        node.dataset.kind = notice.kind;
        on.text.textContent = notice.text;
        on.link.hidden = !notice.tab;
        on.link.textContent = notice.link;
        if (notice.tab) on.link.href = `#${notice.tab}`;
      },
    });
  }

  /**
   * @param {Record<string, any>} at
   * @param {PlotData[]} plots
   * @param {any} Plot
   */
  writePlots(at, plots, Plot) {
    const views = plots.map(({ id }) => {
      const view = this.views.get(id) ?? new PlotView();
      this.views.set(id, view);
      return view;
    });
    at.plots.replaceChildren(...views.map(({ node }) => node)); // before drawing, which needs the width
    views.forEach((view, index) => view.show(plots[index], Plot));
  }

  /**
   * @param {Record<string, any>} at
   * @param {HealthReport} report
   */
  writeStores(at, { stores }) {
    reconcile(at.stores, Object.entries(stores), {
      key: ([name]) => name,
      create: () => piece("store"),
      update: (node, [name, store]) => {
        const on = hooks(node);
        node.dataset.kind = store.up ? "good" : "bad";
        on.name.textContent = storeName(name);
        say(on.facts, store.up ? "" : (store.reason ?? ""));
        on.state.textContent = store.up ? t("figures.available") : t("common.not_available");
      },
    });
  }
}

/** @param {HTMLElement} root */
export const bindOverview = (root) => new Overview(root);
