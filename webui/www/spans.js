// SPDX-License-Identifier: Apache-2.0
// From what happened to when a peer was up.

/** @typedef {import("./api.js").Item} Item */

/**
 * Spans of time when the peer was up.
 * @param {Item[]} rows  oldest first @param {number} from @param {number} now @param {boolean} isUp
 */
export function spansUp(rows, from, now, isUp) {
	const out = [];
	let since = 0, last = 0;
	for (const r of rows) {
		if (r.code === "peer-up") {
			if (!since) since = r.time_ms;
		} else if (r.code === "peer-down" || r.code === "daemon-stopping") {
			// one without a beginning was up before the first row
			const begin = since || (r.code === "peer-down" ? r.time_ms - 1000 * (r.up_s || 0) : 0);
			if (begin) out.push([Math.max(from, begin), r.time_ms]);
			since = 0;
		} else if (r.code === "daemon-started") {
			since = 0;
		} else if (r.code === "clock-set" && since) {
			// from what it showed to what it shows nothing happened
			out.push([Math.max(from, since), last]);
			since = r.time_ms;
		}
		last = r.time_ms;
	}
	if (since && isUp) out.push([Math.max(from, since), now]);
	return joined(out.filter(([a, b]) => b > a));
}

/** The end of the daemon and that of a peer tell of the same time. @param {number[][]} spans */
function joined(spans) {
	/** @type {number[][]} */
	const out = [];
	for (const [a, b] of spans.sort((x, y) => x[0] - y[0])) {
		const last = out.at(-1);
		if (last && a <= last[1]) last[1] = Math.max(last[1], b);
		else out.push([a, b]);
	}
	return out;
}

const DAY_MS = 86400000;

/**
 * How long a peer was up on each of the last days, and how much of each is known.
 * Days are those of the clock on the wall.
 * @param {number[][]} ups  spans of spansUp() @param {number} known  when the records begin
 * @param {number} now @param {number} n
 * @returns {{day: number, known_ms: number, up_ms: number}[]}
 */
export function days(ups, known, now, n) {
	const out = [];
	for (let i = n - 1; i >= 0; i--) {
		const d = new Date(now - i * DAY_MS);
		const from = new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
		const to = Math.min(now, new Date(d.getFullYear(), d.getMonth(), d.getDate() + 1).getTime());
		const begin = Math.max(from, known);
		const up_ms = ups.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, to) - Math.max(a, begin)), 0);
		out.push({ day: from, known_ms: Math.max(0, to - begin), up_ms });
	}
	return out;
}
