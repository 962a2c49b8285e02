"use strict";
// Once a second the server's own rendering takes the place of what is shown; forms are sent without leaving the page.
const second = 1000;
const state = document.getElementById("live");
const message = document.getElementById("message");
let isPressed = false;

function show(part) {
  const old = document.getElementById(part.id);
  for (const open of old.querySelectorAll("details[open][id]")) part.querySelector(`#${open.id}`)?.setAttribute("open", "");
  if (old.outerHTML === part.outerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : null;
  old.replaceWith(part);
  if (focused !== null) (document.getElementById(focused) ?? part).focus({ preventScroll: true });
}

function take(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  page.querySelectorAll("[data-live]").forEach(show);
  return page;
}

function isHeld() {
  const selection = getSelection();
  const parts = [...document.querySelectorAll("[data-live]")];
  const isSelected = !selection.isCollapsed && parts.some((part) => selection.containsNode(part, true));
  return isPressed || isSelected || document.hidden;
}

async function newest() {
  if (isHeld()) return "Paused";
  const response = await fetch("/_emulator/live");
  const html = await response.text();
  if (response.ok && !isHeld()) take(html);
  return response.ok ? "Live" : "No response";
}

async function refresh() {
  state.textContent = await newest().catch(() => "No response");
  state.className = state.textContent === "Live" ? "" : "stopped";
}

async function send(form, button) {
  try {
    const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, button)) });
    const said = take(await response.text()).getElementById("message");
    message.textContent = said?.textContent ?? "The emulator did not accept this.";
    message.className = said?.className ?? "wrong";
  } catch {
    message.textContent = "The emulator does not respond.";
    message.className = "wrong";
  }
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target, event.submitter);
});
document.addEventListener("pointerdown", () => { isPressed = true; });
for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { isPressed = false; });
document.addEventListener("visibilitychange", refresh);
state.hidden = false;
(async function watch() {
  await refresh();
  setTimeout(watch, second);
})();
