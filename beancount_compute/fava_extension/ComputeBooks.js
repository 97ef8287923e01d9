// The pages of the compute books. All that counts is worked out by the extension: this script puts
// blocks of plain data into the page, as text and never as markup, and keeps the address.

const byId = (id) => document.getElementById(id);
const parameters = () => Object.fromEntries(new URLSearchParams(window.location.search));

/** An element with attributes and children; a text becomes a text node. */
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** The address of this page with some parameters changed; an empty one goes. */
function addressWith(changes) {
  const url = new URL(window.location.href);
  url.hash = "";
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url;
}

let api; // Fava's helper for requests
let asked = 0; // requests so far: an answer to an older one is dropped

function go(changes, { replace = false } = {}) {
  const url = addressWith(changes);
  if (replace) window.history.replaceState(null, "", url);
  else window.history.pushState(null, "", url);
  show();
}

/** A link within these pages: it can be opened in a tab, and a click does not load Fava anew. */
function link(text, changes, attributes) {
  const onclick = (event) => {
    if (event.button || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(changes);
  };
  return el("a", { href: addressWith(changes).href, ...attributes, onclick }, text);
}

// --- cells and tables

const textOf = (cell) => {
  if (Array.isArray(cell)) return cell[0];
  return typeof cell === "object" ? textOf(cell.text) : cell;
};
const exactOf = (cell) => {
  if (Array.isArray(cell)) return cell[1];
  return typeof cell === "object" ? exactOf(cell.text) : cell;
};

const kindOf = (column) => (column.figure ? "num" : column.date ? "date" : undefined);

function cellContent(cell) {
  if (typeof cell !== "object" || Array.isArray(cell)) return textOf(cell);
  if (cell.go) return link(textOf(cell.text), cell.go);
  if (cell.href) return el("a", { href: cell.href, title: cell.title }, textOf(cell.text) || "show");
  return el("span", { class: cell.tone, title: cell.said, "aria-label": cell.said, role: "img" }, textOf(cell.text));
}

function cellElement(cell, column, first, heat) {
  const attributes = { class: kindOf(column) };
  if (column.figure && exactOf(cell) !== "") attributes["data-value"] = exactOf(cell);
  if (Array.isArray(cell)) attributes.title = cell[1];
  if (first) attributes.scope = "row";
  const element = el(first ? "th" : "td", attributes, cellContent(cell));
  if (heat) {
    element.classList.add("heat");
    element.style.setProperty("--heat", heat);
  }
  return element;
}

function headerCell(column, at, block, sortHere) {
  const attributes = { scope: "col", class: kindOf(column) };
  if (!column.title) return el("th", attributes);
  if (block.sort) {
    const current = block.sort.key === column.key;
    const falling = current ? block.sort.order === "asc" : Boolean(column.figure);
    if (current) attributes["aria-sort"] = block.sort.order === "asc" ? "ascending" : "descending";
    const changes = { sort: column.key, order: falling ? "desc" : "asc", page: "" };
    return el("th", attributes, link(column.title, changes, { id: `sort-${column.key}` }));
  }
  if (block.pages > 1 || column.fixed) return el("th", attributes, column.title);
  return el("th", attributes, el("button", { type: "button", onclick: () => sortHere(at) }, column.title));
}

function compared(one, other, figure) {
  const [left, right] = [exactOf(one), exactOf(other)];
  if (left === "" || right === "") return Number(left === "") - Number(right === "");
  return figure ? Number(left) - Number(right) : left < right ? -1 : Number(left > right);
}

function table(block) {
  const body = el("tbody");
  const head = el("tr");
  const fill = (order) => {
    body.replaceChildren(
      ...order.map((at) =>
        el(
          "tr",
          {},
          ...block.rows[at].map((cell, place) => {
            const hot = block.heat?.columns.indexOf(place) ?? -1;
            return cellElement(cell, block.columns[place], place === 0, hot < 0 ? 0 : block.heat.strength[at][hot]);
          }),
        ),
      ),
    );
  };
  const order = block.rows.map((_, at) => at);
  const sortHere = (at) => {
    const header = head.children[at];
    const rising = header.getAttribute("aria-sort") !== "ascending";
    for (const each of head.children) each.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const { figure } = block.columns[at];
    const sign = rising ? 1 : -1;
    fill([...order].sort((a, b) => sign * compared(block.rows[a][at], block.rows[b][at], figure)));
  };
  head.append(...block.columns.map((column, at) => headerCell(column, at, block, sortHere)));
  fill(order);
  const whole = el("table", {}, el("caption", {}, block.title), el("thead", {}, head), body);
  const scroll = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": block.title }, whole);
  return [block.rows.length ? scroll : el("p", { class: "said" }, "none"), ...paging(block)];
}

function paging(block) {
  if (block.page === undefined) return [];
  const { page, pages, found } = block;
  const count = `${found.toLocaleString("en").replaceAll(",", "\u202f")} rows, page ${page} of ${pages}`;
  const row = el("div", { class: "pages", role: "navigation", "aria-label": `Pages of ${block.title}` }, el("span", {}, count));
  const steps = [["First", 1], ["Previous", page - 1], ["Next", page + 1], ["Last", pages]];
  for (const [text, to] of steps) {
    if (to >= 1 && to <= pages && to !== page) {
      row.append(link(text, { page: to === 1 ? "" : String(to) }, { id: `${text}-${block.name}` }));
    }
  }
  return [row];
}

// --- the other blocks

const HOLD = 250; // milliseconds without a key before a search is sent

function control(item) {
  const id = `compute-${item.name}`;
  if (item.kind === "choice") {
    const onchange = (event) => go({ [item.name]: event.target.value, page: "" });
    const options = item.options.map(([value, text]) => el("option", { value, selected: value === item.value }, text));
    return el("label", { for: id }, item.label, el("select", { id, onchange }, ...options));
  }
  let timer;
  const send = (value, replace) => {
    window.clearTimeout(timer);
    go({ [item.name]: value, page: "" }, { replace });
  };
  const attributes = { id, type: item.live ? "search" : "text", value: item.value, placeholder: item.hint, title: item.hint };
  if (item.live) {
    attributes.oninput = (event) => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => send(event.target.value, true), HOLD);
    };
  } else attributes.onchange = (event) => send(event.target.value, false);
  return el("label", { for: id }, item.label, el("input", attributes));
}

function figureItem(item) {
  const exact = exactOf(item.value);
  const value = el("span", { class: "value", "data-value": exact, title: exact }, textOf(item.value));
  const unit = el("span", { class: "unit" }, ` ${item.unit}`);
  const remark = item.note ? el("span", { class: "remark" }, item.note) : null;
  return el("div", {}, el("dt", {}, item.label), el("dd", {}, value, unit, remark));
}

function copyBlock(block) {
  const code = el("pre", {}, block.text);
  const onclick = async () => {
    try {
      await navigator.clipboard.writeText(block.text);
      say("Copied");
    } catch {
      window.getSelection().selectAllChildren(code); // no clipboard: it is selected, to be copied
      say("Selected");
    }
  };
  const button = el("button", { type: "button", onclick, "aria-label": `Copy: ${block.label}` }, "Copy");
  return el("div", { class: "copy" }, el("b", {}, block.label), code, button);
}

function chart(block) {
  const withPictures = Boolean(block.figure && byId("compute-books").dataset.plotly);
  const label = `${block.title}. ${block.said} The figures are in the table below.`;
  const picture = el("div", { class: "picture", role: "img", "aria-label": label });
  if (withPictures) pictures.push([picture, block.figure]);
  const caption = el("figcaption", {}, el("h3", {}, block.title), el("p", { class: "said" }, block.said));
  const summary = el("summary", {}, `Table: ${block.title}`);
  const details = el("details", { open: !withPictures }, summary, ...table(block.table));
  return [el("figure", { "data-chart": block.name }, caption, withPictures ? picture : null, details)];
}

function later(block) {
  const place = el("div", { "aria-busy": "true" }, el("p", { class: "said" }, block.said));
  const mine = asked;
  api.get(block.endpoint, parameters()).then((answer) => {
    if (mine !== asked) return;
    place.removeAttribute("aria-busy");
    place.replaceChildren(...(answer.blocks ?? [{ kind: "words", text: answer.error, tone: "bad" }]).flatMap(rendered));
  });
  return [place];
}

const KINDS = {
  table: (block) => [el("h3", {}, block.title), ...table(block)],
  chart,
  later,
  copy: (block) => [copyBlock(block)],
  link: (block) => [el("p", {}, "\u2190 ", link(block.text, block.go))],
  controls: (block) => [el("div", { class: "controls" }, ...block.items.map(control))],
  figures: (block) => [el("h3", {}, block.title), el("dl", { class: "figures" }, ...block.items.map(figureItem))],
  words: (block) => [el("p", { class: block.tone }, block.text, " ", block.go ? link(block.link, block.go) : null)],
};
const rendered = (block) => KINDS[block.kind](block);

// --- pictures

let pictures = []; // of the page that is shown: where, and what
let library;

function plotly() {
  library ??= new Promise((resolve, reject) => {
    const { plotly: version } = byId("compute-books").dataset;
    const path = `${window.location.pathname.replace(/\/?$/, "/")}plotly.js?v=${encodeURIComponent(version)}`;
    document.head.append(el("script", { src: path, onload: () => resolve(window.Plotly), onerror: reject }));
  });
  return library;
}

function dressed(layout) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const lines = { gridcolor: colour("--border-lighter"), linecolor: colour("--border"), zerolinecolor: colour("--chart-line-at-zero") };
  const font = { family: colour("--font-family"), size: window.innerWidth < 768 ? 11 : 12, color: colour("--text-color") };
  const legend = { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" };
  const separators = byId("compute-books").dataset.separators;
  const own = { ...layout, font, legend, separators, margin: { l: 8, r: 8, t: 24, b: 8 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
  for (const axis of ["xaxis", "yaxis", "yaxis2"]) if (layout[axis]) own[axis] = { ...lines, ...layout[axis] };
  own.hoverlabel = { bgcolor: colour("--background"), bordercolor: colour("--border"), font: { color: colour("--text-color") } };
  return own;
}

async function draw() {
  if (!pictures.length) return;
  const [library, shown] = [await plotly(), pictures];
  for (const [place, { data, layout }] of shown) {
    if (place.isConnected) await library.react(place, data, dressed(layout), { displayModeBar: false, responsive: true });
  }
}

// --- the page

const say = (text) => {
  byId("compute-status").textContent = text;
};

function remembered() {
  const active = document.activeElement;
  return active?.id && byId("compute-view")?.contains(active) ? active : null;
}

/** Put the focus back where it was, with what was typed meanwhile. */
function refocus(before) {
  const again = before && byId(before.id);
  if (!again) return;
  again.focus();
  if (before instanceof HTMLInputElement) {
    again.value = before.value;
    again.setSelectionRange(before.selectionStart, before.selectionEnd);
  }
}

function tabs(view) {
  for (const each of document.querySelectorAll("#compute-books nav a")) {
    const current = each.dataset.view === view;
    each.toggleAttribute("aria-current", current);
    if (current) {
      each.setAttribute("aria-current", "page");
      byId("compute-title").textContent = each.textContent;
    }
    // A view of its own: what another one was asked for stays behind.
    const other = { view: each.dataset.view, page: "", sort: "", order: "", q: "", subscriber: "" };
    each.href = addressWith(other).href;
    each.onclick = (event) => {
      if (event.button || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(other);
    };
  }
}

async function show() {
  const root = byId("compute-books");
  const mine = (asked += 1);
  const wanted = parameters();
  root.dataset.state = "asked";
  tabs(wanted.view || "overview");
  byId("compute-view").setAttribute("aria-busy", "true");
  if (root.dataset.plotly) plotly().catch(() => {}); // fetched beside the figures; draw() tells
  let answer;
  try {
    answer = await api.get("data", wanted);
  } catch (error) {
    answer = { error: `The figures could not be loaded: ${error.message}` };
  }
  if (mine !== asked || !root.isConnected) return;
  performance.mark("compute-data");
  const blocks = answer.error ? [{ kind: "words", text: answer.error, tone: "bad" }] : answer.blocks;
  const before = remembered();
  pictures = [];
  const content = [...(answer.notes ?? []).map((note) => el("p", { class: "note" }, note)), ...blocks.flatMap(rendered)];
  if (!root.dataset.plotly && blocks.some((block) => block.figure)) {
    content.push(el("p", { class: "note" }, `For the pictures: ${root.dataset.pictures}`));
  }
  byId("compute-view").replaceChildren(...content);
  byId("compute-view").removeAttribute("aria-busy");
  refocus(before);
  say(answer.error ? "" : `${byId("compute-title").textContent} loaded`);
  try {
    await draw();
  } catch (error) {
    say("The pictures could not be drawn; the tables hold the same figures.");
  }
  if (mine !== asked) return;
  performance.mark("compute-drawn");
  root.dataset.state = "drawn";
}

window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (byId("compute-books")) draw();
});

export default {
  onExtensionPageLoad(context) {
    api = context.api;
    show();
  },
};
