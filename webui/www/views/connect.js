// SPDX-License-Identifier: Apache-2.0
// The view of who only wants to be connected: one button, and what comes of it.
import { html, useState } from "../vendor.js";
import { bus, byName, keyOf, may, rateOf, useStore } from "../store.js";
import { bytes, down, rate, t, word } from "../i18n.js";
import { typePassword } from "../api.js";
import { Cmd, Do, Empty, Facts, Failed, Field, For, Link, State, Title } from "../parts.js";
import { go } from "../prefs.js";
import { quoted } from "./makers.js";
import { Why } from "./why.js";

/** The gateway wants a password: type it, and connect. @param {{p: import("../store.js").Item}} props */
function Password({ p }) {
	const [password, setPassword] = useState("");
	const [state, set] = useState({ isBusy: false, error: null });
	const send = async (/** @type {Event} */ e) => {
		e.preventDefault();
		set({ isBusy: true, error: null });
		try {
			await typePassword(p.realm, password);
			await bus.ask("up", { realm: p.realm, peer: p.name });
			set({ isBusy: false, error: null });
		} catch (error) {
			set({ isBusy: false, error });
		}
		setPassword("");
	};
	return html`<form onSubmit=${send} class="proof">
		<${Field} name=${t("connect.password")} value=${password} set=${setPassword} type="password" auto="current-password" isNeeded/>
		<${Failed} error=${state.error}/>
		<button class="main" disabled=${state.isBusy || !password || !may("operator")}>${t("act.up")}</button></form>`;
}

/** @param {{realm?: string, peer?: string}} props */
export function Connect({ realm, peer }) {
	const s = useStore();
	const all = byName(s.peers.values(), keyOf), key = realm + "/" + peer;
	const [isWhy, setWhy] = useState(false);
	// whom this machine dials comes before who dials it
	const p = peer ? s.peers.get(key) : all.find((x) => x.intent === "password") ?? all.find((x) => x.intent === "dial") ?? all[0];
	if (!p) return html`<${Title} of="connect"/>
		<${Empty} text=${s.link !== "live" || !s.realms.size ? t("loading") : peer ? t("peer.gone", { peer: key }) : t("peers.none")}
			hint=${peer ? html`<${Link} to=${["connect"]}>${t("nav.connect")}<//>` : t("peers.none.hint")}/>`;
	const isUp = p.state === "up" || p.state === "suspect";
	const fields = { realm: p.realm, peer: p.name };
	const now = rateOf(keyOf(p));
	return html`<div class="connect panel"><${Title} of="connect"/>
		${all.length > 1 && html`<${Field} name=${t("connect.where")} value=${keyOf(p)} set=${(/** @type {string} */ k) => {
				const to = s.peers.get(k);
				if (to) go("connect", to.realm, to.name);
			}}
			options=${Object.fromEntries(all.map((x) => [keyOf(x), keyOf(x)]))}/>`}
		<p class="big" role="status"><${State} is=${p.state}/></p>
		${isUp || p.state === "connecting" ? html`<${Do} key=${"down" + keyOf(p)} name=${isUp ? t("act.down") : t("cancel")}
			command="down" fields=${fields} isMain/>` :
			p.intent === "password" ? html`<${Password} key=${"word" + keyOf(p)} p=${p}/>` :
			html`<${Do} key=${"up" + keyOf(p)} name=${t("act.up")} command="up" fields=${fields} isMain/>`}
		${!may("operator") && html`<p class="quiet">${t("needs.role", { role: t("role.operator") })}</p>`}
		${p.why && !isUp && html`<p class="note">${down(p.why)}</p>`}
		<${Facts} rows=${[
			[t("connect.to"), p.remote],
			[t("facts.id"), p.id],
			[t("facts.up"), isUp && html`<${For} s=${p.up_s} at=${p.at}/>`],
			[t("facts.path"), isUp && `${word("encap", p.encap)}, ${t("facts.nat")}: ${word("nat", p.nat)}`],
			[t("connect.here"), isUp && p.mode === "ip" && p.ts_local],
			[t("facts.nets"), isUp && p.mode === "ip" && p.ts_remote],
			[t("received"), isUp && `${rate(now.rx)} · ${bytes(p.rx_bytes)}`],
			[t("sent"), isUp && `${rate(now.tx)} · ${bytes(p.tx_bytes)}`],
		]}/>
		<button type="button" aria-expanded=${isWhy ? "true" : "false"} onClick=${() => setWhy(!isWhy)}>${t("connect.problem")}</button>
		${isWhy && html`<div class="panel"><${Why} realm=${p.realm} peer=${p.name}/></div>`}
		<${Cmd} text=${`tapir ${isUp || p.state === "connecting" ? "down" : "up"} ${quoted(keyOf(p))}`}/></div>`;
}
