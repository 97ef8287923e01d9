"use strict";
// Draws the page's figures in the page's own colours, again when these change or it is printed.
(() => {
  const figures = [...document.querySelectorAll("script[data-figure]")].map((script) => ({
    ...JSON.parse(script.textContent),
    at: document.querySelector(`[data-chart="${script.dataset.figure}"]`),
  }));
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const narrow = () => window.innerWidth < 600;

  const dressed = (layout) => {
    const grid = { gridcolor: colour("--grid"), linecolor: colour("--line"), zerolinecolor: colour("--line") };
    const own = { ...layout, font: { family: "system-ui, sans-serif", size: narrow() ? 11 : 12, color: colour("--text") } };
    for (const axis of ["xaxis", "yaxis", "yaxis2"]) {
      if (layout[axis]) own[axis] = { ...grid, ...layout[axis] };
    }
    own.hoverlabel = { bgcolor: colour("--back"), bordercolor: colour("--line"), font: { color: colour("--text") } };
    return own;
  };
  const draw = () => {
    for (const { at, data, layout } of figures) {
      Plotly.react(at, data, dressed(layout), { displayModeBar: false, responsive: true });
    }
  };
  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const each of opened) each.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });
})();
