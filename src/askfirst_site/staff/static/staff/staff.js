// Keys for the queue: j and k move, x ticks, the letter on a button presses it. Without this file everything works by
// mouse, touch and tab.
const cards = [...document.querySelectorAll("[data-card]")];
if (cards.length) {
  for (const hidden of document.querySelectorAll(".keys, kbd[hidden]")) hidden.hidden = false;
  const current = () => cards.indexOf(document.activeElement?.closest("[data-card]"));
  const go = (step) => {
    const next = Math.min(cards.length - 1, Math.max(0, current() + step));
    cards[next].focus();
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(input|textarea|select)$/i.test(event.target.tagName) && event.target.type !== "checkbox") return;
    const key = event.key.toLowerCase();
    if (key === "j") go(1);
    else if (key === "k") go(-1);
    else {
      const card = cards[current()];
      if (!card) return;
      if (key === "x") card.querySelector("[type=checkbox]").click();
      else {
        const button = [...card.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
        if (!button) return;
        button.click();
      }
    }
    event.preventDefault();
  });
}
