// SPDX-License-Identifier: Apache-2.0
// Peers: all of them, what goes through, what stands in the way.
import { html, useState } from "../vendor.js";
import { keyOf, rateOf, useStore } from "../store.js";
import { rate, t } from "../i18n.js";
import { Ago, Empty, Field, Link, Panel, Sparkline, State, Table, Title } from "../parts.js";
import { go } from "../prefs.js";
import { reason } from "./overview.js";

/** @typedef {import("../store.js").Item} Item */

const order = ["suspect", "down", "connecting", "up"];

/** @returns {import("../parts.js").Column[]} */
const columns = () => [
	{ key: "name", name: t("col.peer"), sort: keyOf, show: (p) => html`
		<${Link} to=${["peers", p.realm, p.name]}>${p.name}<//>
		<div class="quiet">${p.realm}</div>` },
	{ key: "state", name: t("col.state"), sort: (p) => order.indexOf(p.state), show: (p) => html`
		<${State} is=${p.state}/><div class="quiet">${reason(p)}</div>
		<div class="quiet narrow">↓ ${rate(rateOf(keyOf(p)).rx)} ↑ ${rate(rateOf(keyOf(p)).tx)}</div>` },
	{ key: "remote", name: t("col.address"), sort: (p) => p.remote, isWide: true },
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
	rates = s.rates;
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	const all = [...s.peers.values()];
	const rows = all.filter((p) => (!state || p.state === state) && words.every((w) =>
		`${keyOf(p)} ${p.remote} ${p.id} ${p.why} ${p.suite}`.toLowerCase().includes(w)));
	return html`<${Title} of="peers"/>
		<${Panel} title=${t("peers.title", { n: rows.length, all: all.length })}
			cmd=${state ? "tapir status | grep " + state : "tapir status"}>
			<div class="row">
				<${Field} name=${t("filter")} value=${text} set=${setText} type="search"/>
				<${Field} name=${t("col.state")} value=${state} set=${(/** @type {string} */ v) =>
					v ? go("peers", v) : go("peers")}
					options=${{ "": t("any"), up: t("state.up"), connecting: t("state.connecting"),
						suspect: t("state.suspect"), down: t("state.down") }}/>
			</div>
			${rows.length ? html`<${Table} name=${t("nav.peers")} columns=${columns()} rows=${rows}
				id=${keyOf} first="state"/>` : all.length ? html`<${Empty} text=${t("peers.nomatch")}
				hint=${html`<button type="button" onClick=${() => { setText(""); go("peers"); }}>${t("filter.clear")}</button>`}/>` :
				html`<${Empty} text=${t("peers.none")} hint=${t("peers.none.hint")}/>`}
		<//>`;
}
