"use strict";
// Drawing one person on a 2D canvas: spheres are projected, each part is the hull of its circles, filled in nested
// layers from dark rim to bright crown, far parts first. No GPU is needed.

const TAU = 2 * Math.PI;
const FOV = 0.5; // radians, vertical: a long lens, little distortion
const RING = 20; // points on each circle of a hull
const LAYERS = 11;
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

/** A pinhole on an orbit around (0, height / 2, 0); yaw 0 looks at the person's front, pitch > 0 from above. */
function makeCamera(view, width, height, stage) {
  const focal = height / 2 / Math.tan(FOV / 2);
  const fit = Math.max(stage.height / 2 / (height / 2), stage.radius / (width / 2)) * focal;
  const distance = (fit * 1.12 + stage.radius * 0.6) / view.zoom;
  const [sy, cy, sp, cp] = [Math.sin(view.yaw), Math.cos(view.yaw), Math.sin(view.pitch), Math.cos(view.pitch)];
  const middle = stage.height / 2;
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
  hull.forEach(([c, u, v], i) => {
    const r = c.r * scale + grow;
    const [x, y] = [c.x + c.r * shift * LIGHT.x + r * u, c.y + c.r * shift * LIGHT.y + r * v];
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

/** Depth of a part's front where it covers a screen point, or null where it does not. */
function depthAt(part, x, y) {
  let [best, near] = [Infinity, null];
  let [sum, weight, inside] = [0, 0, part.circles.length > 2];
  const cs = part.circles;
  for (let i = 0; i < cs.length; i++) {
    const d = Math.hypot(x - cs[i].x, y - cs[i].y) + 1;
    sum += (cs[i].depth - cs[i].size) / (d * d);
    weight += 1 / (d * d);
    for (let j = i + 1; j < cs.length; j++) {
      const [distance, t] = alongPair(cs[i], cs[j], x, y);
      if (distance < best) { best = distance; near = mix(cs[i].depth - cs[i].size, cs[j].depth - cs[j].size, t); }
    }
  }
  if (cs.length === 1) { best = Math.hypot(x - cs[0].x, y - cs[0].y) - cs[0].r; near = cs[0].depth - cs[0].size; }
  if (best <= 0) return inside ? sum / weight : near;
  return null;
}

/** Above 0 where a lies behind b, judged where they overlap on the screen; 0 where they do not. */
function isBehind(a, b) {
  if (a.x1 < b.x0 || b.x1 < a.x0 || a.y1 < b.y0 || b.y1 < a.y0) return 0;
  let sum = 0;
  for (const [p, q, sign] of [[a, b, 1], [b, a, -1]]) {
    for (const [x, y] of p.samples) {
      const [own, other] = [depthAt(p, x, y), depthAt(q, x, y)];
      if (own !== null && other !== null) sum += sign * (own - other);
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

/** A part on the screen: circles, box, hull, and points along it to compare depths at. */
function placePart(part, spheres, camera) {
  const circles = spheres.map(([x, y, z, size]) => {
    const [sx, sy, depth, k] = camera.project(x, y, z);
    return { x: sx, y: sy, depth, r: size * k, size };
  });
  const samples = [];
  for (let i = 0; i < circles.length; i++) {
    const [a, b] = [circles[i], circles[(i + 1) % circles.length]];
    for (const t of circles.length === 2 ? [0.1, 0.3] : [0, 0.5]) {
      samples.push([mix(a.x, b.x, i && circles.length === 2 ? t - 0.05 : t), mix(a.y, b.y, t)]);
    }
  }
  if (circles.length === 2) samples.push([mix(circles[0].x, circles[1].x, 0.5), mix(circles[0].y, circles[1].y, 0.5)]);
  return {
    side: part.side, circles, samples, hull: hullOf(circles),
    depth: circles.reduce((s, c) => s + c.depth, 0) / circles.length,
    x0: Math.min(...circles.map((c) => c.x - c.r)), x1: Math.max(...circles.map((c) => c.x + c.r)),
    y0: Math.min(...circles.map((c) => c.y - c.r)), y1: Math.max(...circles.map((c) => c.y + c.r)),
  };
}

function drawFloor(ctx, camera, stage, theme, withGrid) {
  const sky = ctx.createLinearGradient(0, 0, 0, camera.height);
  sky.addColorStop(0, rgb(theme.panel));
  sky.addColorStop(1, rgb(theme.sky));
  ctx.fillStyle = sky;
  ctx.fillRect(0, 0, camera.width, camera.height);
  if (!withGrid) return;
  const reach = Math.ceil(stage.radius * 2 + 1) / 2 + 0.5;
  for (let k = 8; k > 0; k--) { // discs of falling size: a floor that fades out
    ctx.beginPath();
    for (let i = 0; i < 64; i++) {
      const [x, y] = camera.project(reach * Math.sqrt(k / 8) * Math.cos((i * TAU) / 64), 0,
        reach * Math.sqrt(k / 8) * Math.sin((i * TAU) / 64));
      if (i) ctx.lineTo(x, y); else ctx.moveTo(x, y);
    }
    ctx.closePath();
    ctx.fillStyle = rgb(theme.ground, 0.16);
    ctx.fill();
  }
  ctx.lineWidth = 1;
  const step = reach > 4 ? 1 : 0.5;
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

/** A soft shadow under the light: the union of all parts on the ground, four times, ever smaller. */
function drawShadow(ctx, camera, placed, theme) {
  for (const grow of [0.07, 0.045, 0.02, -0.005]) {
    const path = new Path2D();
    for (const spheres of placed) {
      const flat = spheres.map(([x, y, z, r]) => ({ x: x + 0.12 * y, y: z - 0.08 * y, r: Math.max(r + grow, 0.004) }));
      hullOf(flat).forEach(([c, u, v], i) => {
        const [x, y] = camera.project(c.x + c.r * u, 0, c.y + c.r * v);
        if (i) path.lineTo(x, y); else path.moveTo(x, y);
      });
      path.closePath();
    }
    ctx.fillStyle = rgb(theme.shadow, 0.085);
    ctx.fill(path, "nonzero");
  }
}

function drawPart(ctx, part, theme, pixel) {
  const edge = new Path2D();
  traceHull(edge, part.hull, 1, 0, 1.1 * pixel);
  ctx.fillStyle = rgb(theme.edge, 0.5);
  ctx.fill(edge);
  for (let k = 0; k < LAYERS; k++) {
    const radius = Math.sqrt(1 - (k / LAYERS) ** 2); // equal steps of brightness on a lit sphere
    const path = new Path2D();
    traceHull(path, part.hull, radius, 1 - radius, 0);
    ctx.fillStyle = theme.shades[part.side][k];
    ctx.fill(path);
  }
}

function drawNames(ctx, camera, stage, points, mask, theme, pixel) {
  ctx.font = `${11 * pixel}px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  stage.names.forEach((name, j) => {
    if (!mask[j]) return;
    const [x, y] = camera.project(points[3 * j], points[3 * j + 1], points[3 * j + 2]);
    ctx.beginPath();
    ctx.arc(x, y, 2.5 * pixel, 0, TAU);
    ctx.fillStyle = rgb(theme.ink);
    ctx.fill();
    ctx.lineWidth = 3 * pixel;
    ctx.strokeStyle = rgb(theme.panel, 0.85);
    ctx.strokeText(name, x + 5 * pixel, y);
    ctx.fillText(name, x + 5 * pixel, y);
  });
}

/** Draws one panel: `points` 3 J metres, `mask` J; `options` {grid, names}; `pixel` device pixels per CSS pixel. */
function drawScene(ctx, view, stage, points, mask, theme, options, pixel) {
  const camera = makeCamera(view, ctx.canvas.width, ctx.canvas.height, options.frame);
  const able = stage.parts.map((part) => part.joints.every((j) => mask[j]));
  const shown = stage.parts.filter((part, i) => able[i] && (part.unless < 0 || !able[part.unless]));
  const placed = shown.map((part) => part.spheres.map(([r, weights]) => {
    const p = [0, 0, 0, r];
    for (const [j, w] of weights) for (let c = 0; c < 3; c++) p[c] += w * points[3 * j + c];
    return p;
  }));
  drawFloor(ctx, camera, options.frame, theme, options.grid);
  if (options.grid && view.pitch > 0.01) drawShadow(ctx, camera, placed, theme);
  const parts = shown.map((part, i) => placePart(part, placed[i], camera));
  for (const part of sortByDepth(parts)) drawPart(ctx, part, theme, pixel);
  if (options.names) drawNames(ctx, camera, stage, points, mask, theme, pixel);
}
