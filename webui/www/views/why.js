// SPDX-License-Identifier: Apache-2.0
// Why a peer is down, or carries nothing: every check, the cause, its cure.
import { html } from "../vendor.js";
import { useAnswer } from "../store.js";
import { language, t } from "../i18n.js";
import { Answer, Cmd, Dialog, State } from "../parts.js";
import { quoted } from "./makers.js";

/** @typedef {import("../store.js").Item} Item */

/** @param {{pairs: Item[]}} props */
const Pairs = ({ pairs }) => html`<h3>${t("why.compared")}</h3>
	<div class="scroll"><table><thead><tr><th scope="col">${t("why.what")}</th><th scope="col">${t("why.own")}</th>
		<th scope="col">${t("why.theirs")}</th><th scope="col">${t("why.fits")}</th></tr></thead>
		<tbody>${pairs.map((p, i) => html`<tr key=${i}><th scope="row">${p.what}</th>
			<td>${p.own || t("unknown")}</td><td>${p.theirs || t("unknown")}</td>
			<td><${State} is=${p.same ? "same" : "differ"} group="pair"/></td></tr>`)}</tbody></table></div>`;

/** @param {{realm: string, peer: string}} props */
export function Why({ realm, peer }) {
	const a = useAnswer("why", { realm, peer, lang: language() }, 3);
	const of = (/** @type {string} */ kind) => (a.items ?? []).filter((i) => i.result === kind);
	const causes = of("cause"), pairs = of("pair");
	return html`<${Answer} of=${a}>
		<div role="status">${causes.length ? causes.map((c) => html`<div class="cause" key=${c.number}>
			<p><strong>${c.why}</strong> <span class="quiet">${c.number} ${c.code}</span></p>
			<p>${t("why.cure")} ${c.hint}</p></div>`) : html`<p><${State} is="ok" group="verdict"/> ${t("why.nothing")}</p>`}</div>
		<h3>${t("why.checks")}</h3>
		<ol class="list checks">${of("check").map((c) => html`<li key=${c.check}>
			<${State} is=${c.verdict} group="verdict"/> ${c.text} <span class="quiet">${c.detail}</span></li>`)}</ol>
		${pairs.length > 0 && html`<${Pairs} pairs=${pairs}/>`}
	<//><${Cmd} text=${"tapir why " + quoted(realm + "/" + peer)}/>`;
}

/** @param {{realm: string, peer: string, onClose: () => void}} props */
export const WhyDialog = ({ realm, peer, onClose }) => html`
	<${Dialog} title=${t("why.title", { peer: realm + "/" + peer })} onClose=${onClose}>
		<${Why} realm=${realm} peer=${peer}/><//>`;
