// Draws the timelines of a report's page: lanes of slices over time, and the messages between ranks. uPlot has the
// axes and the zoom; slices are drawn in its hook.
//
// Runs in a browser, with `uPlot` from the script before it.
/* global document, uPlot, getComputedStyle, matchMedia, ResizeObserver */

const laneHeight = 18;
const axisHeight = 50;
const colorOf = { compute: "--c0", communication: "--c1", host: "--c2", idle: "--c3" };

for (const element of document.querySelectorAll(".timeline")) show(element);

function show(element) {
  const data = JSON.parse(element.querySelector("script").textContent);
  const lanes = element.querySelector(".lanes");
  const hover = element.querySelector(".hover");
  const state = { data, hover, picked: undefined };
  const plot = new uPlot(
    optionsOf(state, lanes.clientWidth),
    [
      [0, data.wall],
      [null, null],
    ],
    lanes,
  );
  element.plot = plot;
  new ResizeObserver(() => resize(plot, lanes)).observe(lanes);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw());
  plot.over.addEventListener("mousemove", (event) => pointAt(plot, state, event));
  for (const button of element.querySelectorAll("button")) {
    button.addEventListener("click", () => moves[button.dataset.do](plot, data.wall));
  }
  lanes.addEventListener("keydown", (event) => {
    const move = keys[event.key];
    if (move === undefined) return;
    event.preventDefault();
    if (typeof move === "number") pickNext(plot, state, move);
    else moves[move](plot, data.wall);
  });
}

const keys = {
  "+": "zoom in",
  "=": "zoom in",
  "-": "zoom out",
  ArrowLeft: "earlier",
  ArrowRight: "later",
  Escape: "all",
  n: 1,
  p: -1,
};

const moves = {
  "zoom in": (plot, wall) => zoom(plot, wall, 0.5, 0),
  "zoom out": (plot, wall) => zoom(plot, wall, 2, 0),
  earlier: (plot, wall) => zoom(plot, wall, 1, -0.25),
  later: (plot, wall) => zoom(plot, wall, 1, 0.25),
  all: (plot, wall) => plot.setScale("x", { min: 0, max: wall }),
};

function zoom(plot, wall, factor, shift) {
  const { min, max } = plot.scales.x;
  const width = Math.min(wall, Math.max(2, (max - min) * factor));
  const center = (min + max) / 2 + (max - min) * shift;
  const start = Math.min(Math.max(0, center - width / 2), wall - width);
  plot.setScale("x", { min: start, max: start + width });
}

function resize(plot, lanes) {
  if (lanes.clientWidth > 0) plot.setSize({ width: lanes.clientWidth, height: plot.height });
}

function optionsOf(state, width) {
  const { lanes } = state.data;
  const style = () => getComputedStyle(document.documentElement);
  const text = () => style().getPropertyValue("--text");
  const line = () => style().getPropertyValue("--line");
  return {
    width,
    height: lanes.length * laneHeight + axisHeight,
    legend: { show: false },
    cursor: { drag: { x: true, y: false }, points: { show: false }, y: false },
    scales: { x: { time: false }, y: { range: [0, lanes.length], dir: -1 } },
    series: [{}, { show: true }],
    axes: [
      {
        stroke: text,
        grid: { stroke: line, width: 1 },
        ticks: { stroke: line },
        values: (_, ticks) => ticks.map((us) => `${+(us / 1000).toFixed(3)} ms`),
        space: 90,
      },
      {
        stroke: text,
        size: width < 500 ? 100 : 120,
        grid: { show: false },
        ticks: { show: false },
        splits: () => lanes.map((_, lane) => lane + 0.5),
        filter: (_, splits) => splits,
        values: () => lanes.map(({ label }) => label),
      },
    ],
    hooks: { draw: [(plot) => draw(plot, state)] },
  };
}

function draw(plot, { data, picked }) {
  const { ctx, bbox } = plot;
  const style = getComputedStyle(document.documentElement);
  const xOf = (us) => plot.valToPos(us, "x", true);
  const yOf = (lane) => plot.valToPos(lane, "y", true);
  const { min, max } = plot.scales.x;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const [lane, slices] of data.slices.entries()) {
    ctx.fillStyle = style.getPropertyValue(colorOf[data.lanes[lane].kind]);
    const top = yOf(lane) + 2;
    const height = yOf(lane + 1) - top - 1;
    for (let at = 0; at < slices.length; at += 3) {
      if (slices[at + 1] < min || slices[at] > max) continue;
      const left = xOf(slices[at]);
      const isPicked = picked !== undefined && picked.lane === lane && picked.at === at;
      ctx.globalAlpha = data.lanes[lane].kind === "idle" ? 0.35 : 0.9;
      ctx.fillRect(left, top, Math.max(1, xOf(slices[at + 1]) - left - 0.5), height);
      if (isPicked) outline(ctx, style, [left, top, xOf(slices[at + 1]) - left, height]);
    }
  }
  ctx.globalAlpha = 0.6;
  ctx.strokeStyle = style.getPropertyValue("--text");
  ctx.lineWidth = 1;
  for (const [from, start, to, end] of data.flows) {
    if (end < min || start > max) continue;
    arrow(ctx, xOf(start), yOf(from + 0.5), xOf(end), yOf(to + 0.5));
  }
  ctx.restore();
}

function outline(ctx, style, [left, top, width, height]) {
  ctx.globalAlpha = 1;
  ctx.strokeStyle = style.getPropertyValue("--text");
  ctx.lineWidth = 2;
  ctx.strokeRect(left, top, Math.max(2, width), height);
}

function arrow(ctx, x1, y1, x2, y2) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  for (const side of [-0.4, 0.4]) {
    ctx.moveTo(x2, y2);
    ctx.lineTo(x2 - 7 * Math.cos(angle + side), y2 - 7 * Math.sin(angle + side));
  }
  ctx.stroke();
}

function pointAt(plot, state, event) {
  const box = plot.over.getBoundingClientRect();
  const us = plot.posToVal(event.clientX - box.left, "x");
  const lane = Math.floor(plot.posToVal(event.clientY - box.top, "y"));
  const at = sliceAt(
    state.data.slices[lane] ?? [],
    us,
    2 * (plot.posToVal(1, "x") - plot.posToVal(0, "x")),
  );
  if (at === undefined) return;
  pick(plot, state, { lane, at });
}

/** Of slices in order of time, the one around `us`, or one that ends or begins within `near` of it. */
function sliceAt(slices, us, near) {
  let low = 0;
  let high = slices.length / 3 - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (slices[3 * middle] <= us) low = middle;
    else high = middle - 1;
  }
  for (const at of [3 * low, 3 * low + 3]) {
    if (at < slices.length && slices[at] - near <= us && us <= slices[at + 1] + near) return at;
  }
  return undefined;
}

function pick(plot, state, picked) {
  const { lane, at } = picked;
  if (state.picked?.lane === lane && state.picked.at === at) return;
  state.picked = picked;
  const { lanes, slices, texts } = state.data;
  const [start, end, text] = slices[lane].slice(at, at + 3);
  const ms = (us) => `${+(us / 1000).toFixed(3)} ms`;
  state.hover.textContent = `rank ${lanes[lane].rank}, ${lanes[lane].kind}: ${texts[text]}; ${ms(end - start)} from ${ms(start)} on`;
  plot.redraw(false);
}

/** The next slice of the lane, then of the lanes below. */
function pickNext(plot, state, by) {
  const all = state.data.slices.flatMap((slices, lane) =>
    Array.from({ length: slices.length / 3 }, (_, i) => ({ lane, at: 3 * i })),
  );
  const { picked } = state;
  const now = all.findIndex(({ lane, at }) => lane === picked?.lane && at === picked.at);
  const next = all[(now + by + all.length) % all.length];
  if (next !== undefined) pick(plot, state, next);
}
