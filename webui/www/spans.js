// SPDX-License-Identifier: Apache-2.0
// From what happened to when a peer was up.

/** @typedef {import("./api.js").Item} Item */

/**
 * Spans of time when the peer was up.
 * @param {Item[]} rows  oldest first @param {number} from @param {number} now @param {boolean} isUp
 */
export function spansUp(rows, from, now, isUp) {
	const out = [];
	let since = 0;
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
		}
	}
	if (since && isUp) out.push([Math.max(from, since), now]);
	return out.filter(([a, b]) => b > a);
}
