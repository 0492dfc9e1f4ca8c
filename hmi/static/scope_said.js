// What is said of the trace: whether it runs and whose it is, what was caught and how, and what lies between the cursors.
"use strict";
window.bessScopeSaid = (() => {
  function clock(ms) {
    return new Date(ms).toLocaleTimeString("en-GB") + `.${String(Math.floor(ms) % 1000).padStart(3, "0")}`;
  }

  // Beside the buttons: how it stands.
  function stateText(state, texts) {
    if (!state.begun) return texts.idle;
    const share = `${texts.filling} ${Math.round((100 * state.have) / state.of)} %`;
    const now = !state.running
      ? texts.ended.replace("{why}", state.why)
      : state.samples
        ? texts.running
        : state.triggered
          ? share
          : texts.waiting;
    return `${now} · ${texts.by.replace("{who}", state.who).replace("{time}", clock(state.begun / 1e6).slice(0, 8))}`;
  }

  // Below the chart: when it was, how often it was sampled, and what was missed.
  function caughtText(state, caught, texts) {
    const words = [];
    if (caught.when !== undefined) words.push((caught.trigger >= 0 ? texts.at : texts.from).replace("{time}", clock(caught.when)));
    if (state.begun)
      words.push(
        state.every > 1 ? texts.every.replace("{every}", state.every) : texts.eachScan.replace("{tick}", state.tick / 1e6),
      );
    if (state.windows) words.push(texts.windows.replace("{count}", state.windows));
    if (state.lost) words.push(texts.lost.replace("{count}", state.lost));
    if (caught.missing) words.push(texts.missing.replace("{count}", caught.missing));
    return words.join(" · ");
  }

  function betweenText([a, b], texts) {
    const span = b - a,
      rate = span ? ` · ${Math.abs(1 / span).toPrecision(4)} Hz` : "";
    return texts.between
      .replace("{a}", a.toFixed(4))
      .replace("{b}", b.toFixed(4))
      .replace("{span}", (span * 1000).toFixed(1))
      .replace("{rate}", rate);
  }

  return { stateText, caughtText, betweenText };
})();
