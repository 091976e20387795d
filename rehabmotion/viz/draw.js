"use strict";
// Drawing one person on a 2D canvas: spheres are projected, each part is the hull of its circles, filled in nested
// layers from dark rim to bright crown, far parts first. No GPU is needed.

const GHOST = 3; // the side of a part that stands for something not measured
const TAU = 2 * Math.PI;
const FOV = 0.5; // radians, vertical: a long lens, little distortion
const RING = 20; // points on each circle of a hull
const LAYERS = 24; // shades from rim to crown; small shapes take every second or fourth
const LIGHT = { x: -0.42, y: -0.5 }; // where the bright spot sits on a sphere, in radii, screen axes

const mix = (a, b, t) => a + (b - a) * t;
const parseColour = (hex) => [1, 3, 5].map((i) => parseInt(hex.trim().slice(i, i + 2), 16));
const rgb = (c, alpha = 1) => `rgba(${c.map((v) => Math.round(v)).join(",")},${alpha})`;

/** Colours from the style sheet, with the shades of the three body colours from rim (0) to crown. */
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => parseColour(style.getPropertyValue(name));
  const theme = {};
  for (const name of ["sky", "ground", "grid", "shadow", "edge", "ink", "panel"]) theme[name] = get(`--${name}`);
  theme.shades = ["--body", "--left", "--right"].map((name) => {
    const base = get(name);
    return Array.from({ length: LAYERS }, (_, k) => {
      const light = mix(0.5, 1.13, k / (LAYERS - 1)); // below 1 towards a cool shadow, above 1 towards white
      const shaded = base.map((v, i) => mix([18, 26, 44][i], v, Math.min(light, 1)));
      return rgb(shaded.map((v) => mix(v, 255, Math.max(light - 1, 0) * 2)));
    });
  });
  return theme;
}

/** A pinhole on an orbit around the middle of the stage; yaw 0 looks at the person's front, pitch > 0 from above. */
function makeCamera(view, width, height, stage) {
  const focal = height / 2 / Math.tan(FOV / 2);
  const fit = Math.max((1.12 * stage.height) / height, (2 * stage.radius) / width) * focal;
  const distance = (fit + stage.radius * 0.45) / view.zoom;
  const [sy, cy, sp, cp] = [Math.sin(view.yaw), Math.cos(view.yaw), Math.sin(view.pitch), Math.cos(view.pitch)];
  const middle = stage.height * 0.47;
  return {
    width, height,
    /** World point to [x px, y px, depth m, px per metre there]. */
    project(x, y, z) {
      const h = y - middle;
      const toward = x * sy * cp + h * sp + z * cy * cp;
      const depth = Math.max(distance - toward, 0.05);
      const k = focal / depth;
      const up = h * cp - sp * (x * sy + z * cy);
      return [width / 2 + k * (x * cy - z * sy), height / 2 - k * up, depth, k];
    },
  };
}

/** Convex hull of circles {x, y, r}: [circle, cos, sin] triples in order, so that every layer can reuse it. */
function hullOf(circles) {
  const points = [];
  circles.forEach((c, which) => {
    for (let i = 0; i < RING; i++) {
      const [u, v] = [Math.cos((i * TAU) / RING), Math.sin((i * TAU) / RING)];
      points.push([c.x + c.r * u, c.y + c.r * v, which, u, v]);
    }
  });
  points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const turn = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  const half = (list) => {
    const out = [];
    for (const p of list) {
      while (out.length > 1 && turn(out[out.length - 2], out[out.length - 1], p) <= 0) out.pop();
      out.push(p);
    }
    out.pop();
    return out;
  };
  return half(points).concat(half(points.reverse())).map((p) => [circles[p[2]], p[3], p[4]]);
}

/** Adds the hull to the path, each circle scaled about its centre, moved by a share of its radius and grown in px. */
function traceHull(path, hull, scale, shift, grow) {
  const inward = hull.dome * (1 - scale);
  hull.outline.forEach(([c, u, v], i) => {
    const r = c.r * scale + grow;
    const x = mix(c.x, hull.x, inward) + c.r * shift * LIGHT.x + r * u;
    const y = mix(c.y, hull.y, inward) + c.r * shift * LIGHT.y + r * v;
    if (i) path.lineTo(x, y); else path.moveTo(x, y);
  });
  path.closePath();
}

/** Signed distance in px from a point to the hull of two circles, and the share along its axis. */
function alongPair(a, b, x, y) {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const t = Math.min(Math.max(((x - a.x) * dx + (y - a.y) * dy) / (dx * dx + dy * dy + 1e-9), 0), 1);
  return [Math.hypot(x - a.x - t * dx, y - a.y - t * dy) - mix(a.r, b.r, t), t];
}

/** Depth of the front of a hull of circles where it covers a screen point, or Infinity where it does not. */
function depthOfHull(circles, x, y) {
  let [best, near] = [Infinity, Infinity];
  let [sum, weight, nearest] = [0, 0, Infinity]; // seen end-on, a broad part is as near as its near end
  circles.forEach((c, i) => {
    const front = c.depth - c.size;
    const away = Math.hypot(x - c.x, y - c.y);
    if (away - c.r < best) [best, near] = [away - c.r, front];
    if (away < 0.7 * c.r) nearest = Math.min(nearest, front);
    sum += front / (away + 1) ** 2;
    weight += 1 / (away + 1) ** 2;
    for (const other of circles.slice(i + 1)) {
      const [distance, t] = alongPair(c, other, x, y);
      if (distance < best) [best, near] = [distance, mix(front, other.depth - other.size, t)];
    }
  });
  if (best > 0) return Infinity;
  return circles.length > 3 ? Math.min(sum / weight, nearest) : near;
}

const depthAt = (unit, x, y) => Math.min(...unit.hulls.map((hull) => depthOfHull(hull.circles, x, y)));

/** Above 0 where a lies behind b, judged where they overlap on the screen; 0 where they do not. */
function isBehind(a, b) {
  if (a.x1 < b.x0 || b.x1 < a.x0 || a.y1 < b.y0 || b.y1 < a.y0) return 0;
  let sum = 0;
  for (const [p, q, sign] of [[a, b, 1], [b, a, -1]]) {
    for (const [x, y] of p.samples) {
      const other = depthAt(q, x, y);
      if (other < Infinity) sum += sign * (depthAt(p, x, y) - other);
    }
  }
  return sum;
}

/** Parts from far to near: pairwise where they overlap, else by their mean depth; a cycle is cut at the farthest. */
function sortByDepth(parts) {
  const before = parts.map(() => new Set());
  for (let i = 0; i < parts.length; i++) {
    for (let j = i + 1; j < parts.length; j++) {
      const d = isBehind(parts[i], parts[j]);
      if (d > 0) before[j].add(i); else if (d < 0) before[i].add(j);
    }
  }
  const left = new Set(parts.keys());
  const order = [];
  while (left.size) {
    let pick = -1;
    for (const free of [true, false]) {
      for (const i of left) {
        if (free && [...before[i]].some((k) => left.has(k))) continue;
        if (pick < 0 || parts[i].depth > parts[pick].depth) pick = i;
      }
      if (pick >= 0) break;
    }
    left.delete(pick);
    order.push(parts[pick]);
  }
  return order;
}

/** The spheres of one part on the screen: circles, their hull, and points along it to compare depths at. */
function placeHull(spheres, camera) {
  const circles = spheres.map(([x, y, z, size]) => {
    const [sx, sy, depth, k] = camera.project(x, y, z);
    return { x: sx, y: sy, depth, r: size * k, size };
  });
  const samples = circles.map((c) => [c.x, c.y]);
  for (let i = 0; i + 1 < circles.length; i++) {
    const [a, b] = [circles[i], circles[i + 1]];
    for (const t of [0.25, 0.5, 0.75]) samples.push([mix(a.x, b.x, t), mix(a.y, b.y, t)]);
  }
  const mean = (key) => circles.reduce((sum, c) => sum + c[key], 0) / circles.length;
  // a broad part is shaded as one dome, its layers drawn in towards the middle; a limb along its whole axis
  return { circles, samples, outline: hullOf(circles), x: mean("x"), y: mean("y"), dome: circles.length > 3 ? 0.55 : 0 };
}

/** What is sorted and drawn as one: a part, or the parts of a group. */
function makeUnit(side, hulls) {
  const circles = hulls.flatMap((hull) => hull.circles);
  const mean = circles.reduce((sum, c) => sum + c.depth, 0) / circles.length;
  return {
    side, hulls, depth: mean, samples: hulls.flatMap((hull) => hull.samples),
    x0: Math.min(...circles.map((c) => c.x - c.r)), x1: Math.max(...circles.map((c) => c.x + c.r)),
    y0: Math.min(...circles.map((c) => c.y - c.r)), y1: Math.max(...circles.map((c) => c.y + c.r)),
  };
}

function drawFloor(ctx, camera, stage, theme, withGrid) {
  const sky = ctx.createLinearGradient(0, 0, 0, camera.height);
  sky.addColorStop(0, rgb(theme.panel));
  sky.addColorStop(0.6, rgb(theme.sky));
  ctx.fillStyle = sky;
  ctx.fillRect(0, 0, camera.width, camera.height);
  if (!withGrid) return;
  const reach = Math.ceil(stage.radius * 2 + 1) / 2 + 0.5;
  for (let k = 24; k > 0; k--) { // discs of falling size: a floor that fades out
    ctx.beginPath();
    for (let i = 0; i < 64; i++) {
      const [x, y] = camera.project(reach * Math.sqrt(k / 24) * Math.cos((i * TAU) / 64), 0,
        reach * Math.sqrt(k / 24) * Math.sin((i * TAU) / 64));
      if (i) ctx.lineTo(x, y); else ctx.moveTo(x, y);
    }
    ctx.closePath();
    ctx.fillStyle = rgb(theme.sky.map((v, i) => mix(v, theme.ground[i], 1 - k / 24)));
    ctx.fill();
  }
  ctx.lineWidth = 1;
  let step = 0.5;
  while (reach / step > 10) step *= 2; // a far walk, or a file in millimetres, must not draw a million lines
  for (let at = -Math.floor(reach / step) * step; at <= reach; at += step) {
    for (let s = -reach; s < reach - 1e-9; s += step / 2) {
      const fade = 1 - Math.hypot(at, s + step / 4) / reach;
      if (fade <= 0.02) continue;
      ctx.strokeStyle = rgb(theme.grid, Math.min(0.75, fade * 0.9));
      for (const flip of [false, true]) {
        const [a, b] = [s, s + step / 2].map((v) => (flip ? camera.project(v, 0, at) : camera.project(at, 0, v)));
        ctx.beginPath();
        ctx.moveTo(a[0], a[1]);
        ctx.lineTo(b[0], b[1]);
        ctx.stroke();
      }
    }
  }
}

/** A soft shadow under the light: the union of all parts on the ground, several times, ever smaller. */
function drawShadow(ctx, camera, placed, theme) {
  const flats = placed.map((spheres) => hullOf(spheres.map(([x, y, z, r]) => ({ x: x + 0.12 * y, y: z - 0.08 * y, r }))));
  for (let grow = 0.07; grow > -0.02; grow -= 0.013) {
    const path = new Path2D();
    for (const flat of flats) {
      flat.forEach(([c, u, v], i) => {
        const r = Math.max(c.r + grow, 0.004);
        const [x, y] = camera.project(c.x + r * u, 0, c.y + r * v);
        if (i) path.lineTo(x, y); else path.moveTo(x, y);
      });
      path.closePath();
    }
    ctx.fillStyle = rgb(theme.shadow, 0.05);
    ctx.fill(path, "nonzero");
  }
}

/** A place holder: faint, with a broken outline. */
function drawGhost(ctx, unit, theme, pixel) {
  const path = new Path2D();
  for (const hull of unit.hulls) traceHull(path, hull, 1, 0, 0);
  ctx.fillStyle = rgb(theme.grid, 0.18);
  ctx.fill(path);
  ctx.setLineDash([4 * pixel, 3 * pixel]);
  ctx.lineWidth = 1.2 * pixel;
  ctx.strokeStyle = rgb(theme.grid);
  ctx.stroke(path);
  ctx.setLineDash([]);
}

function drawUnit(ctx, unit, theme, pixel) {
  if (unit.side === GHOST) return drawGhost(ctx, unit, theme, pixel);
  const layer = (colour, radius, shift, grow) => {
    const path = new Path2D();
    for (const hull of unit.hulls) traceHull(path, hull, radius, shift, grow);
    ctx.fillStyle = colour;
    ctx.fill(path, "nonzero");
  };
  layer(rgb(theme.edge, 0.5), 1, 0, 1.1 * pixel);
  const widest = Math.max(...unit.hulls.flatMap((hull) => hull.circles.map((c) => c.r)));
  const every = widest > 40 ? 1 : widest > 12 ? 2 : 4;
  for (let k = 0; k < LAYERS; k += every) {
    const radius = Math.sqrt(1 - (k / LAYERS) ** 2); // equal steps of brightness on a lit sphere
    layer(theme.shades[unit.side][k], radius, 1 - radius, 0);
  }
}

/** A dot and a name at each valid joint; names of sided joints stand outside the body, so that they do not collide. */
function drawNames(ctx, camera, clip, points, mask, theme, pixel) {
  ctx.font = `${11 * pixel}px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  const seen = clip.names.map((_, j) => camera.project(points[3 * j], points[3 * j + 1], points[3 * j + 2]));
  const valid = seen.filter((_, j) => mask[j]);
  const middle = valid.reduce((sum, [x]) => sum + x, 0) / Math.max(valid.length, 1);
  const taken = []; // names that would lie on another are left out until there is room: zoom in
  clip.names.forEach((name, j) => {
    if (!mask[j]) return;
    const [x, y] = seen[j];
    ctx.beginPath();
    ctx.arc(x, y, 2 * pixel, 0, TAU);
    ctx.fillStyle = rgb(theme.ink);
    ctx.fill();
    const outside = /left|right/i.test(name) && x < middle;
    const label = name.replaceAll("_", " ");
    const width = ctx.measureText(label).width + 6 * pixel;
    const start = outside ? x - width : x;
    if (taken.some((t) => Math.abs(t.y - y) < 11 * pixel && t.start < start + width && start < t.start + t.width)) return;
    taken.push({ y, start, width });
    ctx.textAlign = outside ? "right" : "left";
    ctx.lineWidth = 3 * pixel;
    ctx.strokeStyle = rgb(theme.panel, 0.85);
    ctx.strokeText(label, x + (outside ? -5 : 5) * pixel, y);
    ctx.fillText(label, x + (outside ? -5 : 5) * pixel, y);
  });
}

/** Draws one person: `points` 3 J metres, `mask` J; `options` {shadow, names, pixel}. */
function drawPerson(ctx, camera, clip, points, mask, theme, options) {
  const able = clip.parts.map((part) => part.joints.every((j) => mask[j]));
  const shown = clip.parts.filter((part, i) => able[i] && (part.unless < 0 || !able[part.unless]));
  const placed = shown.map((part) => part.spheres.map(([r, weights]) => {
    const p = [0, 0, 0, r];
    for (const [j, w] of weights) for (let c = 0; c < 3; c++) p[c] += w * points[3 * j + c];
    return p;
  }));
  if (options.shadow) drawShadow(ctx, camera, placed.filter((_, i) => shown[i].side !== GHOST), theme);
  const bundles = new Map();
  shown.forEach((part, i) => {
    const key = part.group ? `group ${part.group}` : i;
    if (!bundles.has(key)) bundles.set(key, { side: part.side, hulls: [] });
    bundles.get(key).hulls.push(placeHull(placed[i], camera));
  });
  const units = [...bundles.values()].map(({ side, hulls }) => makeUnit(side, hulls));
  for (const unit of sortByDepth(units)) drawUnit(ctx, unit, theme, options.pixel);
  if (options.names) drawNames(ctx, camera, clip, points, mask, theme, options.pixel);
}
