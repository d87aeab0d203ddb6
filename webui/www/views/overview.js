// SPDX-License-Identifier: Apache-2.0
// Overview: what needs attention, traffic, health, what happened last.
import { html } from "../vendor.js";
import { byName, isMissing, keyOf, useAnswer, useClock, useStore } from "../store.js";
import { down, dropped, exact, number, span, t, word } from "../i18n.js";
import { Ago, Answer, Empty, Figure, For, Link, Panel, State, Title, When } from "../parts.js";
import { Traffic } from "../chart.js";
import { Sentence } from "./log.js";

/** @typedef {import("../store.js").Item} Item */

const SOON_S = 30 * 86400;	// a certificate ends soon

/** Certificates of our own that end soon. @param {Item[]} metrics */
function ownCerts(metrics) {
	const now = Date.now() / 1000;
	const ends = new Map(metrics.filter((m) => m.own_cert_until > 0).map((m) => [m.realm, m.own_cert_until]));
	return [...ends].filter(([, until]) => until - now < SOON_S).map(([realm, until]) => ({ key: "own " + realm,
		is: until < now ? "error" : "warn", to: ["access"], who: t("realm.of", { realm }), what: t("att.own", { when: exact(until * 1000) }), note: "" }));
}

/**
 * What somebody should look at; the worst first.
 * @param {typeof import("../store.js").store} s @param {Item[]} metrics @param {number} now  seconds
 */
function attention(s, metrics, now) {
	const out = /** @type {any[]} */ (ownCerts(metrics));
	for (const r of byName(s.realms.values()))
		if (r.why) out.push({ key: "realm " + r.name, is: "warn", to: ["realms", r.name],
			who: t("realm.of", { realm: r.name }), what: down(r.why) });
	for (const p of byName(s.peers.values(), keyOf)) {
		const at = ["peers", p.realm, p.name];
		if (isMissing(p)) out.push({ key: keyOf(p), is: p.state === "suspect" ? "warn" : "error",
			to: at, who: keyOf(p), what: down(p.why) || t("att.down"),
			note: p.state === "down" && p.next_try_s >= 0 ? t("att.next", { span: span(p.next_try_s - (now - p.at / 1000)) }) : "" });
		if (p.cert_until > 0 && p.cert_until - now < SOON_S)
			out.push({ key: "cert " + keyOf(p), is: p.cert_until < now ? "error" : "warn",
				to: ["access"], who: keyOf(p), what: t("att.cert", { when: exact(p.cert_until * 1000) }) });
	}
	return out.sort((a, b) => Number(a.is !== "error") - Number(b.is !== "error"));
}

function Attention() {
	const s = useStore();
	const list = attention(s, useAnswer("metrics", {}, 60).items ?? [], useClock() / 1000);
	return html`<${Panel} title=${t("att.title")} cmd="tapir status">
		${list.length === 0 ? html`<${Empty} text=${s.peers.size ? t("att.none") : t("peers.none")}
			hint=${s.peers.size ? "" : t("peers.none.hint")}/>` : html`
		<ul class="list">${list.slice(0, 20).map((a) => html`<li key=${a.key} class="line two">
			<${State} is=${a.is} group="level"/> <span><${Link} to=${a.to}>${a.who}<//>
			${" "}${a.what} ${a.note && html`<span class="quiet whole">${a.note}</span>`}</span></li>`)}</ul>
		${list.length > 20 && html`<p><${Link} to=${["peers"]}>${t("more", { n: list.length - 20 })}<//></p>`}`}
	<//>`;
}

function Health() {
	const s = useStore();
	const stats = useAnswer("stats", {}, 5);
	const drops = (stats.items ?? []).filter((i) => i.result === "counter");
	const path = (stats.items ?? []).find((i) => i.result === "datapath");
	const worst = [...drops].sort((a, b) => b.value - a.value).slice(0, 3);
	return html`<${Panel} title=${t("health.title")} cmd="tapir stats">
		<div class="figures">
			${s.daemon && html`<${Figure} name=${t("health.runs")}
				value=${html`<${For} s=${s.daemon.up_s} at=${s.daemonAt}/>`} note=${"tapir " + s.daemon.version}/>`}
			${path && html`<${Figure} name=${t("health.workers")} value=${number(path.n_workers)}
				note=${path.provider}/>`}
			<${Figure} name=${t("health.heard")} value=${html`<${Ago} s=${0} at=${s.heardAt || Date.now()}/>`}/>
		</div>
		<${Answer} of=${stats}>
			${path?.without && html`<p><${State} is="warn" group="level"/> ${t("health.without", { what: path.without })}</p>`}
			${worst.length ? html`<h3>${t("health.drops")}</h3><ul class="list">${worst.map((d) => html`
				<li key=${d.name}><strong>${number(d.value)}</strong> ${dropped(d)} <span class="quiet">${d.name}</span></li>`)}</ul>` :
				html`<p>${t("health.nodrops")}</p>`}
		<//>
	<//>`;
}

function Last() {
	const s = useStore();
	const list = s.events.filter((e) => e.severity !== "debug").slice(-8).reverse();
	return html`<${Panel} title=${t("last.title")} cmd="tapir log"
		actions=${html`<${Link} to=${["log"]}>${t("nav.log")}<//>`}>
		${list.length === 0 ? html`<${Empty} text=${t("log.none")}/>` : html`<ul class="list">${list.map((e) => html`
			<li key=${e.seq} class="line"><${When} ms=${e.time_ms}/> <${State} is=${e.severity} group="level"/> <${Sentence} of=${e}/></li>`)}</ul>`}
	<//>`;
}

export function Overview() {
	const s = useStore();
	const count = (/** @type {string} */ state) => [...s.peers.values()].filter((p) => p.state === state).length;
	return html`<${Title} of="overview"/>
		<div class="figures tiles">${["up", "connecting", "suspect", "down"].map((state) => html`
			<${Figure} key=${state} value=${number(count(state))}
				name=${html`<${Link} to=${["peers", state]}><${State} is=${state}/><//>`}/>`)}
			<${Figure} value=${number(s.realms.size)} name=${html`<${Link} to=${["realms"]}>${t("nav.realms")}<//>`}/></div>
		<div class="grid"><div><${Attention}/><${Health}/></div>
			<div><${Panel} title=${t("traffic.title")} cmd="tapir status -w"><${Traffic}/><//><${Last}/></div></div>`;
}

/** Why a peer is where it is, in a few words. @param {Item} p */
export const reason = (p) => p.state === "up" ? "" : down(p.why) || (p.state !== "suspect" && word("intent", p.intent ?? ""));
