// SPDX-License-Identifier: Apache-2.0
// What happened: live, filtered, with a way to the explanation.
import { html, useEffect, useState } from "../vendor.js";
import { bus, useStore } from "../store.js";
import { exact, moment, said, t } from "../i18n.js";
import { Empty, Facts, Failed, Field, Link, Panel, State, Title } from "../parts.js";
import { quoted } from "./makers.js";
import { WhyDialog } from "./why.js";

/** @typedef {import("../store.js").Item} Item */

const levels = ["error", "warn", "notice", "info", "debug"];
const own = new Set(["n", "event", "seq", "time_ms", "severity", "sentence", "tag", "result"]);

/** The sentence, with a link to the peer it is about. @param {{of: Item}} props */
export function Sentence({ of }) {
	const key = of.realm + "/" + of.peer;
	const text = said(of), name = text.includes(key) ? key : text.includes(` ${of.peer} `) ? of.peer : "", at = text.indexOf(name);
	if (!of.realm || !of.peer) return html`<span>${text}</span>`;
	const link = html`<${Link} to=${["peers", of.realm, of.peer]}>${name || key}<//>`;
	return name ? html`<span>${text.slice(0, at)}${link}${text.slice(at + name.length)}</span>` :
		html`<span>${text} ${link}</span>`;
}

/** The command that shows the same. @param {string} level @param {string} code @param {string} peer */
const command = (level, code, peer) => "tapir log -f" + (level !== "debug" ? " --level " + level : "") +
	(code ? " --code " + quoted(code) : "") + (peer ? " --peer " + quoted(peer) : "");

/** @param {{e: Item, onWhy: (e: Item) => void}} props */
function Line({ e, onWhy }) {
	return html`<li><details><summary class="line">
		<time datetime=${new Date(e.time_ms).toISOString()} title=${exact(e.time_ms)}>${moment(e.time_ms)}</time>
		${" "}<${State} is=${e.severity} group="level"/> <span>${said(e)}</span></summary>
		<${Facts} rows=${[[t("log.code"), e.event], [t("log.when"), exact(e.time_ms)], [t("log.seq"), String(e.seq)],
			.../** @type {[string, any][]} */ (Object.entries(e).filter(([k]) => !own.has(k)).map(([k, v]) => [k, String(v)]))]}/>
		${e.realm && e.peer && html`<p class="row"><${Link} to=${["peers", e.realm, e.peer]}>${e.realm}/${e.peer}<//>
			<button type="button" onClick=${() => onWhy(e)}>${t("act.why")}</button></p>`}</details></li>`;
}

/** @param {Item} e @param {string} text */
const holds = (e, text) => `${said(e)} ${e.sentence} ${e.event}`.toLowerCase().includes(text.toLowerCase());

export function Log() {
	const s = useStore();
	const [level, setLevel] = useState("info");
	const [code, setCode] = useState("");
	const [peer, setPeer] = useState("");
	const [text, setText] = useState("");
	const [held, hold] = useState(/** @type {Item[]|null} */ (null));
	const [old, setOld] = useState({ items: [], error: null });
	const [why, setWhy] = useState(/** @type {Item|null} */ (null));
	useEffect(() => {
		let isOver = false;
		if (!code && !peer) setOld({ items: [], error: null });
		else if (s.link === "live")
			bus.ask("log", { code, peer, limit: 500 }, true).then(
				(items) => isOver || setOld({ items, error: null }),
				(error) => isOver || setOld({ items: [], error }));
		return () => { isOver = true; };
	}, [code, peer, s.link]);
	const all = held ?? s.events;
	const first = all[0]?.seq ?? Infinity;
	const rows = [...old.items.filter((e) => e.event && e.seq < first), ...all].filter((e) =>
		levels.indexOf(e.severity) <= levels.indexOf(level) && (!code || e.event === code) &&
		(!peer || e.peer === peer) && (!text || holds(e, text))).slice(-300).reverse();
	const codes = [...new Set(all.map((e) => e.event))].sort();
	const peers = [...new Set([...s.peers.values()].map((p) => p.name))].sort();
	const clear = () => {
		setLevel("debug");
		setCode("");
		setPeer("");
		setText("");
	};
	const named = (/** @type {string[]} */ list) => ({ "": t("any"), ...Object.fromEntries(list.map((x) => [x, x])) });
	return html`<${Title} of="log"/>
		<${Panel} title=${t("log.title", { n: rows.length })} cmd=${command(level, code, peer)}
			actions=${html`<button type="button" aria-pressed=${held ? "true" : "false"}
				onClick=${() => hold(held ? null : [...s.events])}>${held ? t("log.go") : t("log.hold")}</button>`}>
			<div class="row">
				<${Field} name=${t("log.level")} value=${level} set=${setLevel}
					options=${Object.fromEntries(levels.map((l) => [l, t(/** @type {any} */ ("level." + l))]))}/>
				<${Field} name=${t("log.code")} value=${code} set=${setCode} options=${named(codes)}/>
				<${Field} name=${t("col.peer")} value=${peer} set=${setPeer} options=${named(peers)}/>
				<${Field} name=${t("log.text")} value=${text} set=${setText} type="search"/>
			</div>
			<${Failed} error=${old.error}/>
			${rows.length ? html`<ol class="list log">${rows.map((e) => html`<${Line} key=${e.seq} e=${e} onWhy=${setWhy}/>`)}</ol>` :
				html`<${Empty} text=${t("log.none")} hint=${html`${t("log.none.hint")} <button type="button" onClick=${clear}>${t("filter.clear")}</button>`}/>`}
		<//>
		${why && html`<${WhyDialog} realm=${why.realm} peer=${why.peer} onClose=${() => setWhy(null)}/>`}`;
}
