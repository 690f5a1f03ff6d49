// The training tab: the same ten noises through the episodes of a run, and its losses.

const CURVES = {  // colours as in plots/style.mplstyle (Okabe and Ito 2008)
  "loss/discriminator": ["discriminator", "#0072b2"],
  "loss/determinator": ["determinator", "#009e73"],
  "loss/generator_real": ["generator: does it look real", "#d55e00"],
  "loss/generator_digit": ["generator: is it what was asked for", "#e69f00"],
  "loss/reconstruction": ["reconstruction of real images", "#cc79a7"],
};
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
  const tags = Object.keys(CURVES).filter(tag => curves[tag]);
  const chart = (tag, last) => {
    const losses = curves[tag].map(([, loss]) => loss);
    const least = Math.min(...losses, 0), most = Math.max(...losses, least + 1e-9);
    const points = curves[tag].filter(([step]) => step <= last)
      .map(([step, loss]) =>
        `${100 * step / steps.at(-1)} ${99 - 97 * (loss - least) / (most - least)}`);
    const [name, colour] = CURVES[tag];
    return `<figure><svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">`
      + `<path d="M${points.join("L")}" stroke="${colour}"/></svg>`
      + `<figcaption>${name}, ${Number(least.toPrecision(2))} to ${Number(most.toPrecision(2))}`
      + `</figcaption></figure>`;
  };
  const show = () => {
    const i = Number(get("training-place").value), count = episodes[i];
    get("training-episode").textContent =
      `${count} episode${count === 1 ? "" : "s"}, ${steps[i]} steps`;
    const ten = Array.from({length: 10}, (_, k) =>
      Array.from(bytes.subarray((10 * i + k) * 784, (10 * i + k + 1) * 784), v => v / 255));
    paint(get("training-images"), ten, innerWidth < 700 ? 5 : 10);
    get("training-curves").innerHTML = tags.map(tag => chart(tag, steps[i])).join("");
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
