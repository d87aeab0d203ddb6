// SPDX-License-Identifier: Apache-2.0
// The view of who only wants to be connected: one button, and what comes of it.
import { html, useState } from "../vendor.js";
import { keyOf, rateOf, useStore } from "../store.js";
import { bytes, rate, t, word } from "../i18n.js";
import { Cmd, Do, Empty, Facts, Field, For, State, Title } from "../parts.js";
import { Why } from "./why.js";

/** @param {{realm?: string, peer?: string}} props */
export function Connect({ realm, peer }) {
	const s = useStore();
	const all = [...s.peers.values()].sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
	const [key, setKey] = useState(realm && peer ? realm + "/" + peer : "");
	const [isWhy, setWhy] = useState(false);
	const p = s.peers.get(key) ?? all[0];
	if (!p) return html`<${Title} of="connect"/>
		<${Empty} text=${s.link === "live" ? t("peers.none") : t("loading")} hint=${t("peers.none.hint")}/>`;
	const isUp = p.state === "up" || p.state === "suspect";
	const fields = { realm: p.realm, peer: p.name };
	const now = rateOf(keyOf(p));
	return html`<div class="connect panel"><${Title} of="connect"/>
		${all.length > 1 && html`<${Field} name=${t("connect.where")} value=${keyOf(p)} set=${setKey}
			options=${Object.fromEntries(all.map((x) => [keyOf(x), keyOf(x)]))}/>`}
		<p class="big" role="status"><${State} is=${p.state}/></p>
		${isUp || p.state === "connecting" ? html`<${Do} key=${"down" + keyOf(p)} name=${isUp ? t("act.down") : t("cancel")}
			command="down" fields=${fields} isMain/>` :
			html`<${Do} key=${"up" + keyOf(p)} name=${t("act.up")} command="up" fields=${fields} isMain/>`}
		${p.why && !isUp && html`<p class="note">${p.why}</p>`}
		<${Facts} rows=${[
			[t("connect.to"), p.remote],
			[t("facts.id"), p.id],
			[t("facts.up"), isUp && html`<${For} s=${p.up_s} at=${p.at}/>`],
			[t("facts.path"), isUp && `${word("encap", p.encap)}, ${t("facts.nat")}: ${word("nat", p.nat)}`],
			[t("connect.here"), isUp && p.mode === "ip" && p.ts_local],
			[t("facts.nets"), isUp && p.ts_remote],
			[t("received"), isUp && `${rate(now.rx)} · ${bytes(p.rx_bytes)}`],
			[t("sent"), isUp && `${rate(now.tx)} · ${bytes(p.tx_bytes)}`],
		]}/>
		<button type="button" aria-expanded=${isWhy ? "true" : "false"} onClick=${() => setWhy(!isWhy)}>${t("connect.problem")}</button>
		${isWhy && html`<div class="panel"><${Why} realm=${p.realm} peer=${p.name}/></div>`}
		<${Cmd} text=${`tapir ${isUp ? "down" : "up"} ${keyOf(p)}`}/></div>`;
}
