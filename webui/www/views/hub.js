// SPDX-License-Identifier: Apache-2.0
// The virtual hub of a realm: a live picture, and its tables beside it.
import { html, useEffect, useRef, useState } from "../vendor.js";
import { byName, useAnswer, useStore } from "../store.js";
import { bytes, number, rate, span, t, word } from "../i18n.js";
import { Answer, Empty, Field, For, Panel, State, Table, Title } from "../parts.js";
import { go, to } from "../prefs.js";
import { quoted } from "./makers.js";

/** @typedef {import("../store.js").Item} Item */

const POLL_S = 2;
const DRAWN = 24;	// ports in the picture; the table has all of them

/** Bytes a second of each port, from one answer to the next. @param {Item[]|null} items */
function useRates(items) {
	const was = useRef({ items: null, at: 0 });
	const [rates, set] = useState(/** @type {Map<string, number>} */ (new Map()));
	useEffect(() => {
		if (!items || items === was.current.items) return;
		const now = Date.now(), s = (now - was.current.at) / 1000;
		const old = new Map((was.current.items ?? []).map((/** @type {Item} */ p) => [p.port, p]));
		set(new Map(items.map((p) => {
			const o = old.get(p.port);
			const n = o ? p.rx_bytes - o.rx_bytes + p.tx_bytes - o.tx_bytes : 0;
			return [p.port, n > 0 && s > 0 ? n / s : 0];
		})));
		was.current = { items, at: now };
	}, [items]);
	return rates;
}

/** Width of a line for a rate: each tenfold is one more. @param {number} bytes_s */
const width = (bytes_s) => bytes_s < 1 ? 1.5 : Math.min(8, 1.5 + Math.log10(bytes_s));

/** As much of a name as has room, in units of the picture. @param {string} name @param {number} room */
function cut(name, room) {
	const all = [...name];
	const at = all.findIndex((c) => (room -= c > "\u2e80" ? 14 : 8) < 0);
	return at < 0 ? name : all.slice(0, at).join("") + "…";
}

/** @param {{p: Item, realm: string, x: number, y: number, rate: number, ips: string[]}} props */
function Port({ p, realm, x, y, rate: bytes_s, ips }) {
	const isPeer = p.kind !== "tap", isAway = p.state === "away";
	const said = isAway ? `${p.port}: ${word("state", p.was)}` : t("hub.port.alt", { port: p.port,
		kind: word("kind", p.kind), state: word("state", p.state), rate: rate(bytes_s), macs: p.n_mac }) +
		(ips.length ? ": " + ips.slice(0, 8).join(", ") + (ips.length > 8 ? " …" : "") : "");
	const sign = p.state === "blocked" ? "✕ " : isAway ? "○ " : p.isolated ? "◇ " : "";
	const box = html`<g transform="translate(${x},${y})"><title>${said}</title>
		<rect class=${"port is-" + p.state} x="-58" y=${isAway ? -24 : -32} width="116" height=${isAway ? 48 : 64} rx="8"/>
		<text y=${isAway ? -6 : -13}>${sign}${cut(p.port, sign ? 72 : 104)}</text>
		<text class="quiet" y=${isAway ? 12 : 5}>${isAway ? word("state", p.was) : rate(bytes_s)}</text>
		${!isAway && html`<text class="quiet" y="22">${number(p.n_mac)} MAC · ${number(ips.length)} IP</text>`}</g>`;
	return isPeer ? html`<a href=${to("peers", realm, p.port)}>${box}</a>` : box;
}

/** @param {{ports: Item[], realm: string, rates: Map<string, number>, neighs: Item[]}} props */
function Picture({ ports, realm, rates, neighs }) {
	const shown = ports.slice(0, DRAWN);
	const n = shown.length;
	// a few stand around the hub, more of them in two columns beside it
	const isRound = n <= 4, rows = Math.ceil(n / 2);
	const rx = 150, ry = isRound ? (n > 2 ? 120 : 30) : (rows - 1) * 38;
	const cx = rx + 70, cy = ry + 42;
	const at = shown.map((p, i) => {
		const a = -Math.PI + 2 * Math.PI * i / n;
		return { p, x: isRound ? cx + rx * Math.cos(a) : cx + (i % 2 ? rx : -rx),
			y: isRound ? cy + ry * Math.sin(a) : 42 + Math.floor(i / 2) * 76, bytes_s: rates.get(p.port) ?? 0 };
	});
	return html`<svg class=${"topology" + (n > 12 ? " tall" : "")} viewBox="0 0 ${2 * cx} ${2 * cy}" role="group"
		aria-label=${t("hub.alt", { realm, n: ports.length })}>
		${at.map(({ p, x, y, bytes_s }) => html`<line key=${p.port} class=${"is-" + p.state + (bytes_s >= 1 && p.state !== "blocked" ? " flows" : "")}
			x1=${cx} y1=${cy} x2=${x} y2=${y} stroke-width=${width(bytes_s)}/>`)}
		<circle class="hub" cx=${cx} cy=${cy} r="40"/><text x=${cx} y=${cy + 5}>${cut(realm, 72)}</text>
		${at.map(({ p, x, y, bytes_s }) => html`<${Port} key=${p.port} p=${p} realm=${realm} x=${x} y=${y} rate=${bytes_s}
			ips=${neighs.filter((i) => i.port === p.port).map((i) => i.ip)}/>`)}
	</svg>${ports.length > DRAWN && html`<p class="quiet">${t("hub.more", { n: DRAWN, all: ports.length })}</p>`}`;
}

/** @param {Map<string, number>} rates @param {number} at  when it was so @returns {Record<string, import("../parts.js").Column[]>} */
const tables = (rates, at) => ({
	ports: [
		{ key: "port", name: t("hub.port"), sort: (p) => p.port, show: (p) => html`${p.port}
			<div class="quiet">${word("kind", p.kind)}${p.isolated ? ", " + t("hub.isolated") : ""}</div>` },
		{ key: "state", name: t("col.state"), sort: (p) => p.state, show: (p) => html`<${State} is=${p.state}/>
			${p.retry_s > 0 && html` <span class="quiet">${t("att.next", { span: span(p.retry_s) })}</span>`}` },
		{ key: "rate", name: t("hub.rate"), isNumber: true, sort: (p) => rates.get(p.port) ?? 0, show: (p) => rate(rates.get(p.port) ?? 0) },
		{ key: "rx_bytes", name: t("received"), isNumber: true, isWide: true, sort: (p) => p.rx_bytes, show: (p) => bytes(p.rx_bytes) },
		{ key: "tx_bytes", name: t("sent"), isNumber: true, isWide: true, sort: (p) => p.tx_bytes, show: (p) => bytes(p.tx_bytes) },
		{ key: "n_mac", name: "MAC", isNumber: true, sort: (p) => p.n_mac, show: (p) => number(p.n_mac) },
		{ key: "n_flood", name: t("hub.flood"), isNumber: true, isWide: true, sort: (p) => p.n_flood, show: (p) => number(p.n_flood) },
		{ key: "n_drop", name: t("hub.drop"), isNumber: true, isWide: true, sort: (p) => p.n_drop, show: (p) => number(p.n_drop) },
	],
	mac: [
		{ key: "mac", name: "MAC", sort: (m) => m.mac, show: (m) => html`<code>${m.mac}</code>` },
		{ key: "port", name: t("hub.port"), sort: (m) => m.port },
		{ key: "vlan", name: "VLAN", sort: (m) => m.vlan, show: (m) => m.vlan || "–" },
		{ key: "age_s", name: t("hub.age"), isNumber: true, sort: (m) => m.age_s, show: (m) => m.static ? t("hub.static") : html`<${For} s=${m.age_s} at=${at}/>` },
	],
	arp: [
		{ key: "ip", name: t("hub.ip"), sort: (m) => m.ip, show: (m) => html`<code>${m.ip}</code>` },
		{ key: "mac", name: "MAC", sort: (m) => m.mac, show: (m) => html`<code>${m.mac}</code>` },
		{ key: "port", name: t("hub.port"), sort: (m) => m.port },
		{ key: "age_s", name: t("hub.age"), isNumber: true, sort: (m) => m.age_s, show: (m) => m.static ? t("hub.static") : html`<${For} s=${m.age_s} at=${at}/>` },
	],
	groups: [
		{ key: "ip", name: t("hub.group"), sort: (m) => m.ip, show: (m) => m.ip || word("kind", m.kind) },
		{ key: "port", name: t("hub.port"), sort: (m) => m.port },
		{ key: "vlan", name: "VLAN", sort: (m) => m.vlan, show: (m) => m.vlan || "–" },
		{ key: "left_s", name: t("hub.left"), isNumber: true, sort: (m) => m.left_s, show: (m) => span(m.left_s) },
	],
});

/** @param {{realm?: string}} props */
export function Hub({ realm: wanted }) {
	const s = useStore();
	const names = [...s.realms.keys()].sort();
	const realm = wanted ?? names[0] ?? "";
	if (!realm || (names.length && !s.realms.has(realm)))
		return html`<${Title} of="hub"/><${Empty} text=${realm ? t("realm.gone", { realm }) : t("realms.none")}
			hint=${t("realms.none.hint")}/>`;
	return html`<${Title} of="hub"/>
		${names.length > 1 && html`<div class="row actions"><${Field} name=${t("col.realm")} value=${realm} set=${(/** @type {string} */ v) => go("hub", v)}
			options=${Object.fromEntries(names.map((n) => [n, n]))}/></div>`}
		<${OfRealm} key=${realm} realm=${realm}/>`;
}

/** @type {Record<string, string>} */
const rowOf = { ports: "port", mac: "mac", arp: "neigh", groups: "group" };

/** @param {{realm: string}} props */
function OfRealm({ realm }) {
	const [what, set] = useState("ports");
	const a = useAnswer("hub", { realm, what: "ports" }, POLL_S);
	const b = useAnswer("hub", { realm, what }, POLL_S);
	const c = useAnswer("hub", { realm, what: "arp" }, POLL_S);
	const rates = useRates(a.items);
	const ports = a.items ?? [];
	const here = new Set(ports.map((p) => p.port));
	const away = byName(useStore().peers.values()).filter((p) => p.realm === realm && p.state !== "up" && !here.has(p.name))
		.map((p) => ({ port: p.name, kind: "away", state: "away", was: p.state, n_mac: 0 }));
	const loops = ports.filter((p) => p.state === "blocked");
	const rows = (b.items ?? []).filter((i) => i.result === rowOf[what]);
	return html`<div class="grid hub"><div>
		<${Panel} title=${t("hub.picture")} cmd=${"tapir hub -w " + quoted(realm)}><${Answer} of=${a}>
			${loops.map((p) => html`<p key=${p.port} role="alert"><${State} is="blocked"/> ${t("hub.loop", { port: p.port, span: span(p.retry_s) })}</p>`)}
			${ports.length ? html`<${Picture} ports=${[...ports, ...away]} realm=${realm} rates=${rates} neighs=${c.items ?? []}/>` : html`<${Empty} text=${t("hub.none")}/>`}
		<//><//></div><div>
		<${Panel} title=${t("hub.tables")} cmd=${`tapir hub ${quoted(realm)} ${what}`}>
			<div class="row" role="group" aria-label=${t("hub.tables")}>${["ports", "mac", "arp", "groups"].map((w) => html`
				<button type="button" key=${w} aria-pressed=${w === what ? "true" : "false"} onClick=${() => set(w)}
				>${t(/** @type {any} */ ("hub.tab." + w))}</button>`)}</div>
			<${Answer} of=${b}>${rows.length ? html`<${Table} key=${what} name=${t(/** @type {any} */ ("hub.tab." + what))} rows=${rows} columns=${tables(rates, b.at)[what]}
				id=${(/** @type {Item} */ r) => [r.port, r.mac, r.ip, r.vlan].join()}/>` : html`<${Empty} text=${t("hub.nothing")} hint=${t("hub.nothing.hint")}/>`}<//>
		<//></div></div>`;
}
