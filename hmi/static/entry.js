// The pad on which a number is typed: keys, keyboard, and what is wrong with it as it is typed. The server judges it again.
"use strict";
(() => {
  const DIGITS = /^-?(\d+\.?\d*|\.\d+)$/;

  function wrong(text, wanted) {
    const texts = wanted.texts;
    if (text === "" || text === "-") return texts.empty;
    if (!DIGITS.test(text)) return texts.number;
    const number = Number(text);
    if (wanted.whole && !Number.isInteger(number)) return texts.whole;
    if (wanted.low !== null && number < wanted.low) return texts.low;
    if (wanted.high !== null && number > wanted.high) return texts.high;
    return "";
  }

  function clean(text, wanted) { // what no number has is not typed at all; a comma is a point, as on many keyboards
    let left = text.replaceAll(",", ".").replaceAll("\u2212", "-");
    const sign = left.trimStart().startsWith("-") ? "-" : "";
    left = left.replace(/[^0-9.]/g, "");
    const point = left.indexOf(".");
    if (point >= 0) left = left.slice(0, point + 1) + left.slice(point + 1).replaceAll(".", "");
    return (sign + left).slice(0, wanted.longest);
  }

  function start(pad) {
    const wanted = JSON.parse(pad.dataset.pad), input = pad.querySelector("input");
    const why = pad.querySelector(".why"), ok = pad.querySelector('[data-key="ok"]');
    let isSent = false;

    function judge(isAsked) {
      const text = clean(input.value, wanted);
      if (text !== input.value) input.value = text;
      const fault = wrong(text, wanted);
      ok.setAttribute("aria-disabled", String(fault !== ""));
      why.textContent = text === "" && !isAsked ? "" : fault;
      input.setAttribute("aria-invalid", String(fault !== "" && text !== "" && text !== "-"));
      return fault;
    }

    function send() {
      if (isSent) return; // one touch, one value
      if (judge(true)) return input.focus({ preventScroll: true });
      isSent = true;
      pad.dispatchEvent(new CustomEvent("entered", { detail: input.value, bubbles: true }));
    }

    function press(key) {
      const text = input.value;
      if (key === "ok") return send();
      if (key === "cancel") return pad.dispatchEvent(new CustomEvent("left", { bubbles: true }));
      if (key === "clear") input.value = "";
      else if (key === "back") input.value = text.slice(0, -1);
      else if (key === "sign") input.value = text.startsWith("-") ? text.slice(1) : `-${text}`;
      else input.value = text + key;
      judge(false);
      input.focus({ preventScroll: true });
    }

    pad.addEventListener("click", (event) => {
      const key = event.target.closest("[data-key]");
      if (key) press(key.dataset.key);
    });
    input.addEventListener("input", () => judge(false));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.repeat) { event.preventDefault(); send(); }
    });
    pad.addEventListener("keydown", (event) => { // whoever has touched a key may go on by keyboard
      if (event.target !== input && /^[0-9.,-]$|^Backspace$/.test(event.key)) input.focus({ preventScroll: true });
    });
    pad.bessSay = (text) => { isSent = false; why.textContent = text; };
    input.focus({ preventScroll: true });
  }

  function begin(mark, tries = 60) { // the dialog is drawn a few frames after this is called
    const pad = document.getElementById(mark);
    if (pad) start(pad);
    else if (tries) requestAnimationFrame(() => begin(mark, tries - 1));
  }

  window.bessEntry = { begin, say: (mark, text) => document.getElementById(mark)?.bessSay(text) };
})();
