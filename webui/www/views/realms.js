// SPDX-License-Identifier: Apache-2.0
// Realms: what belongs to each.
import { html } from "../vendor.js";
import { byName, keyOf, useStore } from "../store.js";
import { down, t, word } from "../i18n.js";
import { Empty, Facts, Link, Panel, State, Table, Title } from "../parts.js";
import { Configuration } from "./conf.js";
import { Drain, quoted } from "./makers.js";
import { Leases, Match } from "./match.js";
import { reason } from "./overview.js";

/** @typedef {import("../store.js").Item} Item */

// ---- a realm ---------------------------------------------------------------------------

/** @param {{r: Item}} props */
function Realm({ r }) {
	const s = useStore();
	const peers = [...s.peers.values()].filter((p) => p.realm === r.name);
	return html`<${Panel} title=${t("realm.of", { realm: r.name })} cmd=${"tapir status " + quoted(r.name)}
		actions=${html`<${Link} to=${["hub", r.name]}>${t("nav.hub")}<//>`}>
		${r.why && html`<p><${State} is="warn" group="level"/> ${down(r.why)}</p>`}
		<${Facts} rows=${[
			[t("realm.state"), html`<${State} is=${r.state || "up"} group="realmstate"/>`],
			[t("realm.tap"), r.tap], [t("realm.bridge"), r.bridge], [t("realm.mac"), r.mac],
			[t("facts.mtu"), r.mtu > 0 && String(r.mtu)],
			[t("realm.peers"), t("realm.peers.value", { up: r.n_up, all: r.n_peers })],
		]}/>
		<h3>${t("realm.members")}</h3>
		${peers.length ? html`<${Table} name=${t("realm.members.of", { realm: r.name })} rows=${peers} id=${keyOf} first="name" columns=${[
			{ key: "name", name: t("col.peer"), sort: (/** @type {Item} */ p) => p.name, show: (/** @type {Item} */ p) => html`
				<${Link} to=${["peers", p.realm, p.name]}>${p.name}<//>` },
			{ key: "id", name: t("facts.id"), isWide: true },
			{ key: "mode", name: t("facts.mode"), isWide: true, show: (/** @type {Item} */ p) => word("mode", p.mode) },
			{ key: "state", name: t("col.state"), sort: (/** @type {Item} */ p) => p.state, show: (/** @type {Item} */ p) => html`
				<${State} is=${p.state}/> <span class="quiet">${reason(p)}</span>` },
		]}/>` : html`<${Empty} text=${t("realm.empty")} hint=${t("realm.empty.hint")}/>`}
		<${Leases} realm=${r.name}/>
	<//>`;
}

/** @param {{name?: string}} props */
export function Realms({ name }) {
	const s = useStore();
	const all = byName(s.realms.values());
	const shown = name ? all.filter((r) => r.name === name) : all;
	return html`${name ? html`<p class="crumbs"><${Link} to=${["realms"]}>${t("nav.realms")}<//></p>
			<h1>${t("realm.of", { realm: name })}</h1>` : html`<${Title} of="realms"/>`}
		<${Configuration} key=${name} realm=${name}/>
		${shown.length === 0 ? html`<${Empty} text=${name && all.length ? t("realm.gone", { realm: name }) : t("realms.none")}
			hint=${t("realms.none.hint")}/>` : shown.map((r) => html`<${Realm} key=${r.name} r=${r}/>`)}
		<${Match}/>
		${!name && html`<${Drain}/>`}`;
}
