// SPDX-License-Identifier: Apache-2.0
// Realms: what belongs to each, and a changed configuration put in force.
import { html, useState } from "../vendor.js";
import { bus, keyOf, may, useClock, useStore } from "../store.js";
import { number, t, word } from "../i18n.js";
import { Do, Empty, Facts, Failed, Link, Panel, State, Table } from "../parts.js";
import { reason } from "./overview.js";

/** @typedef {import("../store.js").Item} Item */

const CONFIRM_S = 60;	// time to see whether one has locked oneself out

// ---- the configuration ------------------------------------------------------------

/** @param {{items: Item[]}} props */
function Changes({ items }) {
	const rows = items.filter((i) => i.result === "change");
	const sum = items.find((i) => i.result === "changes");
	const wrong = items.filter((i) => i.result === "mistake");
	if (wrong.length) return html`<ul class="list">${wrong.map((m, i) => html`<li key=${i}>
		<${State} is="error" group="level"/> <code>${m.text}</code></li>`)}</ul>`;
	return html`<p role="status">${sum?.text || (rows.length ? "" : t("conf.same"))}
		${sum?.n_interrupted > 0 && html` <strong>${t("conf.interrupts", { n: sum.n_interrupted })}</strong>`}</p>
		${rows.length > 0 && html`<${Table} name=${t("conf.changes")} rows=${rows.map((r, i) => ({ ...r, i }))}
			id=${(/** @type {Item} */ r) => r.i} columns=${[
			{ key: "text", name: t("conf.change"), show: (/** @type {Item} */ r) => r.text ||
				[r.what, r.realm, r.peer, r.name].filter(Boolean).join(" ") },
			{ key: "before", name: t("conf.before"), show: (/** @type {Item} */ r) => html`<code>${r.before}</code>` },
			{ key: "after", name: t("conf.after"), show: (/** @type {Item} */ r) => html`<code>${r.after}</code>` },
			{ key: "kind", name: t("conf.effect"), show: (/** @type {Item} */ r) => word("effect", r.kind) },
		]}/>`}`;
}

/** What is in the file, against what is in force; with a way back. */
function Configuration() {
	const now = useClock();
	const [seen, see] = useState(/** @type {Item[]|null} */ (null));
	const [error, fail] = useState(null);
	const [until, setUntil] = useState(0);
	const left = Math.ceil((until - now) / 1000);
	const look = async (/** @type {object} */ fields, /** @type {number} */ seconds) => {
		fail(null);
		try {
			see(await bus.ask("reload", fields));
			setUntil(seconds ? Date.now() + seconds * 1000 : 0);
		} catch (e) {
			fail(e);
			see(e.items?.length ? e.items : null);
		}
	};
	// put in force elsewhere, or before this page was loaded
	const isWaiting = left > 0 || error?.code === "ERR_STATE";
	const isAllowed = may("admin");
	return html`<${Panel} title=${t("conf.title")} cmd=${left > 0 ? "tapir confirm" : `tapir reload --confirm ${CONFIRM_S}`}>
		<p>${t("conf.text", { s: CONFIRM_S })}</p>
		${!isAllowed && html`<p class="quiet">${t("needs.role", { role: t("role.admin") })}</p>`}
		<div class="row actions">
			<button type="button" disabled=${!isAllowed} onClick=${() => look({ dry_run: true }, 0)}>${t("conf.preview")}</button>
			<button type="button" class="main" disabled=${!isAllowed || left > 0}
				onClick=${() => look({ confirm_s: CONFIRM_S }, CONFIRM_S)}>${t("conf.apply")}</button>
			${isWaiting && html`<${Do} name=${left > 0 ? t("conf.keep", { s: left }) : t("conf.keep.now")} command="confirm"
				fields=${{}} role="admin" isMain onDone=${() => { setUntil(0); fail(null); }}/>`}</div>
		<${Failed} error=${error}/>
		${seen && html`<${Changes} items=${seen}/>`}<//>`;
}

// ---- a realm ---------------------------------------------------------------------------

/** @param {{r: Item}} props */
function Realm({ r }) {
	const s = useStore();
	const peers = [...s.peers.values()].filter((p) => p.realm === r.name);
	return html`<${Panel} title=${t("realm.of", { realm: r.name })} cmd=${"tapir status " + r.name}
		actions=${html`<${Link} to=${["hub", r.name]}>${t("nav.hub")}<//>`}>
		${r.why && html`<p><${State} is="warn" group="level"/> ${r.why}</p>`}
		<${Facts} rows=${[
			[t("realm.state"), html`<${State} is=${r.state || "up"} group="realmstate"/>`],
			[t("realm.tap"), r.tap], [t("realm.bridge"), r.bridge], [t("realm.mac"), r.mac],
			[t("facts.mtu"), r.mtu > 0 && number(r.mtu)],
			[t("realm.peers"), t("realm.peers.value", { up: r.n_up, all: r.n_peers })],
		]}/>
		<h3>${t("realm.members")}</h3>
		${peers.length ? html`<${Table} name=${t("realm.members")} rows=${peers} id=${keyOf} first="name" columns=${[
			{ key: "name", name: t("col.peer"), sort: (/** @type {Item} */ p) => p.name, show: (/** @type {Item} */ p) => html`
				<${Link} to=${["peers", p.realm, p.name]}>${p.name}<//>` },
			{ key: "id", name: t("facts.id"), isWide: true },
			{ key: "mode", name: t("facts.mode"), show: (/** @type {Item} */ p) => word("mode", p.mode) },
			{ key: "state", name: t("col.state"), sort: (/** @type {Item} */ p) => p.state, show: (/** @type {Item} */ p) => html`
				<${State} is=${p.state}/> <span class="quiet">${reason(p)}</span>` },
		]}/>` : html`<${Empty} text=${t("peers.none")} hint=${t("peers.none.hint")}/>`}
	<//>`;
}

/** @param {{name?: string}} props */
export function Realms({ name }) {
	const s = useStore();
	const all = [...s.realms.values()];
	const shown = name ? all.filter((r) => r.name === name) : all;
	return html`<h1>${name ? t("realm.of", { realm: name }) : t("nav.realms")}</h1>
		${name && html`<p class="crumbs"><${Link} to=${["realms"]}>${t("nav.realms")}<//></p>`}
		<${Configuration}/>
		${shown.length === 0 ? html`<${Empty} text=${name && all.length ? t("realm.gone", { realm: name }) : t("realms.none")}
			hint=${t("realms.none.hint")}/>` : shown.map((r) => html`<${Realm} key=${r.name} r=${r}/>`)}`;
}
