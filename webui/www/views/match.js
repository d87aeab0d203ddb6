// SPDX-License-Identifier: Apache-2.0
// Which realm would somebody fall into, and by which rule?
import { html, useEffect, useState } from "../vendor.js";
import { bus, useAnswer, useStore } from "../store.js";
import { t } from "../i18n.js";
import { Ago, Failed, Field, Link, Panel, State, Table } from "../parts.js";
import { quoted } from "./makers.js";

/** @typedef {import("../store.js").Item} Item */
/** @typedef {import("../api.js").Answer} Answer */

const PAUSE_MS = 300;	// after the last key
const NOBODY = "?";		// while nothing is typed only the rules are shown

/** What decided, in words. @param {{end: Item, by: Item|undefined}} props */
const Verdict = ({ end, by }) => html`<p role="status"><${State} is=${end.code === "realm" ? "ok" : end.code === "needs-eap" ? "unknown" : "failed"}
	group="verdict"/> ${end.code === "realm" && by ? html`<${Link} to=${["realms", by.realm]}>${t("realm.of", { realm: by.realm })}<//>, ${t("col.peer")}
	${" "}<strong>${by.peer}</strong>` : t(/** @type {any} */ ("match." + end.code), { realm: by?.realm ?? "" })}</p>`;

export function Match() {
	const isLive = useStore().link === "live";
	const [id, setId] = useState("");
	const [eap, setEap] = useState("");
	const [own, setOwn] = useState("");
	const [subject, setSubject] = useState("");
	const [names, setNames] = useState("");
	const [state, set] = useState({ items: /** @type {Answer|null} */ (null), error: null });
	useEffect(() => {
		let isOver = !isLive;
		const timer = setTimeout(() => isOver || bus.ask("match", { id: id.trim() || NOBODY, eap: eap.trim(), own: own.trim(), cert_subject: subject.trim(),
				cert_names: names.trim() }, true)
			.then((items) => isOver || set({ items, error: null }), (error) => isOver || set({ items: null, error })), PAUSE_MS);
		return () => {
			isOver = true;
			clearTimeout(timer);
		};
	}, [id, eap, own, subject, names, isLive]);
	/** @type {Item[]} */
	const rows = (state.items ?? []).filter((i) => i.result === "match").map((r, i) => ({ ...r, i }));
	const isAsked = id.trim() !== "";
	const text = ["tapir realm test " + (id.trim() ? quoted(id.trim()) : "ID"), eap.trim() && "--eap " + quoted(eap.trim()),
		(subject.trim() || names.trim()) && "--cert FILE", own.trim() && "--own " + quoted(own.trim())].filter(Boolean).join(" ");
	return html`<${Panel} title=${t("match.title")} cmd=${text}>
		<p>${t("match.text")}</p>
		<div class="row"><${Field} name=${t("facts.id")} value=${id} set=${setId} hint="hanako@sales.example.com"/>
			<${Field} name=${t("match.eap")} value=${eap} set=${setEap}/>
			<${Field} name=${t("match.subject")} value=${subject} set=${setSubject} hint="O=Example, CN=hanako"/>
			<${Field} name=${t("match.names")} value=${names} set=${setNames} hint="hanako@example.com vpn.example.com"/>
			<${Field} name=${t("match.own")} value=${own} set=${setOwn} hint=${t("match.own.hint")}/></div>
		<${Failed} error=${state.error}/>
		${isAsked && state.items?.end && html`<${Verdict} end=${state.items.end} by=${rows.find((r) => r.verdict === "decides")}/>`}
		${rows.length > 0 && html`<${Table} name=${t("match.rules")} rows=${rows} id=${(/** @type {Item} */ r) => r.i} columns=${[
			{ key: "rule", name: t("match.rule"), show: (/** @type {Item} */ r) => html`<code>${r.kind} ${r.option}=${'"' + r.id + '"'}</code>` },
			{ key: "realm", name: t("col.realm") },
			{ key: "peer", name: t("col.peer"), isWide: true },
			{ key: "line", name: t("match.line"), isNumber: true, isWide: true, show: (/** @type {Item} */ r) => r.line || "" },
			...(isAsked ? [{ key: "verdict", name: t("why.fits"), show: (/** @type {Item} */ r) => html`<${State} is=${r.verdict} group="fit"/>` }] : []),
		]}/>`}<//>`;
}

/** Who has which address of a realm's pool; nothing where there is no pool. @param {{realm: string}} props */
export function Leases({ realm }) {
	const a = useAnswer("leases", { realm }, 10);
	const rows = (a.items ?? []).filter((i) => i.result === "lease");
	return rows.length > 0 && html`<h3>${t("lease.title")}</h3><${Table} name=${t("lease.of", { realm })} rows=${rows} first="ip"
		id=${(/** @type {Item} */ l) => l.ip} columns=${[
		{ key: "ip", name: t("hub.ip"), sort: (/** @type {Item} */ l) => l.ip, show: (/** @type {Item} */ l) => html`<code>${l.ip}</code>` },
		{ key: "id", name: t("lease.who"), sort: (/** @type {Item} */ l) => l.id },
		{ key: "state", name: t("col.state"), show: (/** @type {Item} */ l) => html`<${State} is=${l.state} group="lease"/>` },
		{ key: "seen", name: t("lease.seen"), isWide: true, show: (/** @type {Item} */ l) => html`<${Ago} s=${l.seen_s} at=${a.at}/>` },
	]}/>`;
}
