"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const find = (id) => document.getElementById(id);
const kept = "prose-data labels " + data.who + " " + fingerprint(JSON.stringify(data.items));
let labels = remembered();
let place = Math.max(0, data.items.findIndex((_, at) => !(at in labels)));

function fingerprint(text) {
  let sum = 5381;
  for (let at = 0; at < text.length; at += 1) sum = ((sum * 33) ^ text.charCodeAt(at)) >>> 0;
  return sum.toString(16) + "-" + text.length;
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(kept)) || {};
  } catch {
    return {};
  }
}

function remember() {
  try {
    localStorage.setItem(kept, JSON.stringify(labels));
  } catch {
    // a browser that keeps nothing for files: the labels are there until the page is closed
  }
}

function show() {
  const item = data.items[place];
  find("place").textContent = "Text " + (place + 1) + " of " + data.items.length;
  find("text").textContent = item.text;
  find("component").textContent = item.component;
  const count = Object.keys(labels).length;
  const rest = count === data.items.length ? "; now save the file" : "";
  find("progress").textContent = count + " of " + data.items.length + " labelled by " + data.who + rest;
  for (const button of find("scale").children) {
    button.setAttribute("aria-pressed", String(labels[place] === Number(button.dataset.degree)));
  }
  find("back").disabled = place === 0;
  find("skip").disabled = place === data.items.length - 1;
}

function go(to) {
  place = Math.min(data.items.length - 1, Math.max(0, to));
  show();
  find("place").focus();
}

function answer(degree) {
  labels[place] = degree;
  remember();
  go(place + 1);
}

function save() {
  const lines = data.items.flatMap((item, at) => (at in labels
    ? [JSON.stringify({ ...item, label: labels[at], origin: "page", who: data.who, drawn: data.drawn })]
    : []));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.map((line) => line + "\n").join("")], { type: "application/jsonl" }));
  link.download = "labels-" + data.who + ".jsonl";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

for (const [key, words, degree] of data.scale) {
  const button = document.createElement("button");
  const name = document.createElement("kbd");
  name.textContent = key;
  button.type = "button";
  button.dataset.degree = degree;
  button.append(name, " " + words);
  button.addEventListener("click", () => answer(degree));
  find("scale").append(button);
}
find("back").addEventListener("click", () => go(place - 1));
find("skip").addEventListener("click", () => go(place + 1));
find("save").addEventListener("click", save);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const chosen = data.scale.find(([key]) => key === event.key);
  if (chosen) answer(chosen[2]);
  else if (event.key === "b") go(place - 1);
  else if (event.key === "s") go(place + 1);
  else if (event.key === "q") save();
});
show();
