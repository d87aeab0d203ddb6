// SPDX-License-Identifier: Apache-2.0
// The desk: accounts, users, the authority and invitations, for admins. The gateway does
// it; a secret that it makes is read by this page alone, and shown once.
import { html, useEffect, useState } from "../vendor.js";
import { deskDo, deskLook } from "../api.js";
import { useStore } from "../store.js";
import { t, word } from "../i18n.js";
import { Cmd, Dialog, Empty, Failed, Field, Panel, Table, When } from "../parts.js";
import { outline, qr } from "../qr.js";
import { quoted } from "./makers.js";
import { proved } from "./proof.js";

/** @typedef {import("../store.js").Item} Item */

/** What there is, and again after a deed. @param {string} what @param {string} [realm] */
function useDesk(what, realm = "") {
	const [state, set] = useState(/** @type {{value?: any, error?: any}} */ ({}));
	const [n, again] = useState(0);
	useEffect(() => {
		let isGone = false;
		if (what === "users" && !realm) return undefined;
		deskLook(what, realm).then((value) => !isGone && set({ value }), (error) => !isGone && set({ error }));
		return () => { isGone = true; };
	}, [what, realm, n]);
	return { ...state, again: () => again(n + 1) };
}

/**
 * A deed and what came of it.
 * @param {(made: any) => void} [then]
 */
function useDeed(then) {
	const [state, set] = useState(/** @type {{isBusy: boolean, error: any, isDone: boolean}} */ ({ isBusy: false, error: null, isDone: false }));
	const run = async (/** @type {Record<string, any>} */ fields) => {
		set({ isBusy: true, error: null, isDone: false });
		try {
			const made = await proved(() => deskDo(fields));
			set({ isBusy: false, error: null, isDone: true });
			then?.(made);
		} catch (error) {
			set({ isBusy: false, error, isDone: false });
		}
	};
	return { ...state, run };
}

/** @param {{of: any}} props  a deed */
const Outcome = ({ of }) => html`<span role="status" class="quiet">${of.isBusy ? t("busy") : of.isDone ? t("done") : ""}</span>
	<${Failed} error=${of.error}/>`;

/** A deed that is asked about first. @param {{name: string, ask: string, fields: object, label?: string, then: () => void}} props */
function Sure({ name, ask, fields, label, then }) {
	const [isAsking, setAsking] = useState(false);
	const deed = useDeed(then);
	return html`<button type="button" class="plain" aria-label=${label} disabled=${deed.isBusy} onClick=${() => setAsking(true)}>${name}</button>
		<${Failed} error=${deed.error}/>
		${isAsking && html`<${Dialog} title=${name} onClose=${() => setAsking(false)}><p>${ask}</p>
			<div class="row"><button type="button" class="main" onClick=${() => {
				setAsking(false);
				deed.run(fields);
			}}>${name}</button><button type="button" onClick=${() => setAsking(false)}>${t("cancel")}</button></div><//>`}`;
}

/** A picture for a camera, always dark on white. @param {{text: string}} props */
export function Code({ text }) {
	const code = qr(text);
	if (!code) return null;
	const { path, side } = outline(code);
	return html`<svg class="qr" viewBox="0 0 ${side} ${side}" width="240" height="240" role="img" aria-label=${t("desk.qr")}
		shape-rendering="crispEdges"><rect width=${side} height=${side} fill="#fff"/><path d=${path} fill="#000"/></svg>`;
}

/** A new password, twice the same to the eye is not asked: it can be looked at. @param {{value: string, set: (v: string) => void}} props */
const Password = ({ value, set }) => html`<${Field} name=${t("desk.password")} value=${value} set=${set} type="password" auto="new-password"
	hint=${t("desk.password.hint")}/>`;

// ---- accounts of these pages ------------------------------------------------------------

export function Accounts() {
	const { who } = useStore();
	const list = useDesk("accounts");
	const [name, setName] = useState("");
	const [role, setRole] = useState("viewer");
	const [password, setPassword] = useState("");
	const [codes, setCodes] = useState(true);
	const [made, setMade] = useState(/** @type {any} */ (null));
	const deed = useDeed((answer) => {
		if (answer.totp) setMade({ name, totp: answer.totp });
		setName("");
		list.again();
	});
	const uri = made && `otpauth://totp/tapir:${encodeURIComponent(made.name)}?secret=${made.totp}&issuer=tapir`;
	const add = (/** @type {Event} */ e) => {
		e.preventDefault();
		deed.run({ what: "account-add", name: name.trim(), role, password, has_codes: codes });
		setPassword("");
	};
	return html`<${Panel} title=${t("user.title")} cmd="tapir web user list">
		<p>${t("desk.accounts.text")}</p><${Failed} error=${list.error}/>
		${list.value && (list.value.users.length ? html`<${Table} name=${t("user.title")} rows=${list.value.users} id=${(/** @type {Item} */ u) => u.name} first="name" columns=${[
			{ key: "name", name: t("login.user"), sort: (/** @type {Item} */ u) => u.name },
			{ key: "role", name: t("user.role"), sort: (/** @type {Item} */ u) => u.role, show: (/** @type {Item} */ u) => word("role", u.role) },
			{ key: "totp", name: t("desk.codes"), show: (/** @type {Item} */ u) => u.totp ? "✓" : "–" },
			{ key: "del", name: t("col.do"), show: (/** @type {Item} */ u) => u.name !== who?.user && html`<${Sure} name=${t("desk.del")}
				label=${t("desk.del.of", { name: u.name })} ask=${t("desk.del.ask", { name: u.name })} fields=${{ what: "account-del", name: u.name }} then=${list.again}/>` },
		]}/>` : html`<${Empty} text=${t("desk.accounts.none")} hint=${t("desk.accounts.none.hint")}/>`)}
		<form onSubmit=${add}><div class="row"><${Field} name=${t("login.user")} value=${name} set=${setName} isNeeded=${true}/>
			<${Field} name=${t("user.role")} value=${role} set=${setRole} options=${{ viewer: t("role.viewer"), operator: t("role.operator"), admin: t("role.admin") }}/>
			<${Password} value=${password} set=${setPassword}/></div>
			<label class="check"><input type="checkbox" checked=${codes} onChange=${() => setCodes(!codes)}/> ${t("user.totp")}</label>
			<div class="row"><button class="main" disabled=${deed.isBusy || !name.trim() || password.length < 8}>${t("desk.account.add")}</button><${Outcome} of=${deed}/></div></form>
		${made && html`<${Dialog} title=${t("desk.codes")} onClose=${() => setMade(null)}><p>${t("desk.codes.text", { name: made.name })}</p>
			<${Code} text=${uri}/><p><code>${made.totp}</code></p><//>`}<//>`;
}

// ---- users of a realm, who prove themselves by a password --------------------------------

export function Users() {
	const s = useStore();
	const names = [...s.realms.keys()].sort();
	const [realm, setRealm] = useState("");
	const into = realm || names[0] || "";
	const list = useDesk("users", into);
	const [name, setName] = useState("");
	const [password, setPassword] = useState("");
	const deed = useDeed(() => {
		setName("");
		list.again();
	});
	const isThere = list.value?.users.includes(name.trim());
	const add = (/** @type {Event} */ e) => {
		e.preventDefault();
		deed.run({ what: isThere ? "user-passwd" : "user-add", realm: into, name: name.trim(), password });
		setPassword("");
	};
	return html`<${Panel} title=${t("desk.users")} cmd=${`tapir user list ${into ? quoted(into) : "REALM"}`}>
		<p>${t("desk.users.text")}</p>
		<${Field} name=${t("col.realm")} value=${into} set=${setRealm} options=${Object.fromEntries(names.map((n) => [n, n]))}/>
		${list.error ? html`<${Empty} text=${list.error.message} hint=${list.error.hint}/>` : html`
			${list.value && !list.value.users.length ? html`<${Empty} text=${t("desk.users.none")}/>` :
				list.value && html`<${Table} name=${t("desk.users")} rows=${list.value.users.map((/** @type {string} */ n) => ({ name: n }))}
				id=${(/** @type {Item} */ u) => u.name} first="name" columns=${[
				{ key: "name", name: t("login.user"), sort: (/** @type {Item} */ u) => u.name },
				{ key: "del", name: t("col.do"), show: (/** @type {Item} */ u) => html`<${Sure} name=${t("desk.del")} label=${t("desk.del.of", { name: u.name })}
					ask=${t("desk.del.ask", { name: u.name })} fields=${{ what: "user-del", realm: into, name: u.name }} then=${list.again}/>` },
			]}/>`}
			<form onSubmit=${add}><div class="row"><${Field} name=${t("login.user")} value=${name} set=${setName} hint="hanako@sales.example.com"/>
				<${Password} value=${password} set=${setPassword}/></div>
			<div class="row"><button class="main" disabled=${deed.isBusy || !name.trim() || password.length < 8}>${isThere ? t("desk.user.passwd") : t("desk.user.add")}</button>
				<${Outcome} of=${deed}/></div></form>
			<p class="quiet">${t("desk.reload")}</p>`}<//>`;
}

// ---- the authority --------------------------------------------------------------------------

/** Nothing is there: one question, one button. @param {{then: () => void}} props */
function Begin({ then }) {
	const [name, setName] = useState("VPN CA");
	const [type, setType] = useState("p256");
	const [url, setUrl] = useState("");
	const deed = useDeed(then);
	return html`<p>${t("desk.ca.none")}</p><div class="row"><${Field} name=${t("desk.ca.name")} value=${name} set=${setName}/>
			<${Field} name=${t("cert.type")} value=${type} set=${setType} options=${{ p256: "ECDSA P-256", p384: "ECDSA P-384", ed25519: "Ed25519" }}/>
			<${Field} name=${t("desk.ca.url")} value=${url} set=${setUrl} hint=${t("desk.ca.url.hint")}/></div>
		<div class="row"><button type="button" class="main" disabled=${deed.isBusy || !name.trim()} onClick=${() =>
			deed.run({ what: "ca-init", name: name.trim(), kind: type, ...(url.trim() && { url: url.trim() }) })}>${t("desk.ca.init")}</button><${Outcome} of=${deed}/></div>
		<${Cmd} text=${`tapir ca init ${quoted(name.trim() || "VPN CA")}`}/>`;
}

/** @param {{then: () => void}} props */
function IssueOne({ then }) {
	const [names, setNames] = useState("");
	const [type, setType] = useState("p256");
	const [days, setDays] = useState("365");
	const deed = useDeed(() => {
		setNames("");
		then();
	});
	const renew = useDeed(then);
	const list = names.split(/[\s,]+/).filter(Boolean);
	return html`<div class="row"><${Field} name=${t("cert.names")} value=${names} set=${setNames} hint="vpn.example.com hanako@example.com 192.0.2.1"/>
			<${Field} name=${t("cert.type")} value=${type} set=${setType} options=${{ p256: "ECDSA P-256", p384: "ECDSA P-384", ed25519: "Ed25519" }}/>
			<${Field} name=${t("cert.days")} value=${days} set=${setDays} type="number" min=${1} max=${3650}/></div>
		<div class="row"><button type="button" class="main" disabled=${deed.isBusy || !list.length} onClick=${() =>
			deed.run({ what: "ca-issue", name: list.join(" "), kind: type, days: Math.floor(Number(days)) || 0 })}>${t("desk.ca.issue")}</button>
			<button type="button" disabled=${renew.isBusy} onClick=${() => renew.run({ what: "ca-renew" })}>${t("desk.ca.renew")}</button>
			<${Outcome} of=${deed}/><${Outcome} of=${renew}/></div>
		<${Cmd} text=${`tapir ca issue ${list.map(quoted).join(" ") || "NAME"}`}/><${Cmd} text="tapir ca renew"/>`;
}

/** @type {Record<string, string>} */
const sign = { valid: "ok", expiring: "warn", expired: "error", revoked: "error" };

export function Authority() {
	const list = useDesk("certs"), v = list.value;
	if (list.error && list.error.code === "not-found")
		return html`<${Panel} title=${t("desk.ca")}><${Begin} then=${list.again}/><//>`;
	return html`<${Panel} title=${t("desk.ca")} cmd="tapir ca list"><p>${t("cert.make.text")}</p><${Failed} error=${list.error}/>
		${v && html`<p>${v.authority}: ${t("facts.until")} <${When} ms=${v.not_after * 1000}/>. ${t("desk.crl")} <${When} ms=${v.crl_next_update * 1000}/></p>
			<${Table} name=${t("desk.ca")} rows=${v.certificates} id=${(/** @type {Item} */ i) => i.serial} first="until" columns=${[
				{ key: "names", name: t("cert.names"), sort: (/** @type {Item} */ i) => i.names },
				{ key: "until", name: t("facts.until"), sort: (/** @type {Item} */ i) => i.not_after, show: (/** @type {Item} */ i) => html`<${When} ms=${i.not_after * 1000}/>` },
				{ key: "state", name: t("col.state"), show: (/** @type {Item} */ i) => html`<span class=${"state is-" + sign[i.state]}>${word("issued", i.state)}</span>` },
				{ key: "do", name: t("col.do"), show: (/** @type {Item} */ i) => i.state !== "revoked" && html`<${Sure} name=${t("desk.revoke")} label=${t("desk.revoke.of", { name: i.names })}
					ask=${t("desk.revoke.ask", { name: i.names })} fields=${{ what: "ca-revoke", name: i.serial }} then=${list.again}/>` },
			]}/><${IssueOne} then=${list.again}/>`}<//>`;
}

// ---- invitations ------------------------------------------------------------------------------

/** @param {{realm?: string, name?: string}} props */
export function Invitation({ realm: first = "", name: who = "" }) {
	const s = useStore();
	const names = [...s.realms.keys()].sort();
	const [kind, setKind] = useState("tapir");
	const [name, setName] = useState(who);
	const [realm, setRealm] = useState(first);
	const [at, setAt] = useState("");
	const [made, setMade] = useState(/** @type {any} */ (null));
	const deed = useDeed(setMade);
	const into = realm || names[0] || "";
	const isHere = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);
	return html`<${Panel} title=${t("invite.title")} cmd=${`tapir invite ${quoted(name.trim() || "NAME")} --realm ${into ? quoted(into) : "REALM"}${
			kind === "tapir" ? "" : " --as " + kind}${at.trim() ? " --at " + quoted(at.trim()) : ""} --link HOST:PORT`}>
		<p>${t("desk.invite.text")}</p><div class="row">
			<${Field} name=${t("invite.kind")} value=${kind} set=${setKind} options=${{ tapir: t("invite.tapir"), apple: t("invite.apple"),
				windows: t("invite.windows"), android: t("invite.android") }}/>
			<${Field} name=${t("invite.name")} value=${name} set=${setName} hint=${kind === "tapir" ? "osaka" : "hanako@sales.example.com"}/>
			<${Field} name=${t("col.realm")} value=${into} set=${setRealm} options=${Object.fromEntries(names.map((n) => [n, n]))}/>
			<${Field} name=${t("invite.at")} value=${at} set=${setAt} hint="vpn.example.com"/></div>
		<div class="row"><button type="button" class="main" disabled=${deed.isBusy || !name.trim() || !into} onClick=${() =>
			deed.run({ what: "invite", realm: into, name: name.trim(), kind, ...(at.trim() && { remote: at.trim() }) })}>${t("desk.invite")}</button><${Outcome} of=${deed}/></div>
		${made && html`<${Dialog} title=${made.file} onClose=${() => setMade(null)}><p>${t("desk.link.text", { n: Math.round(made.left_s / 60) })}</p>
			<${Code} text=${made.link}/><p><code class="long">${made.link}</code></p>
			${made.passphrase && html`<p>${t("desk.passphrase")} <code>${made.passphrase}</code></p>`}
			${isHere && html`<p class="quiet">${t("desk.link.here")}</p>`}
			${kind === "tapir" ? html`<${Cmd} text=${`tapir join '${made.link}'`}/><p class="quiet">${t("desk.reload")}</p>` :
				html`<p><a href=${made.link} download=${made.file}>${t("desk.link.save")}</a></p>`}<//>`}<//>`;
}
