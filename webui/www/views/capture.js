// SPDX-License-Identifier: Apache-2.0
// Captures: begun here or elsewhere, kept in this browser until they are saved.
import { html, useState } from "../vendor.js";
import { capture } from "../api.js";
import { bus, changed, keyOf, may, useAnswer, useClock, useStore } from "../store.js";
import { bytes, down, number, span, t } from "../i18n.js";
import { Answer, Empty, Failed, Field, Panel, Table, Title, When } from "../parts.js";
import { quoted } from "./makers.js";
import { proved } from "./proof.js";

/** @typedef {import("../store.js").Item} Item */
/** @typedef {{name: string, url: string, n: number, at: number, what: string}} Kept */

const kinds = ["clear", "esp", "ike", "dropped"];
const onWire = ["esp", "ike"];		// what an operator may have
const MAX_S = 900;
const MAX_MB = 64;			// it waits in the memory of this browser

/** What runs and what was got, whichever page is shown. */
const mine = {
	/** @type {AbortController|null} */ cut: null,
	begin: 0, n: 0, isEnding: false,
	/** @type {Kept[]} */ kept: [],
	/** @type {any} */ error: null,
};

// it is in nobody's hands but ours until it is saved
addEventListener("beforeunload", (e) => { if (mine.cut || mine.kept.length) e.preventDefault(); });

/** @param {object} fields @param {string} what */
async function begin(fields, what) {
	mine.error = null;
	try {
		await proved(async () => {
			const cut = mine.cut = new AbortController();
			Object.assign(mine, { begin: Date.now(), n: 0, isEnding: false });
			changed();
			const got = await capture(fields, cut.signal, (n) => { mine.n = n; changed(); });
			mine.kept.unshift({ name: got.name, url: URL.createObjectURL(got.blob), n: got.blob.size, at: Date.now(), what });
		});
	} catch (e) {
		mine.error = e;
	}
	mine.cut = null;
	changed();
}

/** Ended by the daemon, so that its last block comes too; cut off when it does not answer. */
function end() {
	mine.isEnding = true;
	changed();
	bus.ask("capture-stop", { capture: 0 }).catch(() => mine.cut?.abort());
}

/** @param {Kept} k */
function forget(k) {
	URL.revokeObjectURL(k.url);
	mine.kept = mine.kept.filter((x) => x !== k);
	changed();
}

function Running() {
	const now = useClock();
	if (!mine.cut) return null;
	return html`<p role="status" class="note"><strong>${t("capture.runs")}</strong> ${span((now - mine.begin) / 1000)} · ${bytes(mine.n)}
		${" "}<button type="button" class="main" disabled=${mine.isEnding} onClick=${end}>${t("capture.end")}</button></p>`;
}

const Mine = () => html`<${Panel} title=${t("capture.mine")}>
	${mine.kept.length ? html`<${Table} name=${t("capture.mine")} rows=${mine.kept} id=${(/** @type {Kept} */ k) => k.url} columns=${[
		{ key: "name", name: t("capture.file"), show: (/** @type {Kept} */ k) => html`<a href=${k.url} download=${k.name}>${k.name}</a>
			<div class="quiet">${k.what}</div>` },
		{ key: "n", name: t("capture.size"), isNumber: true, show: (/** @type {Kept} */ k) => bytes(k.n) },
		{ key: "at", name: t("log.when"), isWide: true, show: (/** @type {Kept} */ k) => html`<${When} ms=${k.at}/>` },
		{ key: "do", name: "", show: (/** @type {Kept} */ k) => html`<button type="button" class="plain" onClick=${() => forget(k)}
			aria-label=${t("capture.forget.of", { name: k.name })}>${t("capture.forget")}</button>` },
	]}/><p class="quiet">${t("capture.open")}</p>` : html`<${Empty} text=${t("capture.none")} hint=${t("capture.none.hint")}/>`}<//>`;

/** Kinds of packets, in words; none are all. @param {string} what */
const inWords = (what) => what.split(/[ ,]+/).filter(Boolean).map((k) => kinds.includes(k) ? t(/** @type {any} */ ("capture." + k)) : k).join(", ") || t("any");

/** Whose capture runs on the gateway. */
function Everyones() {
	const a = useAnswer("captures", {}, 2);
	const rows = (a.items ?? []).filter((i) => i.result === "capture");
	return html`<${Panel} title=${t("capture.all")} cmd="tapir capture --list"><${Answer} of=${a}>
		${rows.length ? rows.map((c) => html`<p key=${c.capture}>${t("capture.of", { user: down(c.user), what: inWords(c.what ?? "") })}
			${c.peer && html` <strong>${c.realm}/${c.peer}</strong>`}
			<span class="quiet"> ${span(c.age_s)} · ${t("capture.count", { n: number(c.n_packets) })} · ${bytes(c.n_bytes)}
				${c.n_lost > 0 && html` · ${t("capture.lost", { n: number(c.n_lost) })}`}</span>
			${" "}<button type="button" disabled=${!may("operator")} title=${may("operator") ? undefined :
				t("needs.role", { role: t("role.operator") })} onClick=${() => bus.ask("capture-stop", { capture: c.capture })
				.then(a.again, a.again)}>${t("capture.end")}</button></p>`) : html`<${Empty} text=${t("capture.nobody")}/>`}
	<//><//>`;
}

/** @param {{realm?: string, peer?: string}} props */
export function Capture({ realm, peer: first }) {
	const s = useStore();
	const [peer, setPeer] = useState(realm && first ? realm + "/" + first : "");
	const [on, setOn] = useState(/** @type {string[]} */ ([]));
	const [seconds, setSeconds] = useState("60");
	const [size, setSize] = useState("16");
	const whole = (/** @type {string} */ v, /** @type {number} */ max) => Math.min(max, Math.max(1, Math.floor(Number(v) || 1)));
	const n = whole(seconds, MAX_S), mb = whole(size, MAX_MB);
	const mayHave = may("admin") ? kinds : may("operator") ? onWire : [];
	const text = ["tapir capture -w tapir.pcapng", peer && "--peer " + quoted(peer), ...on.map((k) => "--" + k),
		"--seconds " + n].filter(Boolean).join(" ");
	const of = s.peers.get(peer);
	const start = (/** @type {Event} */ e) => {
		e.preventDefault();
		begin({ what: on.join(" "), realm: of?.realm ?? "", peer: of?.name ?? "", left_s: n, n_bytes: mb * 1000000 },
			[peer, inWords(on.join(" "))].filter(Boolean).join(" "));
	};
	return html`<${Title} of="capture"/><div class="grid"><div>
		<${Panel} title=${t("capture.title")} cmd=${text}><form onSubmit=${start}>
			<p>${t("capture.text")}</p>
			<div class="row">
				<${Field} name=${t("col.peer")} value=${peer} set=${setPeer}
					options=${{ "": t("any"), ...Object.fromEntries([...s.peers.values()].map(keyOf).sort().map((p) => [p, p])) }}/>
				<${Field} name=${t("capture.seconds")} value=${seconds} set=${setSeconds} type="number" min=${1} max=${MAX_S}/>
				<${Field} name=${t("capture.mb")} value=${size} set=${setSize} type="number" min=${1} max=${MAX_MB}/>
			</div>
			<fieldset><legend>${t("capture.kinds")}</legend>${kinds.map((k) => html`
				<label class="check" key=${k}><input type="checkbox" checked=${on.includes(k)} disabled=${!mayHave.includes(k)} onChange=${() =>
					setOn(on.includes(k) ? on.filter((x) => x !== k) : kinds.filter((x) => x === k || on.includes(x)))}/>
					${" "}${t(/** @type {any} */ ("capture." + k))}</label>`)}
				${mayHave.length < kinds.length && html`<p class="quiet">${mayHave.length ? t("capture.wire") :
					t("needs.role", { role: t("role.operator") })}</p>`}</fieldset>
			<button class="main" disabled=${!mayHave.length || mine.cut !== null}>${t("capture.begin")}</button>
			<${Failed} error=${mine.error}/></form><${Running}/><//></div>
		<div><${Mine}/><${Everyones}/></div></div>`;
}
