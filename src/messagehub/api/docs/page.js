"use strict";
// The key stays in this field: it is written nowhere, and is gone with the page.
const key = document.getElementById("key");
const filter = document.getElementById("filter");
const found = document.getElementById("found");
const articles = [...document.querySelectorAll(".noun article")];
const lines = [...document.querySelectorAll(".curl")].map((code) => [code, code.textContent]);

for (const hidden of document.querySelectorAll("#tools, .trial")) hidden.hidden = false;

// --- the lines for a shell, with the address of this server, the key and the id that were typed

function fill() {
  for (const [code, line] of lines) {
    const id = code.closest("article").querySelector("[data-in=path]");
    code.textContent = line
      .replace("http://127.0.0.1:8080", location.origin)
      .replace("$KEY", () => key.value.trim() || "$KEY")
      .replace("$ID", () => (id && id.value.trim() ? encodeURIComponent(id.value.trim()) : "$ID"));
  }
}

document.addEventListener("input", (event) => {
  if (event.target === filter) sift();
  else if (event.target === key || event.target.dataset.in === "path") fill();
});

for (const [code] of lines) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  code.before(button);
}

// --- the filter: every word that was typed stands in the endpoint's method, path, summary or caller

const texts = new Map(articles.map((article) => [
  article,
  [...article.querySelectorAll("h3, .summary")].map((part) => part.textContent).join(" ").toLowerCase(),
]));

function sift() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const article of articles) {
    article.hidden = !words.every((word) => texts.get(article).includes(word));
    count += !article.hidden;
    document.querySelector(`nav a[href="#${article.id}"]`).parentElement.hidden = article.hidden;
  }
  for (const noun of document.querySelectorAll(".noun"))
    noun.hidden = ![...noun.querySelectorAll("article")].some((article) => !article.hidden);
  found.textContent = words.length ? `${count} of ${articles.length}` : "";
}

document.addEventListener("keydown", (event) => {
  const isTyping = /^(INPUT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    filter.focus();
  }
});

// --- shapes open in their place; without a script the same link leads to them

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-shape]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const open = link.nextElementSibling;
  if (open && open.classList.contains("within")) {
    open.remove();
  } else {
    const shape = document.querySelector(`#shape-${link.dataset.shape} .members`).cloneNode(true);
    for (const inner of shape.querySelectorAll(".within")) inner.remove();
    const within = document.createElement("span");
    within.className = "within";
    within.append(shape);
    link.after(within);
  }
  link.setAttribute("aria-expanded", String(Boolean(link.nextElementSibling?.classList.contains("within"))));
});

// --- trying

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const output = form.querySelector("output");
  const { address, options } = request(form);
  output.textContent = "…";
  try {
    const answer = await fetch(address, options);
    show(output, `${answer.status} ${answer.statusText}`, answer.headers.get("x-request-id"), pretty(await answer.text()));
  } catch (error) {
    show(output, "no answer", "", String(error));
  }
});

function request(form) {
  const query = new URLSearchParams();
  let path = form.dataset.path;
  for (const input of form.querySelectorAll("input")) {
    if (input.dataset.in === "path") path = path.replace(`{${input.name}}`, encodeURIComponent(input.value.trim()));
    else if (input.value) query.set(input.name, input.value);
  }
  const headers = key.value.trim() ? { Authorization: `Bearer ${key.value.trim()}` } : {};
  const body = form.querySelector("textarea")?.value;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const address = query.size ? `${path}?${query}` : path;
  return { address, options: { method: form.dataset.method, headers, body } };
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function show(output, status, id, body) {
  const head = document.createElement("p");
  head.textContent = id ? `${status} (${id})` : status;
  const pre = document.createElement("pre");
  pre.tabIndex = 0;
  pre.textContent = body;
  output.replaceChildren(head, pre);
}

fill();
