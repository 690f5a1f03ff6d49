// The training tab: the same ten noises through the episodes of a run, and its losses.

const CURVES = {  // as plots/curves.py: a colour (Okabe and Ito 2008) and dashes
  "loss/discriminator": ["discriminator", "#0072b2", ""],
  "loss/determinator": ["determinator", "#009e73", "8 4"],
  "loss/generator_real": ["generator: does it look real", "#d55e00", "8 3 2 3"],
  "loss/generator_digit": ["generator: is it what was asked for", "#e69f00", "2 3"],
};
const WIDTH = 600, HEIGHT = 220;  // of the curves
const EPISODE = 700;  // ms, when it plays

// episodes: their numbers; steps of each; images: base64 of [episodes, 10, 784] bytes, ink 255;
// curves: of each tag its [step, loss] points.
function showTraining({episodes, steps, images, curves}) {
  for (const button of document.querySelectorAll("[data-tab]"))
    button.onclick = () => {
      for (const other of document.querySelectorAll("[data-tab]")) {
        other.setAttribute("aria-pressed", other === button);
        get(other.dataset.tab).hidden = other !== button;
      }
    };
  get("training").hidden = true;
  const bytes = Uint8Array.from(atob(images), c => c.charCodeAt());
  const lastStep = steps.at(-1), tags = Object.keys(CURVES).filter(tag => curves[tag]);
  const all = tags.flatMap(tag => curves[tag].map(([, loss]) => loss)).sort((a, b) => a - b);
  const most = all[Math.floor(0.98 * (all.length - 1))] || 1;  // a spike leaves room for the rest
  const place = ([step, loss]) =>
    [step / lastStep * WIDTH, HEIGHT * (1 - Math.min(loss / most, 1))].map(v => v.toFixed(1));
  const path = (tag, points) =>
    `<path d="${points.length ? `M${points.map(place).join("L")}` : ""}"`
    + ` stroke="${CURVES[tag][1]}" stroke-dasharray="${CURVES[tag][2]}"/>`;
  get("training-legend").innerHTML = tags.map(tag =>
    `<li><svg viewBox="0 0 40 8"><path d="M0 4H40" stroke-width="3" stroke="${CURVES[tag][1]}"`
    + ` stroke-dasharray="${CURVES[tag][2]}"/></svg>${CURVES[tag][0]}</li>`).join("");
  const show = () => {
    const i = Number(get("training-place").value), count = episodes[i];
    get("training-episode").textContent =
      `${count} episode${count === 1 ? "" : "s"}, ${steps[i]} steps`;
    const ten = Array.from({length: 10}, (_, k) =>
      Array.from(bytes.subarray((10 * i + k) * 784, (10 * i + k + 1) * 784), v => v / 255));
    paint(get("training-images"), ten, 10);
    get("training-curves").innerHTML = tags.map(tag =>
      path(tag, curves[tag].filter(([step]) => step <= steps[i]))).join("");
  };
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    get("training-play").textContent = "play";
  };
  get("training-play").onclick = () => {
    if (timer) return stop();
    const slider = get("training-place");
    if (Number(slider.value) === episodes.length - 1) slider.value = 0;
    get("training-play").textContent = "pause";
    timer = setInterval(() => {
      slider.value = Number(slider.value) + 1;
      show();
      if (Number(slider.value) === episodes.length - 1) stop();
    }, EPISODE);
    show();
  };
  get("training-place").max = episodes.length - 1;
  get("training-place").value = episodes.length - 1;
  get("training-place").oninput = () => {
    stop();
    show();
  };
  get("inverted").addEventListener("change", show);
  show();
}
