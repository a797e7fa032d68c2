// The receipt page loads itself again as soon as the receipt is ready.
const waiting = document.querySelector("#waiting");
const look = async () => {
  const answer = await fetch(waiting.dataset.url, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.reload();
  else setTimeout(look, 1500);
};
if (waiting) setTimeout(look, 1500);
