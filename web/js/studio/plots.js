/**
 * Plots with uPlot, each with a table of the same values. uPlot draws on a canvas, so screen readers read the table.
 */
import { hook, hooks, piece } from "../dom.js";
import { describe, isEmpty, longDay, shortDay } from "./figures.js";
import { t } from "../texts.js";

/** @import { PlotData } from "../types.js" */

const COLOURS = ["#7aa7ff", "#ff8d84"];
const INK = "#b9b9c4";
const LINE = "rgb(255 255 255 / 9%)";
const FONT = '12px "Inter Variable", system-ui, sans-serif';
const Y_AXIS_PX = 58;

/** @type {Promise<any> | null} */
let loading = null;

/**
 * Return uPlot, loaded once; null without a connection, when the tables are shown instead.
 * @param {string} address
 * @returns {Promise<any>}
 */
export function loadPlots(address) {
  loading ??= import(address).then(
    (library) => library.default,
    () => {
      loading = null; // so that the next attempt loads it again
      return null;
    },
  );
  return loading;
}

/**
 * Return the values of each drawn series; a stacked plot draws the sum of all series first, then the lowest series over
 * it.
 * @param {Pick<PlotData, "kind" | "series" | "scale">} plot
 * @returns {(number | null)[][]}
 */
export function drawnValues({ kind, series, scale = 1 }) {
  const scaled = series.map(({ values }) => values.map((value) => (value === null ? null : value / scale)));
  if (kind !== "stacked") return scaled;
  return [scaled[0].map((_, index) => scaled.reduce((sum, values) => sum + (values[index] ?? 0), 0)), scaled[0]];
}

/**
 * Return the colour of each drawn series.
 * @param {Pick<PlotData, "kind" | "series">} plot
 */
export const coloursOf = ({ kind, series }) => (kind === "stacked" ? [COLOURS[1], COLOURS[0]] : COLOURS.slice(0, series.length));

/**
 * Return the options of uPlot for a plot; the horizontal position is the index of the day.
 * @param {any} Plot
 * @param {PlotData} plot
 * @param {{ width: number, height: number, read: (index: number | null) => void }} how
 */
function optionsOf(Plot, plot, { width, height, read }) {
  const { kind, at, format, scale = 1, limit } = plot;
  const bars = (/** @type {number} */ align) => Plot.paths.bars({ size: [kind === "pairs" ? 0.38 : 0.72, 30], align, gap: 0 });
  const alignOf = (/** @type {number} */ index) => (kind === "pairs" ? (index ? 1 : -1) : 0);
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: kind === "line" } },
    scales: {
      x: { time: false, range: [-0.6, at.length - 0.4] },
      y: { range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ max) => [0, Math.max(max, limit ? limit.value / scale : 0, 1e-9) * 1.12] },
    },
    axes: [
      { stroke: INK, font: FONT, size: 30, grid: { show: false }, ticks: { show: false }, space: 46, incrs: [1, 2, 3, 5, 7, 14, 15, 30], values: (/** @type {any} */ _, /** @type {number[]} */ splits) => splits.map((index) => (at[index] ? shortDay(at[index]) : "")) },
      { stroke: INK, font: FONT, size: Y_AXIS_PX, grid: { stroke: LINE, width: 1 }, ticks: { show: false }, space: 40, values: (/** @type {any} */ _, /** @type {number[]} */ splits) => splits.map((value) => (Number.isInteger(value) || scale !== 1 || kind === "line" ? format(value * scale).replace(/ hours?$/, " h") : "")) },
    ],
    series: [
      {},
      ...coloursOf(plot).map((colour, index) => ({
        stroke: colour,
        width: kind === "line" ? 2 : 0,
        fill: kind === "line" ? "rgb(122 167 255 / 14%)" : colour,
        spanGaps: true,
        points: { show: kind === "line" && at.length <= 31, size: 5, fill: colour },
        ...(kind === "line" ? {} : { paths: bars(alignOf(index)) }),
      })),
    ],
    hooks: {
      setCursor: [(/** @type {any} */ drawn) => read(drawn.cursor.idx ?? null)],
      draw: limit ? [(/** @type {any} */ drawn) => drawLimit(drawn, limit.value / scale)] : [],
    },
  };
}

/**
 * Draw a dashed line at a value.
 * @param {any} drawn
 * @param {number} value
 */
function drawLimit(drawn, value) {
  const { ctx, bbox } = drawn;
  const y = drawn.valToPos(value, "y", true);
  ctx.save();
  ctx.strokeStyle = COLOURS[1];
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

/** A plot on the page. */
export class PlotView {
  constructor() {
    this.node = piece("plot");
    this.at = hooks(this.node);
    /** @type {any} */
    this.drawn = null;
    /** @type {PlotData | null} */
    this.plot = null;
    new ResizeObserver(() => { if (this.at.area.clientWidth) this.drawn?.setSize(this.size()); }).observe(this.at.area);
  }

  size() {
    return { width: this.at.area.clientWidth, height: this.at.area.clientHeight };
  }

  /**
   * @param {PlotData} plot
   * @param {any} Plot
   */
  show(plot, Plot) {
    const { at } = this;
    const isNew = this.plot?.id !== plot.id;
    this.plot = plot;
    at.heading.textContent = plot.heading;
    at.summary.textContent = ` ${plot.heading}`;
    at.region.setAttribute("aria-label", t("plots.table_of", { heading: plot.heading }));
    const empty = isEmpty(plot);
    at.none.hidden = !empty;
    at.none.textContent = empty ? plot.empty : "";
    at.details.hidden = empty;
    at.area.hidden = empty || !Plot;
    at.area.setAttribute("aria-label", empty ? "" : describe(plot));
    if (!empty && !Plot && isNew) at.details.open = true;
    this.writeKey(empty ? null : plot);
    this.writeTable(plot);
    this.read(null);
    this.drawn?.destroy();
    this.drawn = null;
    if (empty || !Plot) return;
    const data = [plot.at.map((_, index) => index), ...drawnValues(plot)];
    this.drawn = new Plot(optionsOf(Plot, plot, { ...this.size(), read: (index) => this.read(index) }), data, at.area);
  }

  /** @param {number | null} index */
  read(index) {
    const { plot } = this;
    if (!plot) return;
    const place = index ?? plot.at.length - 1;
    const values = plot.series.map(({ label, values: given }) => (plot.series.length > 1 ? `${label}: ${plot.format(given[place])}` : plot.format(given[place])));
    this.at.read.textContent = isEmpty(plot) ? "" : `${shortDay(plot.at[place])}: ${values.join(", ")}`;
  }

  /** @param {PlotData | null} plot */
  writeKey(plot) {
    const entries = plot && plot.series.length > 1 ? plot.series.map(({ label }) => label) : plot?.limit ? [plot.series[0].label, plot.limit.label] : [];
    this.at.key.hidden = entries.length === 0;
    this.at.key.replaceChildren(
      ...entries.map((label, index) => {
        const entry = document.createElement("li");
        entry.textContent = label;
        entry.dataset.series = String(index);
        return entry;
      }),
    );
  }

  /** @param {PlotData} plot */
  writeTable({ at, series, format }) {
    const cell = (/** @type {string} */ tag, /** @type {string} */ text, scope = "") => {
      const made = document.createElement(tag);
      made.textContent = text;
      if (scope) made.setAttribute("scope", scope);
      return made;
    };
    hook(this.node, "columns").replaceChildren(cell("th", at[0]?.length === 7 ? t("plots.month") : t("plots.day"), "col"), ...series.map(({ label }) => cell("th", label, "col")));
    const rows = at.map((name, index) => {
      const row = document.createElement("tr");
      row.append(cell("th", longDay(name), "row"), ...series.map(({ values }) => cell("td", format(values[index]))));
      return row;
    });
    hook(this.node, "rows").replaceChildren(...rows.reverse());
  }
}
