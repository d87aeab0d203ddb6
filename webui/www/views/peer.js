// SPDX-License-Identifier: Apache-2.0
// One peer: facts, SAs, drops, the last 30 days, what can be done.
import { html, useState } from "../vendor.js";
import { bus, may, useAnswer, useStore } from "../store.js";
import { bytes, day, down, dropped, exact, moment, number, span, t, told, word } from "../i18n.js";
import { Ago, Answer, Do, Empty, Facts, Failed, For, Link, Panel, State, Table, When } from "../parts.js";
import { Traffic } from "../chart.js";
import { days, spansUp } from "../spans.js";
import { quoted } from "./makers.js";
import { WhyDialog } from "./why.js";

/** @typedef {import("../store.js").Item} Item */

const DAYS = 30;

/** @param {number} n */
const hex = (n) => "0x" + Number(n).toString(16).padStart(8, "0");

/** @param {number} n @param {number} all */
const packets = (n, all) => `${bytes(n)}, ${t("capture.count", { n: number(all) })}`;

/** What carries frames has a name besides its number (IANA). @param {string} ts */
const nets = (ts) => ts.replace(/\[97\]/g, " EtherIP").replace(/\[47\]/g, " GRE");

// ---- security associations: one IKE SA, its children below it -----------------------

/** @param {{p: Item, items: Item[], at: number}} props */
function Tree({ p, items, at }) {
	const children = items.filter((i) => i.result === "child");
	if (p.state !== "up" && p.state !== "suspect" && children.length === 0)
		return html`<${Empty} text=${t("sa.none")}/>`;
	return html`<ul class="tree"><li><strong>IKE</strong> ${p.ike_suite}
		<span class="quiet"> ${p.local} → ${p.remote}</span>
		<ul>${children.map((c) => html`<li key=${c.spi_in}><strong>${t("sa.child")}</strong>
			${" "}${word("mode", c.mode)}, ${word("encap", c.encap)}, ${c.suite}
			${c.old && html` <span class="badge">${t("sa.old")}</span>`}
			<div class="quiet">${t("sa.in")} ${hex(c.spi_in)}: ${packets(c.rx_bytes, c.rx_packets)}</div>
			<div class="quiet">${t("sa.out")} ${hex(c.spi_out)}: ${packets(c.tx_bytes, c.tx_packets)}</div>
			<div class="quiet"><span title=${t("since", { when: exact(at - c.age_s * 1000) })}>${t("sa.age", { span: span(c.age_s) })}</span>,
				${" "}${t("sa.worker", { n: c.worker })}</div></li>`)}</ul></li></ul>`;
}

/** @param {{realm: string, name: string}} props */
function Drops({ realm, name }) {
	const a = useAnswer("stats", {}, 5);
	const sas = (a.items ?? []).filter((i) => i.result === "sa" && i.realm === realm && i.peer === name);
	const drops = (a.items ?? []).filter((i) => i.result === "counter");
	const own = (a.items ?? []).filter((i) => i.result === "peer-drop" && i.realm === realm && i.peer === name);
	return html`<${Panel} title=${t("drops.title")} cmd="tapir stats"><${Answer} of=${a}>
		${sas.length > 0 && html`<h3>${t("drops.sa")}</h3><${Table} name=${t("drops.sa")} rows=${sas} id=${(/** @type {Item} */ s) => s.spi_in} columns=${[
			{ key: "spi_in", name: "SPI", show: (/** @type {Item} */ s) => hex(s.spi_in) },
			{ key: "n_replay", name: t("drops.replay"), isNumber: true, show: (/** @type {Item} */ s) => number(s.n_replay) },
			{ key: "n_icv", name: t("drops.icv"), isNumber: true, show: (/** @type {Item} */ s) => number(s.n_icv) },
		]}/>`}
		${own.length > 0 && html`<h3>${t("drops.peer")}</h3><ul class="list">${own.sort((x, y) => y.value - x.value).map((d) => html`
			<li key=${d.name}><strong>${number(d.value)}</strong> ${dropped(d)} <span class="quiet">${d.name}</span></li>`)}</ul>`}
		<h3>${t("drops.all")}</h3>
		${drops.length ? html`<ul class="list">${drops.sort((x, y) => y.value - x.value).slice(0, 8).map((d) => html`
			<li key=${d.name}><strong>${number(d.value)}</strong> ${dropped(d)} <span class="quiet">${d.name}</span></li>`)}</ul>` :
			html`<p>${t("health.nodrops")}</p>`}
	<//><//>`;
}

// ---- 30 days: a strip, and the same as a list ------------------------------------------

/** @param {number} part @param {number} all */
const percent = (part, all) => (all ? Math.floor(1000 * part / all) / 10 : 0).toFixed(1);

/** A bar a day: as high as the part of it that the peer was up. @param {{bars: ReturnType<typeof days>, name: string}} props */
const Bars = ({ bars, name }) => html`<svg class="strip" viewBox="0 0 600 36" preserveAspectRatio="none" role="img" aria-label=${name}>
	${bars.map((d, i) => {
		const part = d.known_ms ? d.up_ms / d.known_ms : 0, high = d.known_ms ? Math.max(3, 34 * part) : 1;
		return html`<g key=${d.day}><title>${day(d.day)}: ${d.known_ms ? t("history.day", { share: percent(d.up_ms, d.known_ms) }) :
			t("history.none")}</title><rect class="room" x=${i * 20} width="16" height="36"/>
			<rect class=${!d.known_ms ? "none" : part > 0.999 ? "all" : part > 0 ? "some" : "off"} x=${i * 20} y=${36 - high}
				width="16" height=${high}/></g>`;
	})}</svg>`;

/** @param {{p: Item}} props */
function History({ p }) {
	const from = Math.floor(Date.now() / 3600000) * 3600000 - DAYS * 86400000;
	const a = useAnswer("history", { realm: p.realm, peer: p.name, since_ms: from, limit: 1000 }, 30);
	const rows = (a.items ?? []).filter((i) => i.result === "history");
	const now = Date.now();
	const isUp = p.state === "up" || p.state === "suspect";
	const ups = spansUp(rows, from, now, isUp);
	const known = Math.max(from, rows[0]?.time_ms ?? now);
	const bars = days(ups, known, now, DAYS);
	const share = percent(bars.reduce((n, d) => n + d.up_ms, 0), bars.reduce((n, d) => n + d.known_ms, 0));
	const said = t("history.share", { share, when: moment(known) });
	// what happens again and again stands there once
	/** @type {Map<string, Item>} */
	const list = new Map();
	for (const r of rows) {
		const text = told(r), was = list.get(text);
		list.delete(text);
		list.set(text, { ...r, told: text, n_same: r.n_same + (was?.n_same ?? 0), time_ms: r.last_ms || r.time_ms });
	}
	return html`<${Panel} title=${t("history.title", { days: DAYS })} cmd=${"tapir history " + quoted(p.realm + "/" + p.name)}>
		<${Answer} of=${a}>
			${rows.length ? html`<${Bars} bars=${bars} name=${said}/>
				<p class="quiet ends"><span>${day(bars[0].day)}</span><span>${t("today")}</span></p><p class="quiet">${said}</p>
				<ul class="list">${[...list.values()].slice(-10).reverse().map((r) => html`
				<li key=${r.told}><${When} ms=${r.time_ms}/> ${r.told} ${r.n_same > 1 && html`
					<span class="badge">${t("times", { n: r.n_same })}</span>`}</li>`)}</ul>` :
				html`<${Empty} text=${t("history.none")}/>`}
		<//><//>`;
}

// ---- does it answer? ---------------------------------------------------------------------

/** @param {{p: Item}} props */
function Ping({ p }) {
	const [state, set] = useState({ text: "", error: null, isBusy: false });
	const run = async () => {
		set({ text: "", error: null, isBusy: true });
		try {
			const items = await bus.ask("ping", { realm: p.realm, peer: p.name, wait_ms: 2000 });
			const pong = items.find((i) => i.result === "pong");
			set({ text: pong ? t("ping.yes", { ms: (pong.rtt_us / 1000).toFixed(1) }) : t("ping.no"),
				error: null, isBusy: false });
		} catch (error) {
			set({ text: "", error, isBusy: false });
		}
	};
	const isUp = p.state === "up" || p.state === "suspect";
	return html`<span class="do"><button type="button" disabled=${state.isBusy || !isUp} title=${isUp ? undefined : t("needs.up")}
			onClick=${run}>${t("act.ping")}</button>
		<span role="status" class="quiet">${state.isBusy ? t("busy") : state.text}</span><${Failed} error=${state.error}/></span>`;
}

/** @param {{p: Item}} props */
function Actions({ p }) {
	const [isWhy, set] = useState(false);
	const fields = { realm: p.realm, peer: p.name };
	return html`<div class="row actions">
		${p.state !== "up" && p.intent === "password" ? html`<${Link} to=${["connect", p.realm, p.name]} class="button main">${t("act.up")}<//>` :
			p.state === "down" ? html`<${Do} key="up" name=${t("act.up")} command="up" fields=${fields} isMain/>` :
			html`<${Do} key="down" name=${t("act.down")} command="down" fields=${fields} ask=${t("act.down.ask", { peer: p.name })}/>`}
		<${Do} name=${t("act.rekey")} command="rekey" fields=${{ ...fields, what: "child" }}
			off=${p.state === "up" || p.state === "suspect" ? "" : t("needs.up")}/>
		<${Ping} p=${p}/>
		<button type="button" onClick=${() => set(true)}>${t("act.why")}</button>
		<${Link} to=${["capture", p.realm, p.name]} class="button">${t("nav.capture")}<//>
		<${Link} to=${["access", p.realm, p.name]} class="button">${t("act.profile")}<//>
		${!may("operator") && html`<span class="quiet">${t("needs.role", { role: t("role.operator") })}</span>`}
		${isWhy && html`<${WhyDialog} realm=${p.realm} peer=${p.name} onClose=${() => set(false)}/>`}</div>`;
}

/** @param {{realm: string, name: string}} props */
export function Peer({ realm, name }) {
	const s = useStore();
	const p = s.peers.get(realm + "/" + name);
	const a = useAnswer("status", { realm, peer: name }, 2);
	if (!p) return html`<h1>${name}</h1><${Empty} text=${s.link === "live" && s.realms.size ?
		t("peer.gone", { peer: realm + "/" + name }) : t("loading")}
		hint=${html`<${Link} to=${["peers"]}>${t("nav.peers")}<//>`}/>`;
	const isUp = p.state === "up" || p.state === "suspect", target = quoted(realm + "/" + name);
	return html`<p class="crumbs"><${Link} to=${["peers"]}>${t("nav.peers")}<//> / <${Link} to=${["realms", realm]}>${realm}<//></p>
		<h1>${name} <${State} is=${p.state}/></h1>
		${p.why && !isUp && html`<p class="note">${down(p.why)}</p>`}
		<${Actions} p=${p}/>
		<div class="grid"><div>
			<${Panel} title=${t("facts.title")} cmd=${"tapir status " + target}><${Facts} rows=${[
				[t("facts.id"), p.id],
				[t("facts.auth"), p.auth && word("auth", p.auth)],
				[t("facts.subject"), p.cert_subject],
				[t("facts.until"), p.cert_until > 0 && html`<${When} ms=${p.cert_until * 1000}/>`],
				[t("facts.path"), isUp && `${p.local} → ${p.remote}`],
				[t("facts.nat"), isUp && word("nat", p.nat)],
				[t("facts.mode"), isUp && `${word("mode", p.mode)}, ${word("encap", p.encap)}`],
				[isUp ? t("facts.suite") : t("facts.offer"), isUp ? p.suite : p.suite && `suite="${p.suite}"`],
				[p.mode === "ip" ? t("facts.nets") : t("facts.between"), p.ts_local && `${nets(p.ts_local)} ↔ ${nets(p.ts_remote)}`],
				[t("facts.mtu"), p.mtu > 0 && t("facts.mtu.value", { mtu: p.mtu, path: p.path_mtu })],
				[t("facts.up"), isUp && html`<${For} s=${p.up_s} at=${p.at}/>`],
				[t("facts.down"), p.down_s >= 0 && !isUp && html`<${For} s=${p.down_s} at=${p.at}/>`],
				[t("col.last"), html`<${Ago} s=${p.last_packet_s} at=${p.at}/>`],
				[t("facts.heard"), html`<${Ago} s=${p.ike_heard_s} at=${p.at}/>`],
				[t("facts.tries"), p.n_failed > 0 && number(p.n_failed)],
				[t("received"), packets(p.rx_bytes, p.rx_packets)],
				[t("sent"), packets(p.tx_bytes, p.tx_packets)],
			]}/><//>
			<${Panel} title=${t("sa.title")} cmd=${"tapir --json status " + target}><${Answer} of=${a}>
				<${Tree} p=${p} items=${a.items ?? []} at=${a.at}/><//><//></div><div>
			<${Panel} title=${t("traffic.title")} cmd=${"tapir status -w " + target}><${Traffic} of=${realm + "/" + name}/><//>
			<${History} p=${p}/>
			<${Drops} realm=${realm} name=${name}/></div></div>`;
}
