// The list beside a chart: of each line its number in its colour, its name, its value, a note, and the button that takes it away.
"use strict";
window.bessPlotLegend = (() => {
  const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8], // each has its colour in the style sheet
    MOST = NUMBERS.length;

  // The first number that no other line has.
  function freeNumber(taken) {
    return NUMBERS.find((number) => !taken.includes(number));
  }

  function colourOf(number) {
    return bess.colour(`trend-${number}`);
  }

  function recolour(lines) {
    for (const line of lines) line.colour = colourOf(line.number);
  }

  // Its row, and in it the elements of its value and of the note on it.
  function rowOf(number, name, label, remove) {
    const row = document.createElement("li"),
      badge = part(row, "span", "badge");
    badge.style.setProperty("--colour", `var(--trend-${number})`);
    badge.textContent = number;
    const title = part(row, "span", "name");
    title.textContent = title.title = name;
    const value = part(row, "span", "value"),
      button = part(row, "button", "plain");
    button.type = "button";
    button.textContent = "×";
    button.setAttribute("aria-label", label.replace("{name}", name));
    button.addEventListener("click", remove);
    return { row, value, note: part(row, "small", "more live") };
  }

  function part(row, kind, name) {
    const element = row.appendChild(document.createElement(kind));
    element.className = name;
    return element;
  }

  return { MOST, freeNumber, colourOf, recolour, rowOf };
})();
