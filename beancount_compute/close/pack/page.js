"use strict";
// Draws the page's figures in the page's own colours, again when these change or it is printed.
(() => {
  const PAPER = 660; // pixels of a picture on A4 or Letter
  const figures = [...document.querySelectorAll("script[data-figure]")].map((script) => ({
    ...JSON.parse(script.textContent),
    at: document.querySelector(`[data-chart="${script.dataset.figure}"]`),
  }));
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let printing = false;
  const narrow = () => window.innerWidth < 600;

  const dressed = (layout) => {
    const grid = { gridcolor: colour("--grid"), linecolor: colour("--line"), zerolinecolor: colour("--line") };
    const own = { ...layout, font: { family: "system-ui, sans-serif", size: narrow() ? 11 : 12, color: colour("--text") } };
    for (const axis of ["xaxis", "yaxis", "yaxis2"]) {
      if (layout[axis]) own[axis] = { ...grid, ...layout[axis] };
    }
    if (printing) own.width = PAPER;
    own.hoverlabel = { bgcolor: colour("--back"), bordercolor: colour("--line"), font: { color: colour("--text") } };
    return own;
  };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  // A heat map's weakest colour is that of the page; where it is narrow no text fits its cells.
  const fitted = (trace) => {
    if (trace.type !== "heatmap") return trace;
    const colours = dark.matches && !printing ? { colorscale: [[0, "#222d39"], [1, "#3a76b3"]], textfont: { color: "#fff" } } : {};
    return { ...trace, ...colours, ...(narrow() ? { texttemplate: "" } : {}) };
  };
  const draw = () => {
    for (const { at, data, layout } of figures) {
      Plotly.react(at, data.map(fitted), dressed(layout), { displayModeBar: false, responsive: true });
    }
  };
  const onPaper = (paper) => {
    printing = paper;
    document.documentElement.classList.toggle("paper", paper);
    draw();
  };
  draw();
  dark.addEventListener("change", draw);
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const each of opened) each.open = true;
    onPaper(true);
  });
  window.addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
    onPaper(false);
  });
})();
