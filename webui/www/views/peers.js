// SPDX-License-Identifier: Apache-2.0
// Peers: all of them, what goes through, what stands in the way.
import { html, useState } from "../vendor.js";
import { byName, isMissing, keyOf, rateOf, useStore } from "../store.js";
import { rate, t } from "../i18n.js";
import { Ago, Empty, Field, Link, Panel, Sparkline, State, Table, Title } from "../parts.js";
import { go } from "../prefs.js";
import { quoted } from "./makers.js";
import { reason } from "./overview.js";

/** @typedef {import("../store.js").Item} Item */

const order = ["suspect", "down", "connecting", "up"];

/** @returns {import("../parts.js").Column[]} */
const columns = () => [
	{ key: "name", name: t("col.peer"), sort: keyOf, show: (p) => html`
		<${Link} to=${["peers", p.realm, p.name]}>${p.name}<//>
		<div class="quiet">${p.realm}</div>` },
	{ key: "state", name: t("col.state"), sort: (p) => (isMissing(p) ? 0 : 4) + order.indexOf(p.state), show: (p) => html`
		<${State} is=${p.state}/><div class="quiet">${reason(p)}</div>
		<div class="quiet narrow">↓ ${rate(rateOf(keyOf(p)).rx)} ↑ ${rate(rateOf(keyOf(p)).tx)}</div>` },
	{ key: "remote", name: t("col.address"), sort: (p) => p.remote, isWide: true,
	  show: (p) => p.remote.split(":").map((/** @type {string} */ part, /** @type {number} */ i) => i ? html`:<wbr/>${part}` : part) },
	{ key: "rx", name: t("received"), isNumber: true, isWide: true, sort: (p) => rateOf(keyOf(p)).rx,
	  show: (p) => rate(rateOf(keyOf(p)).rx) },
	{ key: "tx", name: t("sent"), isNumber: true, isWide: true, sort: (p) => rateOf(keyOf(p)).tx,
	  show: (p) => rate(rateOf(keyOf(p)).tx) },
	{ key: "line", name: t("col.minute"), isWide: true, show: (p) => html`
		<${Sparkline} rates=${ratesOf(p)} name=${t("spark.alt", { peer: p.name })}/>` },
	{ key: "last", name: t("col.last"), isWide: true,
	  sort: (p) => p.last_packet_s < 0 ? Infinity : p.last_packet_s,
	  show: (p) => html`<${Ago} s=${p.last_packet_s} at=${p.at}/>` },
];

/** @type {Map<string, import("../store.js").Rates>} */
let rates = new Map();
const ratesOf = (/** @type {Item} */ p) => rates.get(keyOf(p));

/** @param {{state?: string}} props */
export function Peers({ state = "" }) {
	const s = useStore();
	const [text, setText] = useState("");
	const [realm, setRealm] = useState("");
	rates = s.rates;
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	const all = byName(s.peers.values(), keyOf);
	const rows = all.filter((p) => (!state || p.state === state) && (!realm || p.realm === realm) && words.every((w) =>
		`${keyOf(p)} ${p.remote} ${p.id} ${p.why} ${p.suite}`.toLowerCase().includes(w)));
	return html`<${Title} of="peers"/>
		<${Panel} title=${t("peers.title", { n: rows.length, all: all.length })}
			cmd=${"tapir status" + (realm && " " + quoted(realm)) + (state && " | grep " + state)}>
			<div class="row">
				<${Field} name=${t("filter")} value=${text} set=${setText} type="search"/>
				<${Field} name=${t("col.state")} value=${state} set=${(/** @type {string} */ v) =>
					v ? go("peers", v) : go("peers")}
					options=${{ "": t("any"), up: t("state.up"), connecting: t("state.connecting"),
						suspect: t("state.suspect"), down: t("state.down") }}/>
				${s.realms.size > 1 && html`<${Field} name=${t("col.realm")} value=${realm} set=${setRealm} options=${{ "": t("any"),
					...Object.fromEntries([...s.realms.keys()].sort().map((r) => [r, r])) }}/>`}
			</div>
			${rows.length ? html`<${Table} name=${t("nav.peers")} columns=${columns()} rows=${rows}
				id=${keyOf} first="state"/>` : all.length ? html`<${Empty} text=${t("peers.nomatch")}
				hint=${html`<button type="button" onClick=${() => { setText(""); setRealm(""); go("peers"); }}>${t("filter.clear")}</button>`}/>` :
				html`<${Empty} text=${t("peers.none")} hint=${t("peers.none.hint")}/>`}
		<//>`;
}
