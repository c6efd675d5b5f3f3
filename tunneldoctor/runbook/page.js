"use strict";
const field = document.getElementById("search");
const found = document.getElementById("found");
const contents = document.getElementById("contents");
const articles = [...document.querySelectorAll("article")].map(
  (element) => ({ element, text: `${element.id} ${element.textContent}`.toLowerCase() }));
const entries = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link.closest("li")]));
const groups = [...document.querySelectorAll("section"), ...document.querySelectorAll("nav li:has(> details)")];

function show(element, on) {
  element?.toggleAttribute("data-out", !on);
}

function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { element, text } of articles) {
    const on = words.every((word) => text.includes(word));
    show(element, on);
    show(entries.get(element.id), on);
    count += on;
  }
  for (const group of groups) {
    show(group, group.querySelector(group.matches("section") ? "article:not([data-out])" : "ul li:not([data-out])"));
  }
  for (const layer of contents.querySelectorAll("details")) layer.open = words.length > 0;
  found.textContent = words.length ? `${count} of ${articles.length} found` : "";
}

/* A link to what the search has put away ends the search. */
function arrive() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.closest("[data-out]")) {
    field.value = "";
    search();
    target.scrollIntoView();
  }
}

async function copy(button, block) {
  try {
    await navigator.clipboard.writeText(block.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(block);
    button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

for (const block of document.querySelectorAll("pre > code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", () => copy(button, block));
  block.parentElement.classList.add("copied-from");
  block.after(button);
}
document.querySelector("form").hidden = false;
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
field.addEventListener("input", search);
window.addEventListener("hashchange", arrive);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== field && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    field.focus();
  } else if (event.key === "Escape" && document.activeElement === field) {
    field.value = "";
    search();
  }
});
/* On a phone the contents would fill the first screens. */
if (matchMedia("(max-width: 62rem)").matches) contents.open = false;
