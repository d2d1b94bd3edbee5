"use strict";

const WORDS = {
  en: {
    wait: "Waiting for the camera…", ended: "No more pictures", other: "Tiếng Việt",
    hold_up: "Hold up a code where people will", closer: "Move the code or the camera closer",
    farther: "Too near: move it farther away", focus: "Out of focus: turn the lens, or find the best focus below",
    still: "Or it moves: hold it still", more_light: "Too dark: more light, or a longer exposure",
    less_light: "Much is burnt out: turn the camera away from lamps and windows",
    turn_lamp: "A reflection covers the code: turn the lamp, or tilt the camera a little",
    whole: "The code is cut off: all of it must be in the picture", other_code: "Damaged or bent: try another code",
    good: "Good",
    module: "Module of the code", sharpness: "Sharpness", light: "Light on white", glare: "Burnt out",
    pace: "frames a second", sweep_focus: "Find the best focus", sweep_exposure: "Find the best exposure",
    fixed: "This camera cannot be steered: turn its lens by hand.",
    found_focus: "Best focus. Write into gate.yaml:", found_exposure: "Best exposure. Write into gate.yaml:",
    not_read: "No code was read at any setting; this was the clearest:",
    read_as: "Read as", answers: "the gate answers", granted: "granted", denied: "denied", attention: "attention",
  },
  vi: {
    wait: "Đang chờ máy ảnh…", ended: "Không còn hình nữa", other: "English",
    hold_up: "Đưa mã vào chỗ người qua cổng sẽ đưa", closer: "Đưa mã hoặc máy ảnh lại gần hơn",
    farther: "Gần quá: đưa ra xa hơn", focus: "Chưa nét: xoay ống kính, hoặc bấm tìm tiêu cự bên dưới",
    still: "Hoặc mã đang rung: giữ yên tay", more_light: "Tối quá: thêm đèn, hoặc phơi sáng lâu hơn",
    less_light: "Nhiều chỗ bị cháy sáng: quay máy ảnh tránh đèn và cửa sổ",
    turn_lamp: "Bị lóa: xoay đèn, hoặc nghiêng máy ảnh một chút",
    whole: "Mã bị cắt: phải thấy trọn cả mã", other_code: "Mã bị hỏng hoặc cong: thử mã khác",
    good: "Tốt",
    module: "Ô vuông của mã", sharpness: "Độ nét", light: "Độ sáng của giấy trắng", glare: "Cháy sáng",
    pace: "khung hình mỗi giây", sweep_focus: "Tìm tiêu cự tốt nhất", sweep_exposure: "Tìm độ phơi sáng tốt nhất",
    fixed: "Máy ảnh này không chỉnh được từ xa: xoay ống kính bằng tay.",
    found_focus: "Tiêu cự tốt nhất. Ghi vào gate.yaml:", found_exposure: "Độ phơi sáng tốt nhất. Ghi vào gate.yaml:",
    not_read: "Không mức nào đọc được mã; rõ nhất là:",
    read_as: "Đọc được:", answers: "cổng trả lời", granted: "cho qua", denied: "từ chối", attention: "lưu ý",
  },
};

const SVG = "http://www.w3.org/2000/svg";
const at = (id) => document.getElementById(id);
const wished = new URLSearchParams(location.search).get("lang") || navigator.language.slice(0, 2);
let language = wished in WORDS ? wished : "en";
let shown = null;

const METERS = [
  { name: "module", value: (m) => m.module_px, text: (v) => `${v.toFixed(1)} px`, most: 8, least: 3, code: true },
  { name: "sharpness", value: (m) => m.sharpness, text: (v) => v.toFixed(2), most: 1, least: 0.28, code: true },
  { name: "light", value: (m) => m.white, text: (v) => `${v} / 255`, most: 255, least: 100 },
  { name: "glare", value: (m) => m.burnt_share, text: (v) => `${(v * 100).toFixed(1)} %`, most: 0.2, below: 0.05 },
];

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function meters(words, measures) {
  const has_code = measures.side_px > 0;
  at("meters").replaceChildren(...METERS.map((meter) => {
    const box = make("div", "meter"), bar = make("div", "bar"), level = make("i"), goal = make("b");
    const value = meter.value(measures), absent = meter.code && !has_code;
    const limit = meter.least ?? meter.below;
    bar.classList.toggle("fine", meter.least !== undefined ? value >= limit : value <= limit);
    level.style.width = `${absent ? 0 : Math.min(value / meter.most, 1) * 100}%`;
    goal.style.left = `${(limit / meter.most) * 100}%`;
    bar.append(level, goal);
    box.append(make("span", "", words[meter.name]), make("span", "value", absent ? "–" : meter.text(value)), bar);
    return box;
  }));
}

function outlines(sight) {
  const svg = at("codes");
  svg.setAttribute("viewBox", `0 0 ${sight.width} ${sight.height}`);
  svg.replaceChildren(...sight.codes.map((code) => {
    const polygon = document.createElementNS(SVG, "polygon");
    polygon.setAttribute("points", code.corners.map((corner) => corner.join(",")).join(" "));
    polygon.setAttribute("class", code.outcome || "unread");
    return polygon;
  }));
}

function best(words, sight) {
  const place = at("best"), found = sight.best;
  place.replaceChildren();
  if (!sight.steerable) { place.textContent = words.fixed; return; }
  if (!found) return;
  const key = found.setting === "focus" ? "focus_dioptres" : "exposure_us";
  const told = found.read ? words[`found_${found.setting}`] : words.not_read;
  place.append(`${told} `, make("code", "", `camera: {picamera2: {${key}: ${found.value}}}`));
}

function advise(words, sight) {
  const [first, ...rest] = sight.measures.advice;
  const advice = at("advice");
  advice.textContent = words[first];
  advice.className = first === "good" ? "good" : first === "hold_up" ? "wait" : sight.measures.read ? "warn" : "bad";
  at("more").replaceChildren(...rest.map((word) => make("li", "", words[word])));
  at("answer").textContent = sight.codes.filter((code) => code.kind)
    .map((code) => `${words.read_as} ${code.kind}; ${words.answers}: ${words[code.outcome]} (${code.reason})`).join(" · ");
}

function draw() {
  const words = WORDS[language];
  document.documentElement.lang = language;
  at("language").textContent = words.other;
  for (const button of document.querySelectorAll("[data-setting]")) {
    button.textContent = words[`sweep_${button.dataset.setting}`];
    button.disabled = !shown || !shown.steerable || shown.sweeping !== null;
  }
  if (!shown) { at("advice").textContent = words.wait; return; }
  at("picture").src = shown.picture;
  at("view").style.aspectRatio = `${shown.width} / ${shown.height}`;
  at("pace").textContent = `${shown.frames_per_second} ${words.pace}`;
  at("progress").hidden = shown.sweeping === null;
  at("progress").value = shown.progress;
  outlines(shown);
  advise(words, shown);
  meters(words, shown.measures);
  best(words, shown);
}

async function follow() {
  for (;;) {
    try {
      const answer = await fetch(`/sight?after=${shown ? shown.number : 0}`);
      if (!answer.ok) throw new Error(await answer.text());
      const told = await answer.json();
      if (told.number) { shown = told; draw(); }
      if (told.trouble) throw new Error(told.trouble);
    } catch (error) {
      at("advice").className = "bad";
      at("advice").textContent = `${WORDS[language].ended}: ${error.message}`;
      return;
    }
  }
}

at("language").addEventListener("click", () => { language = language === "vi" ? "en" : "vi"; draw(); });
for (const button of document.querySelectorAll("[data-setting]")) {
  button.addEventListener("click", () => fetch("/sweep", { method: "POST", body: button.dataset.setting }));
}
draw();
follow();
