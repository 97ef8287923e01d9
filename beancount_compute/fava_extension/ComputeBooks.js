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
let shown = 0; // views put into the page so far

/** What an endpoint answers; what fails is an answer too, with its reason. */
async function answerOf(endpoint, wanted) {
  try {
    const response = await api.request(endpoint, "GET", wanted, undefined, "raw");
    if (response.headers.get("content-type")?.startsWith("application/json")) return await response.json();
    throw new Error(`Fava answers with ${response.status}`);
  } catch (error) {
    const text = `The figures could not be loaded: ${error.message}`;
    return { error: text, blocks: [{ kind: "words", text, tone: "bad", alert: true }] };
  }
}

function toAddress(url, replace) {
  if (replace || url.href === window.location.href) window.history.replaceState(null, "", url);
  else window.history.pushState(null, "", url);
}

function go(changes, { replace = false } = {}) {
  toAddress(addressWith(changes), replace);
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

const FIRST_VIEW = "overview";
const FAVAS = ["time", "account", "filter"]; // filters that Fava shows in its own fields

// --- cells and tables

const textOf = (cell) => {
  if (Array.isArray(cell)) return cell[0];
  return typeof cell === "object" ? textOf(cell.text) : cell;
};
const exactOf = (cell) => {
  if (Array.isArray(cell)) return cell[1];
  return typeof cell === "object" ? exactOf(cell.text) : cell;
};

const MANY = 10; // columns, behind which figures are written smaller
const SHORT = 12; // characters of a name that is never broken
const LONG = 24; // characters of a name that may be broken anywhere
const PROSE = 60; // characters of a text that is given room to be read
const DAY = /\d{4}-\d\d-\d\d/; // which no line breaks, in what is not long

const kindOf = (column) => (column.figure ? "num" : column.date ? "date" : undefined);

/** Where a name runs from right to left, or says that it does, what stands beside it is not turned. */
const isolated = (text) => el("bdi", {}, ...unbroken(text));

/** A text whose lines end between its days, "2026-06-01/2026-06-30", and never within one. */
function* unbroken(text) {
  for (const part of text.split(/(\d{4}-\d\d-\d\d\/?)/)) {
    if (DAY.test(part)) yield el("span", { class: "whole" }, part);
    else if (part) yield part;
    if (part.endsWith("/")) yield el("wbr");
  }
}

function cellContent(cell) {
  if (typeof cell !== "object" || Array.isArray(cell)) return textOf(cell);
  if (cell.go) return link(isolated(textOf(cell.text)), cell.go);
  if (cell.href) return el("a", { href: cell.href, title: cell.title }, isolated(textOf(cell.text) || "show"));
  return el("span", { class: cell.tone, title: cell.label, "aria-label": cell.label, role: "img" }, textOf(cell.text));
}

function cellElement(cell, column, first, heat, below) {
  const attributes = { class: kindOf(column) };
  if (!below && column.figure && exactOf(cell) !== "") attributes["data-value"] = exactOf(cell);
  if (Array.isArray(cell)) attributes.title = cell[1];
  if (first) attributes.scope = "row";
  const content = cellContent(cell);
  const named = !kindOf(column) && typeof content === "string";
  const element = el(first ? "th" : "td", attributes, named ? isolated(content) : content);
  const text = String(textOf(cell));
  const length = text.length;
  if (first ? length > LONG : length > PROSE) element.classList.add(first ? "long" : "prose");
  if (length <= (DAY.test(text) ? LONG : /\s/.test(text) ? 0 : SHORT)) element.classList.add("whole");
  if (heat) {
    element.classList.add("heat");
    element.style.setProperty("--heat", heat);
  }
  return element;
}

function headerCell(column, at, block, sortHere) {
  const attributes = { scope: "col", class: kindOf(column) };
  if (!column.title) return el("th", attributes);
  if (block.sort && !column.fixed) {
    const current = block.sort.key === column.key;
    const falling = current ? block.sort.order === "asc" : Boolean(column.figure);
    if (current) attributes["aria-sort"] = block.sort.order === "asc" ? "ascending" : "descending";
    const changes = { sort: column.key, order: falling ? "desc" : "asc", page: "" };
    return el("th", attributes, link(column.title, changes, { id: `sort-${column.key}` }));
  }
  if (block.pages > 1 || column.fixed) return el("th", attributes, column.title);
  return el("th", attributes, el("button", { type: "button", onclick: () => sortHere(at) }, column.title));
}

const letters = new Intl.Collator("en", { numeric: true });

/** How two rows stand by a column: what is empty comes after, and the totals last, either way. */
function compared(block, one, other, at, sign) {
  const last = [one, other].map((row) => (block.totals.includes(row) ? 2 : Number(exactOf(block.rows[row][at]) === "")));
  if (last[0] || last[1]) return last[0] - last[1];
  const [left, right] = [one, other].map((row) => exactOf(block.rows[row][at]));
  return sign * (block.columns[at].figure ? Number(left) - Number(right) : letters.compare(left, right));
}

/** A shadow where a table goes on to the right. */
function hint(scroll) {
  scroll.parentElement.classList.toggle("more", scroll.scrollWidth - scroll.clientWidth - scroll.scrollLeft > 1);
}
const widths = new ResizeObserver((changed) => changed.forEach(({ target }) => target.parentElement && hint(target)));

function table(block) {
  const body = el("tbody");
  const head = el("tr");
  const fill = (order) => {
    body.replaceChildren(
      ...order.map((at) =>
        el(
          "tr",
          block.totals.includes(at) ? { class: "total" } : {},
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
    fill([...order].sort((a, b) => compared(block, a, b, at, rising ? 1 : -1)));
  };
  head.append(...block.columns.map((column, at) => headerCell(column, at, block, sortHere)));
  fill(order);
  const below = (row) => el("tr", { class: "total" }, ...row.map((cell, place) => cellElement(cell, block.columns[place], place === 0, 0, true)));
  const foot = block.footer?.length ? el("tfoot", {}, ...block.footer.map(below)) : null;
  const whole = el("table", { class: block.columns.length > MANY ? "many" : undefined }, el("caption", {}, block.title), el("thead", {}, head), body, foot);
  const scroll = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": block.title, onscroll: (event) => hint(event.target) }, whole);
  widths.observe(scroll);
  return [block.rows.length ? el("div", { class: "wide" }, scroll) : el("p", { class: "caption" }, "none"), ...paging(block)];
}

function paging(block) {
  if (block.page === undefined) return [];
  const { page, pages, found } = block;
  const between = byId("compute-books").dataset.separators[1];
  const count = `${found.toLocaleString("en").replaceAll(",", between)} rows, page ${page} of ${pages}`;
  const attributes = { id: `pages-${block.name}`, class: "pages", role: "navigation", "aria-label": `Pages of ${block.title}`, tabindex: "-1" };
  const row = el("div", attributes, el("span", {}, count));
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
  const attributes = { id, type: item.live ? "search" : "text", value: item.value, placeholder: item.hint, title: item.hint };
  if (item.live) {
    attributes.oninput = (event) => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => go({ [item.name]: event.target.value, page: "" }, { replace: true }), HOLD);
    };
  } else attributes.onchange = (event) => tryOut(item, event.target);
  const input = el("input", attributes);
  const label = el("label", { for: id }, item.label, input);
  if (item.error) refuse(input, item.error);
  return label;
}

/** Say beside a field what is wrong with it. */
function refuse(input, text) {
  const id = `${input.id}-refused`;
  byId(id)?.remove();
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", id);
  input.after(el("span", { id, class: "refused", role: "alert" }, text));
}

/** Ask for what was typed; if it is refused, the view and the address stay as they are. */
async function tryOut(item, input) {
  const url = addressWith({ [item.name]: input.value, page: "" });
  const mine = asking();
  const answer = await answerOf("data", Object.fromEntries(url.searchParams));
  if (mine !== asked || !input.isConnected) return;
  const refusal = answer.refused?.[item.name];
  if (refusal) {
    byId("compute-view").removeAttribute("aria-busy");
    byId("compute-books").dataset.state = "drawn";
    refuse(input, refusal);
    return;
  }
  toAddress(url, false);
  await present(answer, mine);
}

function figureItem(item) {
  const exact = exactOf(item.value);
  const value = el("span", { class: "value", "data-value": exact, title: exact }, textOf(item.value));
  const unit = el("span", { class: "unit" }, ` ${item.unit}`);
  const remarks = [item.delta, item.note].filter(Boolean).map((text) => el("span", { class: "remark" }, text));
  return el("div", {}, el("dt", {}, item.label), el("dd", {}, value, unit, ...remarks));
}

function copyBlock(block) {
  const code = el("pre", {}, block.text);
  const named = (text) => {
    button.textContent = text;
    button.setAttribute("aria-label", `${text}: ${block.label}`);
  };
  const onclick = async () => {
    button.focus(); // some browsers focus no button that is clicked
    try {
      await navigator.clipboard.writeText(block.text);
      named("Copied");
    } catch {
      window.getSelection().selectAllChildren(code); // no clipboard: it is selected, to be copied
      named("Selected");
    }
    say(button.textContent);
  };
  const button = el("button", { type: "button", onclick, onblur: () => named("Copy") });
  named("Copy");
  return el("div", { class: "copy" }, el("b", {}, block.label), code, button);
}

function chart(block) {
  const withPictures = Boolean(block.figure && byId("compute-books").dataset.plotly);
  const label = `${block.title}. ${block.caption} The figures are in the table below.`;
  const picture = el("div", { class: "picture", role: "img", "aria-label": label });
  if (withPictures) pictures.push([picture, block.figure]);
  const caption = el("figcaption", {}, el("h3", {}, block.title), el("p", { class: "caption" }, block.caption));
  const summary = el("summary", { id: `summary-${block.name}` }, `Table: ${block.title}`);
  const open = !withPictures || Boolean(byId(`table-${block.name}`)?.open); // as in the view before
  const details = el("details", { id: `table-${block.name}`, open }, summary, ...table(block.table));
  return [el("figure", { "data-chart": block.name }, caption, withPictures ? picture : null, details)];
}

function later(block) {
  const place = el("div", { "aria-busy": "true" }, el("p", { class: "caption" }, block.caption));
  const mine = shown;
  answerOf(block.endpoint, parameters()).then((answer) => {
    if (mine !== shown) return;
    place.removeAttribute("aria-busy");
    place.replaceChildren(...answer.blocks.flatMap(rendered));
    if (block.done) say(block.done);
    draw();
  });
  return [place];
}

/** The pages of the manual, to choose from. */
function contents(block) {
  const items = block.pages.map(([topic, title]) =>
    el("li", {}, link(title, { topic, section: "" }, { id: `topic-${topic}`, "aria-current": topic === block.topic ? "page" : undefined })),
  );
  return el("div", { class: "contents", role: "navigation", "aria-label": block.label }, el("ul", {}, ...items));
}

/** Elements of the manual: a text, or a tag with attributes and what is in it. */
function manual(node) {
  if (typeof node === "string") return node;
  const [tag, { go: changes, ...attributes }, inner] = node;
  const content = inner.map(manual);
  if (changes) return link(el("span", {}, ...content), changes);
  const element = el(tag, attributes, ...content);
  return tag === "table" ? el("div", { class: "scroll", tabindex: "0" }, element) : element;
}

const KINDS = {
  contents: (block) => [contents(block)],
  manual: (block) => [el("div", { class: "manual" }, ...block.content.map(manual))],
  table: (block) => [el("h3", {}, block.title), ...table(block)],
  chart,
  later,
  copy: (block) => [copyBlock(block)],
  link: (block) => [el("p", {}, "\u2190 ", link(block.text, block.go))],
  controls: (block) => [el("div", { class: "controls" }, ...block.items.map(control))],
  figures: (block) => [el("h3", {}, block.title), el("dl", { class: "figures" }, ...block.items.map(figureItem))],
  words: (block) => [el("p", { class: block.tone, role: block.alert && "alert" }, block.text, " ", block.go ? link(block.link, block.go) : null)],
};
const rendered = (block) => KINDS[block.kind](block);

// --- pictures

let pictures = []; // of the page that is shown: where, and what
let library;
let prepared; // the address of Plotly's script where it was asked for as a module

const script = (src) =>
  new Promise((resolve, reject) => {
    document.head.append(el("script", { src, onload: resolve, onerror: reject }));
  });

function plotly() {
  const { plotly: address } = byId("compute-books").dataset;
  library ??= (address === prepared ? import(address) : script(address)).then(() => window.Plotly);
  library.catch(() => {
    library = undefined; // the next view tries again, with a script: a module that failed stays so
    prepared = undefined;
  });
  return library;
}

/**
 * On another page of Fava: have Plotly fetched and compiled for whoever opens ours, and not run. Only a
 * module may wait like that; our own page takes a script, which browsers keep compiled for the next start.
 */
async function prepare() {
  const { plotly: href } = await api.request("library", "GET");
  if (!href || library) return;
  document.head.append(el("link", { rel: "modulepreload", href }));
  prepared = href;
}

/** When what stands in the page has been painted; in a tab that nobody sees, when somebody does. */
const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

function dressed(data, layout) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const lines = { gridcolor: colour("--border-lighter"), linecolor: colour("--border"), zerolinecolor: colour("--chart-line-at-zero") };
  const font = { family: colour("--font-family"), size: window.innerWidth < NARROW ? 11 : 12, color: colour("--text-color") };
  const legend = { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" };
  const flow = data.some((trace) => trace.type === "sankey"); // the label of its lowest node hangs over
  const separators = byId("compute-books").dataset.separators;
  const own = { ...layout, font, legend, separators, margin: { l: 8, r: 8, t: 24, b: flow ? 36 : 8 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
  for (const axis of ["xaxis", "yaxis", "yaxis2"]) if (layout[axis]) own[axis] = { ...lines, ...layout[axis] };
  own.hoverlabel = { bgcolor: colour("--background"), bordercolor: colour("--border"), font: { color: colour("--text-color") } };
  return own;
}

const NARROW = 768; // pixels, as Fava has it

const BY_NIGHT = { colorscale: [[0, "#20344a"], [1, "#3a76b3"]], textfont: { color: "#fff" } }; // the more, the further from the ground

/** A heat map as the window has room: on a phone without amounts in its cells, and without its scale. */
function fitted(data) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const own = { ...(dark && BY_NIGHT), ...(window.innerWidth < NARROW && { texttemplate: undefined, showscale: false }) };
  return data.map((trace) => (trace.type === "heatmap" ? { ...trace, ...own } : trace));
}

/** Draw the pictures; where that fails, the page says so and opens their tables. */
async function draw() {
  if (!pictures.length) return;
  const mine = pictures;
  try {
    await painted(); // figures are seen before Plotly's script runs, which takes all of the page's time
    const library = await plotly();
    for (const [place, { data, layout }] of mine) {
      if (place.isConnected) await library.react(place, fitted(data), dressed(data, layout), { displayModeBar: false, responsive: true });
    }
  } catch {
    if (mine !== pictures) return;
    pictures = [];
    for (const [place] of mine) {
      place.parentElement.querySelector("details").open = true;
      place.replaceWith(el("p", { class: "note", role: "status" }, "The picture could not be drawn; its table holds the same figures."));
    }
  }
}

// --- the page

const say = (text) => {
  byId("compute-status").textContent = text;
};

/** What has the focus within the view, and the row of pages that it stands in, if any. */
function remembered() {
  const active = document.activeElement;
  return byId("compute-view").contains(active) ? [active, active.closest(".pages")] : [];
}

/** Put the focus back where it was, with what was typed meanwhile; else beside it, or on the heading. */
function refocus([before, beside]) {
  if (!before) return;
  const again = (before.id && byId(before.id)) || (beside && byId(beside.id)) || byId("compute-title");
  again.focus();
  if (before instanceof HTMLInputElement && again.id === before.id) {
    again.value = before.value;
    again.setSelectionRange(before.selectionStart, before.selectionEnd);
  }
}

let ownTitle; // of the document, as set here
let favasTitle; // as Fava set it

/** The heading of the page, and the title of its window: the view, or whose statement it is. */
function entitle(view, about) {
  const tab = document.querySelector(`#compute-books nav a[data-view="${CSS.escape(view)}"]`);
  const heading = byId("compute-title");
  heading.replaceChildren(...(about ? ["Statement of ", isolated(about)] : [tab?.textContent ?? byId("compute-books").dataset.title]));
  if (document.title !== ownTitle) favasTitle = document.title;
  const name = /^[ -~]*$/.test(about) ? about : `\u2068${about}\u2069`; // isolated, as <bdi> does
  const parts = [about ? `Statement of ${name}` : tab?.textContent, favasTitle];
  ownTitle = parts.filter(Boolean).join(" - ");
  document.title = ownTitle;
}

function tabs(view) {
  for (const each of document.querySelectorAll("#compute-books nav a")) {
    const current = each.dataset.view === view;
    each.toggleAttribute("aria-current", current);
    if (current) each.setAttribute("aria-current", "page");
    // A view of its own: what another one was asked for stays behind.
    const other = { view: each.dataset.view, page: "", sort: "", order: "", q: "", subscriber: "", topic: "", section: "" };
    each.href = addressWith(other).href;
    each.onclick = (event) => {
      if (event.button || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(other);
    };
  }
}

/** Note that something is asked for; gives its number. */
function asking() {
  byId("compute-books").dataset.state = "asked";
  byId("compute-view").setAttribute("aria-busy", "true");
  return (asked += 1);
}

async function show() {
  const mine = asking();
  const wanted = parameters();
  tabs(wanted.view || FIRST_VIEW);
  await present(await answerOf("data", wanted), mine);
}

/** Parameters of ours that were refused leave the address; Fava's filters stay, as in its fields. */
function forget(refused) {
  const changes = Object.keys(refused ?? {}).filter((name) => !FAVAS.includes(name)).map((name) => [name, ""]);
  if (changes.length) toAddress(addressWith(Object.fromEntries(changes)), true);
}

/** Put an answer into the page. */
async function present(answer, mine) {
  const root = byId("compute-books");
  if (mine !== asked || !root?.isConnected) return;
  performance.mark("compute-data");
  forget(answer.refused);
  const view = answer.view ?? (parameters().view || FIRST_VIEW);
  tabs(view);
  entitle(view, answer.about ?? "");
  shown += 1;
  const { blocks } = answer;
  const before = remembered();
  pictures = [];
  const content = [...(answer.notes ?? []).map((note) => el("p", { class: "note" }, note)), ...blocks.flatMap(rendered)];
  if (!root.dataset.plotly && blocks.some((block) => block.figure)) {
    content.push(el("p", { class: "note" }, `For the pictures: ${root.dataset.pictures}`));
  }
  byId("compute-view").replaceChildren(...content);
  byId("compute-view").removeAttribute("aria-busy");
  refocus(before);
  const section = parameters().section && byId(`manual-${parameters().section}`);
  if (section) {
    section.focus({ preventScroll: true });
    section.scrollIntoView();
  }
  say(answer.error ? "" : `${byId("compute-title").textContent} loaded`);
  performance.mark("compute-tables"); // all figures stand in the page; pictures follow
  if (pictures.length) await draw();
  else if (root.dataset.plotly) painted().then(plotly).catch(() => {}); // for the next view, which tells what fails
  if (mine !== asked) return;
  performance.mark("compute-drawn");
  root.dataset.state = "drawn";
}

/** Fava's overlay of a transaction takes the focus and loses it: give it back to what opened it. */
function keepFocus(event) {
  const opener = event.target.closest?.("#compute-view a[href^='#context-']");
  if (!opener) return;
  let open = false;
  const watcher = new MutationObserver(() => {
    const overlay = document.querySelector("dialog[open]");
    if (open && !overlay) {
      watcher.disconnect();
      if (document.activeElement === document.body) opener.focus();
    }
    open = Boolean(overlay);
  });
  watcher.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["open"] });
}

window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (byId("compute-books")) draw();
});

document.addEventListener("click", keepFocus);

const whenIdle = window.requestIdleCallback ?? window.setTimeout; // Safari has none

export default {
  init(context) {
    api = context.api;
    const spare = !byId("compute-books") && !navigator.connection?.saveData;
    if (spare) whenIdle(() => prepare().catch(() => {})); // our page tells what fails
  },
  onExtensionPageLoad(context) {
    api = context.api;
    show();
  },
};
