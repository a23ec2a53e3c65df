"use strict";
const index = JSON.parse(document.getElementById("data").textContent);
const find = (id) => document.getElementById(id);
const unpacked = new Map();
let shown = null; // the chunk in view
let asked = 0;

function made(name, words, type) {
  const element = document.createElement(name);
  if (words !== undefined) element.textContent = words;
  if (type) element.className = type;
  return element;
}

async function chunk(number) {
  if (!unpacked.has(number)) {
    const bytes = Uint8Array.from(atob(find("chunk-" + number).textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    unpacked.set(number, JSON.parse(await new Response(stream).text()));
  }
  return unpacked.get(number);
}

function fill(id, choices) {
  const before = find(id).value;
  find(id).replaceChildren(...choices.map(([value, words]) => {
    const option = made("option", words);
    option.value = value;
    return option;
  }));
  if (choices.some(([value]) => value === before)) find(id).value = before;
}

const person = () => index.users[Number(find("user").value)];

async function choose() {
  const turn = asked += 1;
  fill("seed", Object.keys(person().seeds).map((seed) => [seed, seed]));
  const found = await chunk(person().seeds[find("seed").value]);
  if (turn !== asked) return; // another choice came in between
  shown = found;
  const first = find("method").options.length === 0;
  fill("method", index.methods.filter((method) => method in shown.methods).map((method) => [method, method]));
  if (first && index.first in shown.methods) find("method").value = index.first;
  fill("step", shown.methods[find("method").value].map((row) => [String(row.step), String(row.step)]));
  if (first) find("step").selectedIndex = find("step").options.length - 1;
  show();
}

// Marks are counted in characters, not in UTF-16 units.
function marked(place) {
  const letters = Array.from(shown.texts[place]);
  const parts = [];
  let done = 0;
  for (const [first, last, component] of shown.marks[place]) {
    parts.push(letters.slice(done, first).join(""));
    const mark = made("mark", letters.slice(first, last).join(""));
    mark.title = shown.components[component];
    mark.dataset.number = component + 1; // shown by the style sheet: the text stays as it was written
    parts.push(mark);
    done = last;
  }
  parts.push(letters.slice(done).join(""));
  return parts;
}

function count(places, component) {
  return places.flatMap((place) => shown.marks[place]).filter((span) => span[2] === component).length;
}

function line(cells) {
  const row = made("tr");
  row.append(...cells.map((words, at) => {
    const cell = made(at === 0 ? "th" : "td");
    if (at === 0) cell.scope = "row";
    cell.append(words);
    return cell;
  }));
  return row;
}

function evidence(component, seen, row, own) {
  if (!shown.markable[component]) return "cannot be marked";
  const before = count(seen, component) + " in samples, " + count([row.draft], component) + " in draft";
  return own === null ? before : before + ", " + count([own], component) + " in own";
}

function named(row, component) {
  const found = row.recovered[component];
  if (!found) return row.description === null ? "infers nothing" : "–";
  return found[0] > 0 ? "✓ " + (found[1] || component) : "✗ not named";
}

function components(row, seen, own) {
  const held = shown.held[row.step] || shown.components.map((_, at) => at);
  const head = made("tr");
  for (const words of ["true component", "inferred as", "in the draft, by the judge", "evidence marked"]) {
    const cell = made("th", words);
    cell.scope = "col";
    head.append(cell);
  }
  const rows = held.map((at) => {
    const component = shown.components[at];
    const judged = row.ppcm[component];
    return line([
      (at + 1) + ". " + component,
      named(row, component),
      judged ? judged[1] + " (" + judged[0] + ")" : "–",
      evidence(at, seen, row, own),
    ]);
  });
  const body = made("tbody");
  body.append(...rows);
  const top = made("thead");
  top.append(head);
  find("components").replaceChildren(top, body);
  const matched = new Set(Object.values(row.recovered).filter((found) => found[0] > 0).map((found) => found[1]));
  const rest = row.components.filter((component) => !matched.has(component));
  const words = Object.keys(row.recovered).length ? "Inferred, and matched to nothing true: " : "Inferred: ";
  const stated = row.components.length ? rest.map((component) => confident(row, component)).join("; ") || "nothing" : "";
  find("extra").textContent = stated ? words + stated + "." : row.description
    ? "Inferred, in words: " + row.description : "";
}

function confident(row, component) {
  if (!row.confidences) return component;
  return component + " (" + row.confidences[row.components.indexOf(component)].toFixed(2) + ")";
}

function show() {
  const row = shown.methods[find("method").value].find((one) => String(one.step) === find("step").value);
  const written = shown.samples.find((sample) => sample.step === row.step && sample.document === row.document);
  const own = row.own !== null ? row.own : written ? written.text : null;
  const before = shown.samples.filter((sample) => sample.step < row.step && sample.split === "learn");
  components(row, before.map((sample) => sample.text), own);
  find("draft").replaceChildren(...marked(row.draft));
  find("draft-title").textContent = "Draft by " + find("method").value;
  find("own").replaceChildren(...(own === null ? ["–"] : marked(own)));
  find("own-title").textContent = "The user's own text" + (row.outcome ? " (" + row.outcome + ")" : "");
  find("scored").textContent = Object.entries(row.scores).map(([metric, value]) => metric + " " + value).join(" · ");
  find("samples-title").hidden = shown.samples.length === 0; // where users answer drafts
  find("samples-title").textContent = "Samples seen before: " + before.length;
  find("samples").replaceChildren(...before.map((sample) => {
    const whole = made("details");
    const text = made("blockquote");
    text.append(...marked(sample.text));
    whole.append(made("summary", "Sample " + (sample.step + 1) + " on " + sample.document), text);
    whole.open = before.length <= 5;
    return whole;
  }));
  const steps = find("step").options;
  find("back").disabled = find("step").selectedIndex === 0;
  find("on").disabled = find("step").selectedIndex === steps.length - 1;
  find("where").textContent = person().id + " (" + person().task + ", " + person().source + "), seed "
    + find("seed").value + ", " + find("method").value + ", " + row.step + (row.step === 1 ? " sample" : " samples") + " seen, document " + row.document;
  find("view").hidden = false;
}

function move(id, by, around) {
  const select = find(id);
  const length = select.options.length;
  const to = select.selectedIndex + by;
  if (!around && (to < 0 || to >= length)) return;
  select.selectedIndex = (to + length) % length;
  choose();
}

function contents() {
  for (const heading of document.querySelectorAll("main > section > h2")) {
    const link = made("a", heading.textContent);
    link.href = "#" + heading.parentElement.id;
    find("contents").append(link);
  }
}

contents();
const KEYS = { u: "user", m: "method", s: "seed" };
document.addEventListener("keydown", (event) => {
  if (!shown || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, .wide, .drawing, pre")) return;
  const by = event.shiftKey ? -1 : 1;
  const id = KEYS[event.key.toLowerCase()];
  if (id) move(id, by, true);
  else if (event.key === "ArrowRight") move("step", 1, false);
  else if (event.key === "ArrowLeft") move("step", -1, false);
  else return;
  event.preventDefault();
});
for (const id of ["user", "seed", "method", "step"]) find(id).addEventListener("change", choose);
find("back").addEventListener("click", () => move("step", -1, false));
find("on").addEventListener("click", () => move("step", 1, false));
find("choice").addEventListener("submit", (event) => event.preventDefault());
find("drawn").textContent = index.users.length + " of the run's " + index.of + " users are here"
  + (index.users.length < index.of ? ", drawn by chance" : "") + "; of each the first " + index.steps + " steps at most.";
if (index.users.length) {
  fill("user", index.users.map((user, at) => [String(at), user.id + " (" + user.task + ", " + user.source + ")"]));
  choose();
} else {
  find("choice").hidden = true;
}
