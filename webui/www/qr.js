// SPDX-License-Identifier: Apache-2.0
// A text as a QR code (ISO/IEC 18004), bytes mode, error correction M, up to version 20.

const VERSION_MAX = 20;
const QUIET = 4;		// modules of white around it: section 6.3.8

// Table 9, level M: per version codewords of correction a block, then blocks and data
// codewords of a block, of both groups.
/** @type {number[][]} */
const blocks = [[], [10, 1, 16], [16, 1, 28], [26, 1, 44], [18, 2, 32], [24, 2, 43], [16, 4, 27], [18, 4, 31],
	[22, 2, 38, 2, 39], [22, 3, 36, 2, 37], [26, 4, 43, 1, 44], [30, 1, 50, 4, 51], [22, 6, 36, 2, 37],
	[22, 8, 37, 1, 38], [24, 4, 40, 5, 41], [24, 5, 41, 5, 42], [28, 7, 45, 3, 46], [28, 10, 46, 1, 47],
	[26, 9, 43, 4, 44], [26, 3, 44, 11, 45], [26, 3, 41, 13, 42]];

// Annex E: centres of the alignment patterns; the first is always at 6.
const centres = [[], [], [18], [22], [26], [30], [34], [22, 38], [24, 42], [26, 46], [28, 50], [30, 54], [32, 58],
	[34, 62], [26, 46, 66], [26, 48, 70], [26, 50, 74], [30, 54, 78], [30, 56, 82], [30, 58, 86], [34, 62, 90]];

/** Lengths of the data of each block. @param {number} v */
const lengths = (v) => {
	const [, n1, d1, n2 = 0, d2 = 0] = blocks[v];
	return [...Array(n1).fill(d1), ...Array(n2).fill(d2)];
};

// ---- GF(256) of section 7.5.2, and Reed-Solomon --------------------------------------

const power = new Uint8Array(512), log = new Uint8Array(256);
for (let i = 0, x = 1; i < 255; i++) {
	power[i] = power[i + 255] = x;
	log[x] = i;
	x = x << 1 ^ (x & 0x80 ? 0x11d : 0);
}
/** @param {number} a @param {number} b */
const times = (a, b) => a && b ? power[log[a] + log[b]] : 0;

/** The generator polynomial, its first coefficient, 1, left out. @param {number} n */
function generator(n) {
	let g = [1];
	for (let i = 0; i < n; i++) {
		const next = [...g, 0];
		g.forEach((c, k) => next[k + 1] ^= times(c, power[i]));
		g = next;
	}
	return g.slice(1);
}

/** Codewords of correction. @param {number[]} data @param {number} n */
export function correction(data, n) {
	const g = generator(n), rest = Array(n).fill(0);
	for (const d of data) {
		const f = d ^ rest.shift();
		rest.push(0);
		g.forEach((c, k) => rest[k] ^= times(c, f));
	}
	return rest;
}

// ---- codewords ---------------------------------------------------------------------------

/** Section 7.4: mode, length, bytes, end, padding. @param {Uint8Array} bytes @param {number} v @param {number} n */
function dataOf(bytes, v, n) {
	/** @type {number[]} */
	const bits = [];
	const put = (/** @type {number} */ value, /** @type {number} */ len) => {
		for (let i = len - 1; i >= 0; i--) bits.push(value >> i & 1);
	};
	put(4, 4);
	put(bytes.length, v < 10 ? 8 : 16);
	for (const b of bytes) put(b, 8);
	put(0, Math.min(4, n * 8 - bits.length));
	put(0, (8 - bits.length % 8) % 8);
	for (let pad = 0xec; bits.length < n * 8; pad ^= 0xec ^ 0x11) put(pad, 8);
	const out = [];
	for (let i = 0; i < bits.length; i += 8) out.push(parseInt(bits.slice(i, i + 8).join(""), 2));
	return out;
}

/** Section 7.6: the blocks, interleaved. @param {number[]} data @param {number} v */
function interleave(data, v) {
	/** @type {number[][]} */
	const all = [], more = [];
	let at = 0;
	for (const n of lengths(v)) {
		const block = data.slice(at, at += n);
		all.push(block);
		more.push(correction(block, blocks[v][0]));
	}
	const out = [];
	for (const of of [all, more])
		for (let i = 0; i < Math.max(...of.map((b) => b.length)); i++)
			for (const b of of) if (i < b.length) out.push(b[i]);
	return out;
}

// ---- the picture -------------------------------------------------------------------------

/** Bits of a BCH code behind a value: annexes C and D. @param {number} value @param {number} poly @param {number} n */
function bch(value, poly, n) {
	let rest = value << n;
	for (let i = 31 - Math.clz32(rest); rest && i >= n; i = 31 - Math.clz32(rest)) rest ^= poly << (i - n);
	return value << n | rest;
}

/** @typedef {{size: number, is: Uint8Array, fixed: Uint8Array}} Grid */

/** @param {Grid} g @param {number} x @param {number} y @param {boolean|number} dark */
function fix(g, x, y, dark) {
	if (x < 0 || y < 0 || x >= g.size || y >= g.size) return;
	g.is[y * g.size + x] = dark ? 1 : 0;
	g.fixed[y * g.size + x] = 1;
}

/** Finders, timing, alignment, and room for the rest. @param {number} v @returns {Grid} */
function frame(v) {
	const size = 17 + 4 * v;
	const g = { size, is: new Uint8Array(size * size), fixed: new Uint8Array(size * size) };
	for (let i = 0; i < size; i++) {
		fix(g, i, 6, i % 2 === 0);
		fix(g, 6, i, i % 2 === 0);
	}
	for (const [cx, cy] of [[3, 3], [size - 4, 3], [3, size - 4]])
		for (let y = -4; y <= 4; y++)
			for (let x = -4; x <= 4; x++) {
				const d = Math.max(Math.abs(x), Math.abs(y));
				fix(g, cx + x, cy + y, d !== 2 && d !== 4);
			}
	const c = v > 1 ? [6, ...centres[v]] : [], last = c.at(-1);
	for (const cy of c)
		for (const cx of c) {
			if (cx === 6 && cy === 6 || cx === 6 && cy === last || cx === last && cy === 6) continue;
			for (let y = -2; y <= 2; y++)
				for (let x = -2; x <= 2; x++)
					fix(g, cx + x, cy + y, Math.max(Math.abs(x), Math.abs(y)) !== 1);
		}
	format(g, 0);
	if (v >= 7) {
		const bits = bch(v, 0x1f25, 12);
		for (let i = 0; i < 18; i++) {
			const a = size - 11 + i % 3, b = Math.floor(i / 3);
			fix(g, a, b, bits >> i & 1);
			fix(g, b, a, bits >> i & 1);
		}
	}
	return g;
}

/** Section 7.9: level M is 00. @param {Grid} g @param {number} mask */
function format(g, mask) {
	const bits = bch(mask, 0x537, 10) ^ 0x5412;
	for (let i = 0; i < 15; i++) {
		const dark = bits >> i & 1;
		fix(g, 8, i < 6 ? i : i < 8 ? i + 1 : g.size - 15 + i, dark);
		fix(g, i < 8 ? g.size - 1 - i : i < 9 ? 7 : 14 - i, 8, dark);
	}
	fix(g, 8, g.size - 8, true);
}

/** Section 7.7.3: two columns at a time, upwards and downwards. @param {Grid} g @param {number[]} words */
function fill(g, words) {
	let n = 0, isUp = true;
	for (let right = g.size - 1; right > 0; right -= 2) {
		if (right === 6) right--;
		for (let i = 0; i < g.size; i++)
			for (const x of [right, right - 1]) {
				const at = (isUp ? g.size - 1 - i : i) * g.size + x;
				if (g.fixed[at]) continue;
				g.is[at] = (words[n >> 3] ?? 0) >> (7 - n % 8) & 1;
				n++;
			}
		isUp = !isUp;
	}
}

/** Table 10: y and x, in this order. @type {((y: number, x: number) => boolean)[]} */
const masks = [
	(y, x) => (y + x) % 2 === 0, (y) => y % 2 === 0, (y, x) => x % 3 === 0, (y, x) => (y + x) % 3 === 0,
	(y, x) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0, (y, x) => y * x % 2 + y * x % 3 === 0,
	(y, x) => (y * x % 2 + y * x % 3) % 2 === 0, (y, x) => ((y + x) % 2 + y * x % 3) % 2 === 0,
];

/** @param {Grid} g @param {number} m @returns {Grid} */
function masked(g, m) {
	const out = { ...g, is: g.is.slice() };
	for (let y = 0; y < g.size; y++)
		for (let x = 0; x < g.size; x++)
			if (!g.fixed[y * g.size + x] && masks[m](y, x)) out.is[y * g.size + x] ^= 1;
	format(out, m);
	return out;
}

/** Section 7.8.3: what is hard to read. @param {Grid} g */
function penalty(g) {
	const { size, is } = g, at = (/** @type {number} */ y, /** @type {number} */ x) => is[y * size + x];
	let sum = 0;
	for (const line of [(/** @type {number} */ a, /** @type {number} */ b) => at(a, b), (/** @type {number} */ a, /** @type {number} */ b) => at(b, a)])
		for (let a = 0; a < size; a++) {
			let text = "";
			for (let b = 0; b < size; b++) text += line(a, b);
			for (const run of text.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2;
			for (const like of ["10111010000", "00001011101"])
				for (let i = text.indexOf(like); i >= 0; i = text.indexOf(like, i + 1)) sum += 40;
		}
	for (let y = 1; y < size; y++)
		for (let x = 1; x < size; x++)
			if (at(y, x) === at(y, x - 1) && at(y, x) === at(y - 1, x) && at(y, x) === at(y - 1, x - 1)) sum += 3;
	const dark = is.reduce((n, d) => n + d, 0) * 100 / (size * size);
	return sum + Math.floor(Math.abs(dark - 50) / 5) * 10;
}

/**
 * The code of a text; null: it is too long.
 * @param {string} text
 * @returns {{size: number, is: Uint8Array}|null}  is: 1 for each dark module, row by row
 */
export function qr(text) {
	const bytes = new TextEncoder().encode(text);
	for (let v = 1; v <= VERSION_MAX; v++) {
		const n = lengths(v).reduce((a, b) => a + b, 0);
		if (bytes.length * 8 + 4 + (v < 10 ? 8 : 16) > n * 8) continue;
		const g = frame(v);
		fill(g, interleave(dataOf(bytes, v, n), v));
		const all = masks.map((_, m) => masked(g, m)), bad = all.map(penalty);
		return all[bad.indexOf(Math.min(...bad))];
	}
	return null;
}

/** As the outline of an SVG path, and the side of its box. @param {{size: number, is: Uint8Array}} code */
export function outline({ size, is }) {
	let path = "";
	for (let y = 0; y < size; y++)
		for (let x = 0; x < size; x++) {
			let n = 0;
			while (x + n < size && is[y * size + x + n]) n++;
			if (n > 0) path += `M${x + QUIET} ${y + QUIET}h${n}v1h-${n}z`;
			x += n;
		}
	return { path, side: size + 2 * QUIET };
}
