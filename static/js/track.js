// A record's stages: where they do not all fit, the bar begins at the stage that the record is in. It is moved again only
// when the record has moved, so that whoever scrolls it keeps their place through live updates.

const shown = new WeakMap();

function centre(track) {
  const here = track.querySelector("[aria-current]");
  const stage = here?.textContent;
  if (!here || shown.get(track) === stage) return;
  shown.set(track, stage);
  const bar = track.getBoundingClientRect();
  const step = here.getBoundingClientRect();
  // By distance, not by scrollLeft: that counts from the other side where one writes from right to left.
  track.scrollBy({ left: step.left + step.width / 2 - (bar.left + bar.width / 2), behavior: "instant" });
}

const all = () => document.querySelectorAll(".track").forEach(centre);
all();
new MutationObserver(all).observe(document.getElementById("main"), {
  subtree: true, childList: true, attributes: true, attributeFilter: ["aria-current"],
});
