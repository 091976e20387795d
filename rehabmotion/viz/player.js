"use strict";
// The player around the drawing: data, clock, controls. One clock for all panels; shorter clips hold their last frame.

const $ = (id) => document.getElementById(id);
const START = { yaw: 0.55, pitch: 0.16, zoom: 1 };
const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** A panel's clip: positions(i) as little-endian int16 counts of `unit` metres, the mask one bit per joint. */
function unpack(panel) {
  const bytes = bytesOf(panel.positions);
  const raw = new DataView(bytes.buffer);
  const joints = panel.names.length;
  const values = new Float32Array(panel.frames * joints * 3);
  for (let i = 0; i < values.length; i++) values[i] = raw.getInt16(2 * i, true) * panel.unit;
  const bits = panel.mask ? bytesOf(panel.mask) : null;
  const isValid = (frame, j) => {
    const at = frame * joints + j;
    return !bits || ((bits[at >> 3] >> (7 - (at & 7))) & 1) === 1;
  };
  const parts = panel.parts.map(([side, unless, group, spheres]) => ({
    side, unless, group, spheres, joints: [...new Set(spheres.flatMap(([, weights]) => weights.map(([j]) => j)))],
  }));
  return { ...panel, values, isValid, parts, joints };
}

/** Joints at a time: linear between frames, the ends held; a joint counts where both frames have it. */
function sample(clip, seconds) {
  const at = Math.min(Math.max(seconds * clip.fps, 0), clip.frames - 1);
  const below = Math.floor(at + 1e-6);
  const above = Math.min(below + 1, clip.frames - 1);
  const share = Math.max(at - below, 0);
  const size = clip.joints * 3;
  const points = new Float32Array(size);
  for (let i = 0; i < size; i++) points[i] = mix(clip.values[below * size + i], clip.values[above * size + i], share);
  const mask = clip.names.map((_, j) => clip.isValid(below, j) && (share < 1e-6 || clip.isValid(above, j)));
  return { points, mask };
}

const add = (parent, tag, cls, text) => {
  const node = document.createElement(tag);
  if (cls) node.className = cls;
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
};

function buildPanel(clip, index) {
  const figure = add($("panels"), "figure");
  const canvas = add(figure, "canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `3D view ${index + 1}: ${clip.label}. Arrow keys turn it, plus and minus zoom.`);
  const caption = add(figure, "figcaption");
  add(caption, "p", "label", clip.label);
  if (clip.text && clip.text !== clip.label) add(caption, "p", "text", clip.text);
  if (clip.scores.length) {
    const row = add(caption, "p", "scores");
    for (const [name, value, range, direction, meaning] of clip.scores) {
      const chip = add(row, "span", "score");
      chip.title = meaning;
      chip.append(`${name} `);
      add(chip, "b", "", value);
      add(chip, "span", "", ` ${range}`);
      add(chip, "span", "direction", `, ${direction}`);
    }
  }
  const missing = clip.mask ? add(caption, "p", "missing", "") : null;
  return { clip, canvas, missing, context: canvas.getContext("2d", { alpha: false }), view: { ...START } };
}

const clips = JSON.parse($("data").textContent).map(unpack);
const panels = clips.map(buildPanel);
const duration = Math.max(...clips.map((c) => c.frames / c.fps));
const step = 1 / Math.max(...clips.map((c) => c.fps));
const frame = { height: Math.max(...clips.map((c) => c.height)), radius: Math.max(...clips.map((c) => c.radius)) };
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const floors = new Map();
let theme = readTheme();
let dirty = true;
let last = null;

const state = {
  time: 0,
  playing: false,
  nFrames: Math.max(1, Math.round(duration / step)),
  drawnFrames: 0,
  duration,
  seek(seconds) { state.time = Math.min(Math.max(Number(seconds) || 0, 0), duration); dirty = true; },
  play() {
    if (state.time >= duration - step / 2) state.time = 0;
    state.playing = true;
    showPlaying();
  },
  pause() { state.playing = false; showPlaying(); },
};
window.rehabmotion = state;

function showPlaying() {
  $("play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
  $("play-icon").setAttribute("d", state.playing ? "M7 5h4v14H7zM13 5h4v14h-4z" : "M8 5v14l11-7z");
  dirty = true;
}

function draw() {
  const pixel = Math.min(window.devicePixelRatio || 1, 2.5);
  for (const { clip, canvas, context, view, missing } of panels) {
    const box = canvas.getBoundingClientRect();
    if (box.bottom < -50 || box.top > window.innerHeight + 50) continue; // scrolled away
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((v) => Math.max(1, Math.round(v * pixel)));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const { points, mask } = sample(clip, state.time);
    const camera = makeCamera(view, width, height, frame);
    context.drawImage(floorFor(view, width, height, camera), 0, 0);
    const shadow = $("grid").checked && view.pitch > 0.01;
    drawPerson(context, camera, clip, points, mask, theme, { shadow, names: $("names").checked, pixel });
    if (missing) showMissing(missing, clip, mask);
  }
  $("time").value = state.time;
  $("time").setAttribute("aria-valuetext", `${state.time.toFixed(2)} seconds`);
  $("clock").textContent = `${state.time.toFixed(2)} / ${duration.toFixed(2)} s`;
  state.drawnFrames += 1;
}

/** The empty stage, drawn once for each camera and size: hundreds of lines that seldom change. */
function floorFor(view, width, height, camera) {
  const key = [view.yaw, view.pitch, view.zoom, width, height, $("grid").checked].join();
  if (!floors.has(key)) {
    if (floors.size >= panels.length + 1) floors.clear();
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    drawFloor(canvas.getContext("2d", { alpha: false }), camera, frame, theme, $("grid").checked);
    floors.set(key, canvas);
  }
  return floors.get(key);
}

function showMissing(node, clip, mask) {
  const lost = clip.names.filter((_, j) => !mask[j]);
  const list = lost.length > 4 ? `${lost.length} of ${clip.joints} joints` : lost.join(", ").replaceAll("_", " ");
  const text = lost.length ? `Not measured here: ${list}` : "";
  if (node.textContent !== text) node.textContent = text;
}

function tick(now) {
  const passed = last === null ? 0 : Math.min((now - last) / 1000, 0.25); // a hidden tab must not jump
  last = now;
  if (state.playing) {
    state.time += passed * Number($("speed").value);
    if (state.time >= duration) {
      if ($("loop").checked) state.time %= duration;
      else { state.time = duration; state.pause(); }
    }
    dirty = true;
  }
  if (dirty) { dirty = false; draw(); }
  requestAnimationFrame(tick);
}

/** Columns so that people come out largest, more columns where that is equal; canvases as tall as there is room. */
function layout() {
  const width = $("panels").clientWidth;
  const others = document.querySelector("header").offsetHeight + document.querySelector("footer").offsetHeight;
  const fit = (columns) => {
    const across = width / columns;
    const rows = Math.ceil(panels.length / columns);
    const captions = Math.max(...panels.map((p) => p.canvas.nextSibling.offsetHeight));
    const room = (window.innerHeight - others - 20) / rows - captions - 14;
    const height = Math.min(Math.max(room, 230), Math.max(1.45 * across, 260));
    return { columns, height, size: Math.min(height / (1.12 * frame.height), across / (2 * frame.radius)) };
  };
  let best = { size: 0 };
  for (let columns = 1; columns <= panels.length; columns++) {
    const rows = Math.ceil(panels.length / columns);
    if (Math.ceil(panels.length / rows) !== columns) continue; // the same rows with a gap at the end
    const found = fit(columns);
    if (found.size >= 0.97 * best.size) best = found;
  }
  $("panels").style.setProperty("--columns", best.columns);
  $("panels").style.setProperty("--canvas", `${Math.round(fit(best.columns).height)}px`); // captions wrap anew
  dirty = true;
}

function turn(panel, yaw, pitch, zoom = 1) {
  for (const { view } of $("link").checked ? panels : [panel]) {
    view.yaw += yaw;
    view.pitch = Math.min(Math.max(view.pitch + pitch, -0.35), 1.5);
    view.zoom = Math.min(Math.max(view.zoom * zoom, 0.4), 6);
  }
  dirty = true;
}

function setView(change) {
  for (const { view } of panels) Object.assign(view, change);
  dirty = true;
}

function listenToCanvas(panel) {
  const fingers = new Map();
  const spread = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a.x - b.x, a.y - b.y); };
  panel.canvas.addEventListener("pointerdown", (e) => {
    panel.canvas.setPointerCapture(e.pointerId);
    fingers.set(e.pointerId, { x: e.clientX, y: e.clientY });
  });
  panel.canvas.addEventListener("pointermove", (e) => {
    const finger = fingers.get(e.pointerId);
    if (!finger) return;
    const before = fingers.size === 2 ? spread() : 0;
    const [dx, dy] = [e.clientX - finger.x, e.clientY - finger.y];
    Object.assign(finger, { x: e.clientX, y: e.clientY });
    turn(panel, (-dx * 0.009) / fingers.size, (dy * 0.006) / fingers.size, before ? spread() / before : 1);
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
    panel.canvas.addEventListener(type, (e) => fingers.delete(e.pointerId));
  }
  panel.canvas.addEventListener("wheel", (e) => {
    e.preventDefault();
    turn(panel, 0, 0, Math.exp(-Math.min(Math.max(e.deltaY, -200), 200) * 0.0015));
  }, { passive: false });
  panel.canvas.addEventListener("dblclick", () => turnBack(panel));
  panel.canvas.addEventListener("keydown", (e) => {
    const keys = {
      ArrowLeft: [-0.12, 0], ArrowRight: [0.12, 0], ArrowUp: [0, 0.08], ArrowDown: [0, -0.08],
      "+": [0, 0, 1.1], "=": [0, 0, 1.1], "-": [0, 0, 1 / 1.1],
    };
    if (!keys[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
    turn(panel, ...keys[e.key]);
    e.preventDefault();
    e.stopPropagation();
  });
}

function turnBack(panel) {
  for (const { view } of $("link").checked ? panels : [panel]) Object.assign(view, START);
  dirty = true;
}

function listen() {
  panels.forEach(listenToCanvas);
  $("time").max = duration;
  $("play").addEventListener("click", () => (state.playing ? state.pause() : state.play()));
  $("time").addEventListener("input", () => { state.pause(); state.seek($("time").value); });
  for (const id of ["names", "grid"]) $(id).addEventListener("change", () => { dirty = true; });
  $("link").addEventListener("change", () => { if ($("link").checked) setView(panels[0].view); });
  $("reset").addEventListener("click", () => setView(START));
  $("front").addEventListener("click", () => setView({ yaw: 0, pitch: 0.08 }));
  $("side").addEventListener("click", () => setView({ yaw: Math.PI / 2, pitch: 0.08 }));
  $("link-label").hidden = panels.length < 2;
  document.addEventListener("keydown", (e) => {
    const typing = ["SELECT", "INPUT", "BUTTON"].includes(e.target.tagName);
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === " " && (!typing || e.target === $("time"))) state.playing ? state.pause() : state.play();
    else if (e.key === "ArrowLeft" && (!typing || e.target === $("time"))) move(-1);
    else if (e.key === "ArrowRight" && (!typing || e.target === $("time"))) move(1);
    else if (e.key === "Home" && !typing) state.seek(0);
    else if (e.key === "End" && !typing) state.seek(duration);
    else return;
    e.preventDefault();
  });
  window.addEventListener("resize", layout);
  window.addEventListener("scroll", () => { dirty = true; }, { passive: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    theme = readTheme();
    floors.clear();
    dirty = true;
  });
}

function move(frames) {
  state.pause();
  state.seek((Math.round(state.time / step) + frames) * step);
}

listen();
layout();
if (calm.matches) state.pause(); else state.play();
requestAnimationFrame(tick);
