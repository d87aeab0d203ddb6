// SPDX-License-Identifier: Apache-2.0
// What the pages are made of.
import { html, useLayoutEffect, useRef, useState } from "./vendor.js";
import { bus, may, useClock, useStore } from "./store.js";
import { exact, moment, number, plain, span, t, word } from "./i18n.js";
import { to } from "./prefs.js";

/** @typedef {import("./store.js").Item} Item */

// ---- states: a sign and a word, never a colour alone ------------------------------

/** @type {Record<string, string>} */
const signs = {
	up: "●", connecting: "◐", suspect: "▲", down: "○", ready: "●", waiting: "◐", failed: "✕",
	forwarding: "●", blocked: "✕", error: "✕", warn: "▲", warning: "▲", notice: "●", info: "·",
	debug: "·", ok: "✓", unknown: "?", "not-reached": "–", lost: "✕", live: "●", start: "◐",
	login: "○", decides: "✓", fits: "·", no: "–", "needs-eap": "?", "needs-cert": "?", "other-own": "▲",
	used: "●", kept: "○", same: "✓", differ: "≠",
};

/** @param {{is: string, group?: string}} props */
export const State = ({ is, group = "state" }) => html`
	<span class=${"state is-" + is}><span aria-hidden="true">${signs[is] ?? "·"}</span
	> ${word(group, is)}</span>`;

// ---- times -------------------------------------------------------------------------

/** A moment; in full on hover and for readers. @param {{ms: number}} props */
export const When = ({ ms }) => html`
	<time datetime=${new Date(ms).toISOString()} title=${exact(ms)}>${moment(ms)}</time>`;

/** How long ago something was, counting on. @param {{s: number, at: number}} props */
export function Ago({ s, at }) {
	const now = useClock();
	if (s == null || s < 0) return t("never");
	const ms = at - s * 1000;
	return html`<time datetime=${new Date(ms).toISOString()} title=${exact(ms)}
		>${t("ago", { span: span((now - ms) / 1000) })}</time>`;
}

/** How long something lasts already. @param {{s: number, at: number}} props */
export function For({ s, at }) {
	const now = useClock();
	const ms = at - s * 1000;
	return html`<time title=${t("since", { when: exact(ms) })}>${span((now - ms) / 1000)}</time>`;
}

// ---- boxes ---------------------------------------------------------------------------

/** @param {{title: string, cmd?: string, actions?: unknown, children?: unknown, id?: string}} props */
export const Panel = ({ title, cmd, actions, children }) => html`
	<section class="panel" aria-label=${title}>
		<header><h2>${title}</h2>${actions}</header>
		${children}
		${cmd && html`<${Cmd} text=${cmd}/>`}
	</section>`;

/** The heading of a page, and what it is for. @param {{of: string}} props */
export const Title = ({ of }) => html`<h1>${t(/** @type {any} */ ("nav." + of))}</h1>
	<p class="lead">${t(/** @type {any} */ ("lead." + of))}</p>`;

/** The same on the command line. @param {{text: string}} props */
export function Cmd({ text }) {
	const [isDone, set] = useState(false);
	const code = useRef(/** @type {HTMLElement} */ (null));
	const copy = async () => {
		try {
			await navigator.clipboard.writeText(text);
			set(true);
			setTimeout(() => set(false), 1500);
		} catch {
			getSelection().selectAllChildren(code.current);	// for the keys that copy
		}
	};
	return html`<p class="cmd" title=${t("cmd")}><span class="hidden">${t("cmd")}</span>
		<span aria-hidden="true">❯</span> <code ref=${code}>${text}</code>${" "}
		<button type="button" class="plain" onClick=${copy} aria-label=${isDone ? t("copied") : t("copy.of", { text })}
		>${isDone ? t("copied") : t("copy")}</button></p>`;
}

/** Nothing to show: says what to do. @param {{text: string, hint?: unknown}} props */
export const Empty = ({ text, hint }) => html`
	<div class="empty"><p>${text}</p>${hint && html`<p class="quiet">${hint}</p>`}</div>`;

/** What went wrong, and what to do. @param {{error: any}} props */
export function Failed({ error }) {
	useStore();		// its words may come later
	if (!error) return null;
	// what a browser says of a line that is cut is of no use to anybody
	return html`<div class="failed" role="alert"><strong><span aria-hidden="true">✕</span> ${
			error instanceof TypeError && /fetch|network|load/i.test(error.message) ? t("lost.now") : plain(error.message)}</strong>
		${error.hint && html`<div>${plain(error.hint)}</div>`}</div>`;
}

/** What an answer is, or why there is none. @param {{of: any, children?: any}} props */
export function Answer({ of, children }) {
	const text = useStore().link === "lost" ? t("lost.none") : t("loading");
	return html`<${Failed} error=${of.error}/>
		${of.items ? children : !of.error && html`<p class="quiet" role="status">${text}</p>`}`;
}

/** Names and values. @param {{rows: [string, unknown][]}} props */
export const Facts = ({ rows }) => html`<dl class="facts">
	${rows.filter(([, v]) => v !== "" && v != null && v !== false).map(([k, v]) => html`
		<div key=${k}><dt>${k}</dt><dd>${v}</dd></div>`)}</dl>`;

/** A number with its name. @param {{name: string, value: unknown, note?: unknown}} props */
export const Figure = ({ name, value, note }) => html`
	<div class="figure"><div class="value">${value}</div><div>${name}</div>
		${note && html`<div class="quiet">${note}</div>`}</div>`;

/** @param {{to: string[], children?: unknown, class?: string}} props */
export const Link = (props) => html`
	<a href=${to(...props.to)} class=${props.class}>${props.children}</a>`;

// ---- a table that can be sorted --------------------------------------------------------

/**
 * @typedef {object} Column
 * @property {string} key
 * @property {string} name
 * @property {(row: Item) => any} [show]
 * @property {(row: Item) => any} [sort]  value to sort by; absent: not sortable
 * @property {boolean} [isNumber]
 * @property {boolean} [isWide]  left out on narrow screens
 */

// osaka9 before osaka10; made once, for tables of thousands
const collator = new Intl.Collator(undefined, { numeric: true });

/** @param {any} a @param {any} b */
const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b :
	collator.compare(String(a), String(b));

/**
 * @param {{name: string, columns: Column[], rows: Item[], id: (row: Item) => string,
 *	first?: string, limit?: number}} props
 */
export function Table({ name, columns, rows, id, first, limit = 200 }) {
	const [by, set] = useState({ key: first ?? "", isUp: true });
	const [n, setN] = useState(limit);
	const col = columns.find((c) => c.key === by.key && c.sort);
	const sorted = col ? [...rows].sort((a, b) =>
		compare(col.sort(a), col.sort(b)) * (by.isUp ? 1 : -1)) : rows;
	const cls = (/** @type {Column} */ c) =>
		(c.isNumber ? "number " : "") + (c.isWide ? "wide" : "");
	return html`<div class="scroll" role="region" aria-label=${name} tabindex="0"><table>
		<thead><tr>${columns.map((c) => html`
			<th key=${c.key} scope="col" class=${cls(c)} aria-sort=${col === c ?
				by.isUp ? "ascending" : "descending" : c.sort ? "none" : undefined}>
				${c.sort ? html`<button type="button" class="plain" onClick=${() =>
					set({ key: c.key, isUp: by.key !== c.key || !by.isUp })}
					>${c.name}<span aria-hidden="true">${col === c ?
						by.isUp ? " ↑" : " ↓" : ""}</span></button>` : c.name}</th>`)}
		</tr></thead>
		<tbody>${sorted.slice(0, n).map((row) => html`<tr key=${id(row)}>
			${columns.map((c, i) => i === 0 ?
				html`<th scope="row" class=${cls(c)}>${c.show ? c.show(row) : row[c.key]}</th>` :
				html`<td class=${cls(c)}>${c.show ? c.show(row) : row[c.key]}</td>`)}
		</tr>`)}</tbody></table>
		${rows.length > n && html`<p class="quiet">${t("more", { n: number(rows.length - n) })}${" "}
			<button type="button" class="plain" onClick=${() => setN(n + limit)}>${t("more.show")}</button></p>`}
	</div>`;
}

// ---- small pictures ----------------------------------------------------------------------

/** A line of rates. @param {{rates?: import("./store.js").Rates, name: string, n?: number}} props */
export function Sparkline({ rates, name, n = 60 }) {
	const w = 120, h = 24;
	const all = rates ? rates.rx.map((x, i) => x + rates.tx[i]).slice(-n) : [];
	const max = Math.max(1, ...all);
	const points = all.map((x, i) =>
		`${(w - (all.length - 1 - i) * w / (n - 1)).toFixed(1)},${(h - 1 - x / max * (h - 2)).toFixed(1)}`);
	return html`<svg class="spark" viewBox="0 0 ${w} ${h}" width=${w} height=${h} role="img"
		aria-label=${name}><polyline points=${points.join(" ")}/></svg>`;
}

// ---- doing something -----------------------------------------------------------------------

/**
 * A button that runs a command and says what came of it.
 * @param {{name: string, command: string, fields: object, role?: string, ask?: string,
 *	isMain?: boolean, off?: string, onDone?: (items: Item[]) => void}} props  off: why not now
 */
export function Do({ name, command, fields, role = "operator", ask, isMain, off, onDone }) {
	const [state, set] = useState({ isBusy: false, error: null, isDone: false });
	const [isAsking, setAsking] = useState(false);
	const run = async () => {
		setAsking(false);
		set({ isBusy: true, error: null, isDone: false });
		try {
			const items = await bus.ask(command, fields);
			set({ isBusy: false, error: null, isDone: true });
			setTimeout(() => set((was) => ({ ...was, isDone: false })), 3000);
			onDone?.(items);
		} catch (error) {
			set({ isBusy: false, error, isDone: false });
		}
	};
	const isAllowed = may(role);
	return html`<span class="do">
		<button type="button" class=${isMain ? "main" : ""} disabled=${state.isBusy || !isAllowed || !!off}
			title=${isAllowed ? off || undefined : t("needs.role", { role: t(
				/** @type {any} */ ("role." + role)) })}
			onClick=${ask ? () => setAsking(true) : run}>${name}</button>
		<span role="status" class="quiet">${state.isBusy ? t("busy") : state.isDone ? t("done") : ""}</span>
		<${Failed} error=${state.error}/>
		${isAsking && html`<${Dialog} title=${name} onClose=${() => setAsking(false)}>
			<p>${ask}</p>
			<div class="row"><button type="button" class="main" onClick=${run}>${name}</button>
				<button type="button" onClick=${() => setAsking(false)}>${t("cancel")}</button></div>
		<//>`}
	</span>`;
}

/** A box above the page; Escape closes it. @param {{title: string, onClose: () => void, children?: unknown}} props */
export function Dialog({ title, onClose, children }) {
	const ref = useRef(/** @type {HTMLDialogElement} */ (null));
	useLayoutEffect(() => {		// a key that comes next is for it
		const from = /** @type {HTMLElement} */ (document.activeElement);
		ref.current.showModal();
		return () => from?.focus?.();
	}, []);
	return html`<dialog ref=${ref} aria-label=${title} onClose=${onClose}>
		<header class="row"><h2>${title}</h2>
			<button type="button" class="plain" onClick=${() => ref.current.close()}
				aria-label=${t("close")}>✕</button></header>
		${children}</dialog>`;
}

/**
 * A field with its label.
 * @param {{name: string, value: string, set: (v: string) => void, type?: string, hint?: string,
 *	options?: Record<string, string>, auto?: string, isNeeded?: boolean, min?: number, max?: number, isOff?: boolean}} props
 */
export const Field = ({ name, value, set, type = "text", hint, options, auto, isNeeded, min, max, isOff }) => html`
	<label class="field"><span>${name}</span>
		${options ? html`<select value=${value} disabled=${isOff} onChange=${(/** @type {any} */ e) =>
				set(e.currentTarget.value)}>${Object.entries(options).map(([v, text]) => html`
				<option key=${v} value=${v} selected=${v === value}>${text}</option>`)}</select>` :
			html`<input type=${type} value=${value} min=${min} max=${max} autocomplete=${auto ?? "off"}
				spellcheck=${false} required=${isNeeded}
				onInput=${(/** @type {any} */ e) => set(e.currentTarget.value)}/>`}
		${hint && html`<small>${hint}</small>`}</label>`;
