"use strict";

// The record is columns of numbers, with tables of the texts that they stand for: see
// `_data` in wengert/_page.py. Whatever came from a program is put into the page as text,
// never as HTML.

const record = JSON.parse(document.getElementById("record").textContent);
const length = record.op.length;
const ROW = 26;
const HEAD = 32;
// Browsers limit the height of an element; beyond this, rows share the way to scroll.
const TALLEST = 8e6;

const byId = (id) => document.getElementById(id);
const scroller = byId("scroller");
const rows = byId("rows");

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// --- What is known of a node --------------------------------------------------------

const op = (node) => record.ops[record.op[node]];
const parameters = (node) => record.parameters[record.parameter[node]];
const type = (node) => record.types[record.type[node]];
const place = (node) => record.places[record.place[node]];
const nameOf = (node) => record.names[node];
const value = (node) => record.value[node];
const cotangent = (node) => record.cotangent[node];
const isLeaf = (node) => op(node) === "tensor" || op(node) === "parameter";
const isBroken = (text) => text !== null && /NaN|inf|not finite/.test(text);
const inputs = (node) => record.operands[node].filter((x) => typeof x === "number");

/** The operands as the printed record shows them. */
function operands(node) {
  const shown = record.operands[node].map((x) => (typeof x === "number" ? `#${x}` : x));
  if (parameters(node)) shown.push(parameters(node));
  return shown.join(", ");
}

/** For each node, the nodes that use it: those of `node` are from start[node] on. */
const users = (() => {
  const start = new Uint32Array(length + 1);
  const each = (f) => {
    for (let node = 0; node < length; node++) {
      for (const x of new Set(inputs(node))) f(x, node);
    }
  };
  each((x) => start[x + 1]++);
  for (let node = 0; node < length; node++) start[node + 1] += start[node];
  const list = new Uint32Array(start[length]);
  const next = start.slice();
  each((x, node) => (list[next[x]++] = node));
  return (node) => Array.from(list.subarray(start[node], start[node + 1]));
})();

// --- State --------------------------------------------------------------------------

// The nodes that the list shows, ascending.
let shown = [];
let chosen = null;
// The nodes that the sweep visits, in its order, and how many it has visited.
const order = [];
for (let node = length - 1; node >= 0; node--) if (cotangent(node) !== null) order.push(node);
const visit = new Map(order.map((node, k) => [node, k]));
let step = order.length;
// Whether the reader has begun to step: then the list shows where the sweep is.
let stepping = false;

const isVisited = (node) => visit.has(node) && visit.get(node) < step;

// --- The list -----------------------------------------------------------------------

const kinds = {
  all: () => true,
  leaves: isLeaf,
  named: (node) => nameOf(node) !== undefined,
  swept: (node) => cotangent(node) !== null,
  broken: (node) => isBroken(value(node)) || isBroken(cotangent(node)),
};

/** What the filter looks at. */
const haystack = (node) =>
  `#${node} ${op(node)} ${nameOf(node) ?? ""} ${operands(node)} ${type(node)} ` +
  place(node).text;

function filter() {
  const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const isKind = kinds[byId("kind").value];
  shown = [];
  for (let node = 0; node < length; node++) {
    if (!isKind(node)) continue;
    const text = words.length ? haystack(node).toLowerCase() : "";
    if (words.every((word) => text.includes(word))) shown.push(node);
  }
  const all = length.toLocaleString("en");
  const some = shown.length.toLocaleString("en");
  byId("count").textContent =
    shown.length === length ? `${all} nodes` : `${some} of ${all} nodes`;
  rows.style.height = `${Math.min(shown.length * ROW, TALLEST)}px`;
  draw();
}

/** The number of rows that the list has room for. */
const fitting = () => (scroller.clientHeight - HEAD) / ROW;

/** The pixels that can be scrolled, and the rows that this stands for. */
function range() {
  const pixels = rows.clientHeight + HEAD - scroller.clientHeight;
  return [Math.max(1, pixels), Math.max(0, shown.length - fitting())];
}

function draw() {
  const [pixels, hidden] = range();
  const top = (Math.min(scroller.scrollTop, pixels) / pixels) * hidden;
  const first = Math.floor(top);
  const last = Math.min(shown.length, first + Math.ceil(fitting()) + 1);
  const near = new Map();
  if (chosen !== null) {
    for (const x of users(chosen)) near.set(x, "user");
    for (const x of inputs(chosen)) near.set(x, "operand");
  }
  const drawn = document.createDocumentFragment();
  for (let k = first; k < last; k++) {
    const made = row(shown[k], near.get(shown[k]));
    made.style.top = `${scroller.scrollTop + (k - top) * ROW}px`;
    drawn.append(made);
  }
  rows.replaceChildren(drawn);
}

function row(node, nearness) {
  const made = element("div", "row");
  made.dataset.node = node;
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", node === chosen);
  made.classList.toggle("leaf", isLeaf(node));
  made.classList.toggle("chosen", node === chosen);
  made.classList.toggle("now", stepping && step > 0 && order[step - 1] === node);
  if (nearness) made.classList.add(nearness);
  const cell = (className, text) => {
    const span = element("span", className, text);
    span.title = text;
    made.append(span);
    return span;
  };
  cell("number", node);
  const title = cell("op", op(node));
  if (nameOf(node) !== undefined) title.append(" ", element("span", "name", nameOf(node)));
  cell("operands", operands(node));
  cell("type", type(node));
  cell("value", value(node)).classList.toggle("bad", isBroken(value(node)));
  made.append(cotangentCell(node));
  cell("place", place(node).short);
  return made;
}

function cotangentCell(node) {
  const text = cotangent(node);
  if (text === null) return element("span", "cotangent");
  if (!isVisited(node)) return element("span", "cotangent pending", "·");
  const cell = element("span", "cotangent", text);
  cell.title = text;
  cell.classList.toggle("bad", isBroken(text));
  return cell;
}

/** Scrolls until the node's row is in sight. */
function reveal(node) {
  const k = shown.indexOf(node);
  if (k < 0) return;
  const [pixels, hidden] = range();
  const fit = Math.floor(fitting());
  const top = (scroller.scrollTop / pixels) * hidden;
  let wanted = top;
  if (k < top + 1) wanted = k - 2;
  if (k > top + fit - 3) wanted = k - fit + 3;
  if (wanted !== top && hidden > 0) scroller.scrollTop = (wanted / hidden) * pixels;
}

// --- One node -----------------------------------------------------------------------

function choose(node) {
  chosen = node;
  note(node);
  if (node !== null) reveal(node);
  draw();
  describe();
}

/** Notes the node in the address, so that a link leads to it. */
function note(node) {
  try {
    history.replaceState(null, "", node === null ? "#" : `#${node}`);
  } catch {
    // A page within another page may have no address of its own.
  }
}

function describe() {
  const detail = byId("detail");
  detail.replaceChildren();
  const add = (...parts) => detail.append(...parts);
  const part = (title, ...parts) => add(element("h3", "", title), ...parts);
  if (chosen === null) {
    add(element("p", "quiet", "Choose a node to see its operands, users, value and line."));
    return;
  }
  const node = chosen;
  const title = element("h2", "", op(node));
  if (nameOf(node) !== undefined) title.append(" ", element("span", "name", nameOf(node)));
  title.append(" ", element("small", "", `#${node}`));
  add(title, element("code", "quiet", type(node)));
  if (parameters(node)) add(element("p", "", parameters(node)));
  part("Value", ...elements(value(node), record.elements[node]));
  if (order.length) part("Cotangent", ...describeCotangent(node));
  const given = record.operands[node];
  part("Operands", ...links(given, "operand", "None: it comes from outside."));
  part("Users", ...links(users(node), "user", "None in this record."));
  part("Recorded at", ...source(node));
}

function elements(short, long) {
  const text = element("pre", "", long ?? short);
  text.classList.toggle("bad", isBroken(short));
  return long === undefined ? [text] : [element("code", "", short), text];
}

function describeCotangent(node) {
  if (cotangent(node) === null) {
    return [element("p", "quiet", "The sweep does not visit this node.")];
  }
  if (!isVisited(node)) {
    return [element("p", "quiet", "The sweep has not come here yet.")];
  }
  return elements(cotangent(node), record.cotangentElements[node]);
}

// More links than this are counted.
const LINKS = 50;

function links(targets, className, none) {
  if (!targets.length) return [element("p", "quiet", none)];
  const made = targets.slice(0, LINKS).map((target) => {
    if (typeof target === "string") {
      const number = element("div", `link ${className}`);
      number.append(element("span", "number", ""), element("span", "", target));
      return number;
    }
    const link = element("button", `link ${className}`);
    link.dataset.node = target;
    const text = nameOf(target) === undefined ? op(target) : `${op(target)} ${nameOf(target)}`;
    link.append(
      element("span", "number", `#${target}`),
      element("span", "", text),
      element("span", "type", type(target)),
    );
    return link;
  });
  const more = targets.length - made.length;
  if (more > 0) made.push(element("p", "quiet", `and ${more.toLocaleString("en")} more`));
  return made;
}

/** The source line among those around it. */
function source(node) {
  const { text, file, line } = place(node);
  const parts = [element("code", "", text)];
  const lines = file === null ? {} : record.files[file];
  const code = element("pre", "source");
  for (let k = line - record.around; k <= line + record.around; k++) {
    if (!(k in lines)) continue;
    const shownLine = element("span", k === line ? "here" : "");
    shownLine.append(element("i", "", k), lines[k] || " ");
    code.append(shownLine);
  }
  if (code.childElementCount) parts.push(code);
  return parts;
}

// --- The sweep ----------------------------------------------------------------------

function sweepTo(k) {
  stepping = true;
  step = Math.max(0, Math.min(order.length, k));
  showStep();
  choose(step === 0 ? order[0] : order[step - 1]);
}

function showStep() {
  byId("step").value = step;
  byId("first").disabled = byId("back").disabled = step === 0;
  byId("forth").disabled = byId("last").disabled = step === order.length;
  byId("saying").textContent = saying();
}

function saying() {
  const total = order.length.toLocaleString("en");
  if (!stepping) return `The sweep has visited ${total} nodes`;
  if (step === 0) return `Before the sweep of ${total} nodes`;
  const node = order[step - 1];
  const next = inputs(node).filter((x) => visit.has(x));
  const to = [...new Set(next)].map((x) => `#${x}`);
  const text = to.length ? ` hands its cotangent to ${to.join(", ")}` : " keeps its cotangent";
  return `Step ${step.toLocaleString("en")} of ${total}: #${node} ${op(node)}${text}`;
}

// --- Events -------------------------------------------------------------------------

function chooseAt(event) {
  const at = event.target.closest("[data-node]");
  if (at) choose(Number(at.dataset.node));
}

/** Chooses the node that is so many rows further down the list. */
function move(by) {
  if (!shown.length) return;
  const k = shown.indexOf(chosen);
  const wanted = k < 0 ? 0 : k + by;
  choose(shown[Math.max(0, Math.min(shown.length - 1, wanted))]);
}

const page = () => Math.max(1, Math.floor(fitting()) - 1);
const keys = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  PageDown: () => move(page()),
  PageUp: () => move(-page()),
  ArrowRight: () => order.length && sweepTo(step + 1),
  ArrowLeft: () => order.length && sweepTo(step - 1),
  Home: () => order.length && sweepTo(0),
  End: () => order.length && sweepTo(order.length),
  "/": () => byId("filter").focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === byId("filter")) {
    if (event.key === "Escape") {
      byId("filter").value = "";
      filter();
      scroller.focus();
    }
    return;
  }
  if (event.target.matches("select, input")) return;
  if (!(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});

rows.addEventListener("click", chooseAt);
byId("detail").addEventListener("click", chooseAt);
byId("filter").addEventListener("input", filter);
byId("kind").addEventListener("change", filter);
byId("first").addEventListener("click", () => sweepTo(0));
byId("back").addEventListener("click", () => sweepTo(step - 1));
byId("forth").addEventListener("click", () => sweepTo(step + 1));
byId("last").addEventListener("click", () => sweepTo(order.length));
byId("step").addEventListener("input", () => sweepTo(Number(byId("step").value)));
scroller.addEventListener("scroll", draw);
window.addEventListener("resize", draw);

// --- Start --------------------------------------------------------------------------

document.body.classList.toggle("unswept", order.length === 0);
byId("sweep").hidden = order.length === 0;
byId("step").max = order.length;
filter();
const asked = Number.parseInt(location.hash.slice(1), 10);
const start = asked >= 0 && asked < length ? asked : (record.loss ?? (length ? length - 1 : null));
showStep();
choose(start);
