// The statement page works without this. It shows your line while you write, spends a little work instead of a
// puzzle, and keeps the number fresh.
const form = document.querySelector("form.form");
if (form) {
  const field = (name) => form.elements[name];
  const line = form.querySelector("#line");
  const first = (word) => word.match(/.\p{M}*/u)[0];
  const initials = (name) => {
    const words = name.match(/[\p{L}\p{M}\p{N}\p{S}]\S*/gu) || [];
    if (words.length > 3) words.splice(2, words.length - 3);
    return words.map((word) => first(word).toUpperCase() + ".").join(" ");
  };
  const show = () => {
    const organisation = field("kind").value === "organisation";
    const shown = organisation ? "full" : field("display").value;
    const name = field("name").value.trim();
    const choice = field("discipline").selectedOptions[0];
    const bold = document.createElement("b");
    bold.textContent = (shown === "initials" ? initials(name) : name) || line.dataset.name;
    bold.dir = "auto";
    const after = shown === "initials" ? choice.value && choice.text : organisation ? "" : field("role").value.trim();
    if (shown === "counted") line.replaceChildren(line.dataset.counted);
    else line.replaceChildren(bold, after ? ", " + after : "");
  };
  form.addEventListener("input", show);
  form.querySelector(".pre").hidden = false;
  show();

  let started = false;
  form.addEventListener("focusin", async () => {
    if (started) return;
    started = true;
    const answer = await fetch(form.dataset.work, { cache: "no-store" }).then((r) => r.json()).catch(() => null);
    if (!answer) return;
    const worker = new Worker(form.dataset.worker);
    worker.onmessage = ({ data }) => {
      field("challenge").value = answer.challenge;
      field("solution").value = data;
    };
    worker.postMessage(answer);
  });
}

const numbers = document.querySelectorAll("[data-count]");
const fresh = async () => {
  if (document.hidden) return;
  const answer = await fetch(numbers[0].dataset.url).then((r) => r.json()).catch(() => null);
  if (!answer) return;
  for (const number of numbers) {
    number.textContent = answer[number.dataset.count].toLocaleString(document.documentElement.lang);
  }
};
if (numbers.length) setInterval(fresh, 60000);
