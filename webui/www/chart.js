// SPDX-License-Identifier: Apache-2.0
// Rates over the last minutes.
import { html, useEffect, useRef } from "./vendor.js";
import { clock, language, rate, t } from "./i18n.js";
import { rateOf, useStore } from "./store.js";

/** @typedef {import("./lib/uplot.js").default} Plot */

const HEIGHT = 180;
const SPAN_S = 300;		// as many points as the store keeps

/** The colour that the style sheet gives a part. @param {HTMLElement} box @param {string} part */
const colour = (box, part) => getComputedStyle(box.parentElement.querySelector(part)).color;

/** @param {string} key */
function columns(key) {
	const r = useStore().rates.get(key);
	return r && r.t.length > 1 ? [r.t, r.rx, r.tx] : [[], [], []];
}

/** Traffic of a peer, of all with key "". @param {{of?: string}} props */
export function Traffic({ of = "" }) {
	const ref = useRef(/** @type {HTMLElement} */ (null));
	const plot = useRef(/** @type {Plot} */ (null));
	const data = columns(of), latest = useRef(data);
	latest.current = data;
	const now = rateOf(of);
	const look = language() + (document.documentElement.dataset.theme ?? "");
	useEffect(() => {
		const axis = { stroke: () => colour(ref.current, "figcaption"), grid: { stroke: "#8884", width: 1 },
			ticks: { show: false }, font: "12px system-ui" };
		let isGone = false;
		const make = (/** @type {typeof import("./lib/uplot.js")} */ m) => plot.current = new m.default({
			width: ref.current.clientWidth || 300, height: HEIGHT,
			cursor: { show: false }, legend: { show: false },
			axes: [{ ...axis, size: 28, incrs: [60, 120], values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map((s) =>
				clock(s * 1000)) },
			{ ...axis, size: 84, values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map((n) => n ? rate(n) : "0") }],
			scales: { x: { range: () => [Date.now() / 1000 - SPAN_S, Date.now() / 1000] }, y: { range: (/** @type {any} */ _u, /** @type {number} */ _lo, /** @type {number} */ hi) =>
				[0, Math.max(hi * 1.1, 125)] } },
			series: [{}, { stroke: () => colour(ref.current, ".key-rx"), width: 2, points: { show: false } },
				{ stroke: () => colour(ref.current, ".key-tx"), width: 2, dash: [6, 3], points: { show: false } }],
		}, /** @type {any} */ (latest.current), ref.current);
		const watch = new ResizeObserver(() =>
			plot.current.setSize({ width: ref.current.clientWidth, height: HEIGHT }));
		// the largest module of all: the page is there before it
		import("./lib/uplot.js").then((m) => {
			if (isGone) return;
			make(m);
			watch.observe(ref.current);
		}, () => {});	// without it the numbers are there
		return () => {
			isGone = true;
			watch.disconnect();
			plot.current?.destroy();
			plot.current = null;
		};
	}, [of, look]);
	useEffect(() => plot.current?.setData(data));
	return html`<figure class="traffic">
		<figcaption><span class="key-rx">${t("received")} ${rate(now.rx)}</span>
			<span class="key-tx">${t("sent")} ${rate(now.tx)}</span></figcaption>
		<div ref=${ref} role="img" aria-label=${t("traffic.alt", { rx: rate(now.rx), tx: rate(now.tx) })}></div>
	</figure>`;
}
