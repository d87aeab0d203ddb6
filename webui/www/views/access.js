// SPDX-License-Identifier: Apache-2.0
// Certificates and users: what ends when, who may log in.
import { html } from "../vendor.js";
import { keyOf, may, useAnswer, useStore } from "../store.js";
import { t, word } from "../i18n.js";
import { Answer, Empty, Facts, Link, Panel, Table, Title, When } from "../parts.js";
import { Accounts, Authority, Invitation, Users } from "./desk.js";
import { Account, Invite, Issue } from "./makers.js";

/** @typedef {import("../store.js").Item} Item */

const SOON_S = 30 * 86400;

/** @param {number} until  Unix time */
function validity(until) {
	const left = until - Date.now() / 1000;
	return left < 0 ? "ended" : left < SOON_S ? "soon" : "valid";
}

/** @type {Record<string, string>} */
const sign = { ended: "error", soon: "warn", valid: "ok" };

/** @param {{until: number}} props */
const Until = ({ until }) => html`<${When} ms=${until * 1000}/> <span class=${"state is-" + sign[validity(until)]}>
	${t(/** @type {any} */ ("cert." + validity(until)))}</span>`;

/** @param {{realm?: string, peer?: string}} props  who is to get a profile */
export function Access({ realm, peer }) {
	const s = useStore(), isAdmin = may("admin");
	const metrics = useAnswer("metrics", {}, 60);
	const own = (metrics.items ?? []).filter((i) => i.result === "metric-peer" && i.own_cert_until > 0);
	const peers = [...s.peers.values()].filter((p) => p.cert_until > 0);
	const byKey = [...s.peers.values()].filter((p) => p.auth === "psk");
	const ends = new Map(own.map((m) => [m.realm, m.own_cert_until]));
	return html`<${Title} of="access"/><div class="grid"><div>
		<${Panel} title=${t("cert.peers")} cmd="tapir --json status">
			${peers.length ? html`<${Table} name=${t("cert.peers")} rows=${peers} id=${keyOf} first="until" columns=${[
				{ key: "name", name: t("col.peer"), sort: keyOf, show: (/** @type {Item} */ p) => html`
					<${Link} to=${["peers", p.realm, p.name]}>${keyOf(p)}<//>` },
				{ key: "cert_subject", name: t("facts.subject") },
				{ key: "until", name: t("facts.until"), sort: (/** @type {Item} */ p) => p.cert_until,
				  show: (/** @type {Item} */ p) => html`<${Until} until=${p.cert_until}/>` },
			]}/>` : html`<${Empty} text=${t("cert.none")} hint=${t("cert.none.hint")}/>`}
			${byKey.length > 0 && html`<p class="quiet">${t("cert.bykey", { n: byKey.length })}</p>`}
		<//>
		<${Panel} title=${t("cert.own")} cmd="tapir ca list"><${Answer} of=${metrics}>
			${ends.size ? html`<ul class="list">${[...ends].map(([realm, until]) => html`<li key=${realm}>
				${t("realm.of", { realm })}: <${Until} until=${until}/></li>`)}</ul>` : html`<${Empty} text=${t("cert.own.none")}/>`}<//><//>
		${isAdmin ? html`<${Authority}/>` : html`<${Issue}/>`}</div><div>
		${isAdmin ? html`<${Invitation} realm=${realm} name=${peer}/><${Users}/><${Accounts}/>` : html`<${Invite} realm=${realm} name=${peer}/>`}
		<${Panel} title=${t(isAdmin ? "user.you" : "user.title")}>
			<${Facts} rows=${[[t("user.you"), s.who?.user], [t("user.role"), s.who && word("role", s.who.role)]]}/>
			${!isAdmin && html`<p>${t("user.text")}</p><${Account}/>`}<//></div></div>`;
}

