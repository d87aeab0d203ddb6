// SPDX-License-Identifier: Apache-2.0
// The desk: accounts, users, the authority and invitations, for admins. The gateway does
// it; a secret that it makes is read by this page alone, and shown once.
import { html, useEffect, useState } from "../vendor.js";
import { deskDo, deskLook } from "../api.js";
import { useStore } from "../store.js";
import { t, word } from "../i18n.js";
import { Cmd, Dialog, Do, Empty, Failed, Field, Panel, Table, When } from "../parts.js";
import { outline, qr } from "../qr.js";
import { quoted } from "./makers.js";
import { proved } from "./proof.js";

/** @typedef {import("../store.js").Item} Item */

/**
 * What there is, and again after a deed.
 * @param {string} what @param {string} [realm] @param {boolean} [isOn] @param {unknown} [also]  looked at again when this changes
 */
function useDesk(what, realm = "", isOn = true, also) {
	const [state, set] = useState(/** @type {{value?: any, error?: any}} */ ({}));
	const [n, again] = useState(0);
	useEffect(() => {
		let isGone = false;
		if (!isOn) return undefined;
		deskLook(what, realm).then((value) => !isGone && set({ value }), (error) => !isGone && set({ error }));
		return () => { isGone = true; };
	}, [what, realm, isOn, also, n]);
	return { ...state, again: () => again((/** @type {number} */ was) => was + 1) };
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

/**
 * A deed that is asked about first; with a passphrase, if it wants one.
 * @param {{name: string, ask: string, fields: object, label?: string, hasWord?: boolean, then: () => void}} props
 */
function Sure({ name, ask, fields, label, hasWord, then }) {
	const [isAsking, setAsking] = useState(false);
	const [word, setWord] = useState("");
	const deed = useDeed(then);
	const go = (/** @type {Event} */ e) => {
		e.preventDefault();
		setAsking(false);
		deed.run(word ? { ...fields, password: word } : fields);
		setWord("");
	};
	return html`<button type="button" class="plain" aria-label=${label} disabled=${deed.isBusy} onClick=${() => setAsking(true)}>${name}</button>
		<${Failed} error=${deed.error}/>
		${isAsking && html`<${Dialog} title=${label ?? name} onClose=${() => setAsking(false)}><form onSubmit=${go}><p>${ask}</p>
			${hasWord && html`<${CaWord} value=${word} set=${setWord}/>`}
			<div class="row"><button class="main" disabled=${hasWord && !word}>${name}</button>
				<button type="button" onClick=${() => setAsking(false)}>${t("cancel")}</button></div></form><//>`}`;
}

/** What the key of the authority is closed by. @param {{value: string, set: (v: string) => void}} props */
const CaWord = ({ value, set }) => html`<${Field} name=${t("desk.ca.word")} value=${value} set=${set} type="password" auto="off"/>`;

/** What was written is in force after a reload: here. */
const Reload = () => html`<p class="quiet">${t("desk.reload")} <${Do} name=${t("conf.apply")} command="reload" fields=${{}} role="admin"/></p>`;

/** A picture for a camera, always dark on white. @param {{text: string}} props */
export function Code({ text }) {
	const code = qr(text);
	if (!code) return null;
	const { path, side } = outline(code);
	return html`<svg class="qr" viewBox="0 0 ${side} ${side}" width="240" height="240" role="img" aria-label=${t("desk.qr")}
		shape-rendering="crispEdges"><rect width=${side} height=${side} fill="#fff"/><path d=${path} fill="#000"/></svg>`;
}

/** A new password. @param {{value: string, set: (v: string) => void, hint?: string}} props */
const Password = ({ value, set, hint }) => html`<${Field} name=${t("desk.password")} value=${value} set=${set} type="password" auto="new-password"
	hint=${hint ?? t("desk.password.hint")}/>`;

/** @param {{value: string, set: (v: string) => void, isOff?: boolean}} props */
const Role = ({ value, set, isOff }) => html`<${Field} name=${t("user.role")} value=${value} set=${set} isOff=${isOff}
	options=${{ viewer: t("role.viewer"), operator: t("role.operator"), admin: t("role.admin") }}/>`;

const MIN = 8;		// characters of a new password

// ---- accounts of these pages ------------------------------------------------------------

/**
 * Another role, another password, new codes.
 * @param {{of: Item, isSelf: boolean, then: () => void, onCodes: (made: object) => void}} props
 */
function Change({ of: u, isSelf, then, onCodes }) {
	const [isOpen, open] = useState(false);
	const [role, setRole] = useState(u.role);
	const [password, setPassword] = useState("");
	const [codes, setCodes] = useState(false);
	const deed = useDeed((answer) => {
		open(false);
		if (answer.totp) onCodes({ name: u.name, totp: answer.totp });
		then();
	});
	const begin = () => {
		setRole(u.role);
		setPassword("");
		setCodes(false);
		open(true);
	};
	const send = (/** @type {Event} */ e) => {
		e.preventDefault();
		deed.run({ what: "account-set", name: u.name, role, ...(password && { password }), ...(codes && { has_codes: true }) });
		setPassword("");
	};
	const label = t("desk.set.of", { name: u.name });
	return html`<button type="button" class="plain" aria-label=${label} onClick=${begin}>${t("desk.set")}</button>
		${isOpen && html`<${Dialog} title=${label} onClose=${() => open(false)}><form onSubmit=${send}><div class="row">
			<${Role} value=${role} set=${setRole} isOff=${isSelf}/><${Password} value=${password} set=${setPassword} hint=${t("desk.password.same")}/></div>
			<label class="check"><input type="checkbox" checked=${codes} onChange=${() => setCodes(!codes)}/> ${t(u.totp ? "desk.codes.new" : "user.totp")}</label>
			<div class="row"><button class="main" disabled=${deed.isBusy || (role === u.role && !codes && !password) ||
				(password && password.length < MIN)}>${t("desk.set.go")}</button>
				<button type="button" onClick=${() => open(false)}>${t("cancel")}</button></div><${Outcome} of=${deed}/></form><//>`}`;
}

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
			{ key: "do", name: t("col.do"), show: (/** @type {Item} */ u) => html`<${Change} of=${u} isSelf=${u.name === who?.user} then=${list.again} onCodes=${setMade}/>${" "}${u.name !== who?.user && html`<${Sure} name=${t("desk.del")} label=${t("desk.del.of", { name: u.name })} ask=${t("desk.del.ask", { name: u.name })} fields=${{ what: "account-del", name: u.name }} then=${list.again}/>`}` },
		]}/>` : html`<${Empty} text=${t("desk.accounts.none")} hint=${t("desk.accounts.none.hint")}/>`)}
		<form onSubmit=${add}><div class="row"><${Field} name=${t("login.user")} value=${name} set=${setName} isNeeded=${true}/>
			<${Role} value=${role} set=${setRole}/><${Password} value=${password} set=${setPassword}/></div>
			<label class="check"><input type="checkbox" checked=${codes} onChange=${() => setCodes(!codes)}/> ${t("user.totp")}</label>
			<div class="row"><button class="main" disabled=${deed.isBusy || !name.trim() || password.length < MIN}>${t("desk.account.add")}</button><${Outcome} of=${deed}/></div></form>
		${made && html`<${Dialog} title=${t("desk.codes")} onClose=${() => setMade(null)}><p>${t("desk.codes.text", { name: made.name })}</p>
			<${Code} text=${uri}/><p><code>${made.totp}</code></p><//>`}<//>`;
}

// ---- users of a realm, who prove themselves by a password --------------------------------

const OTHER = "*";		// no name of a realm

export function Users() {
	const s = useStore();
	const all = useDesk("users", "", true, s.realms.size);
	const [realm, setRealm] = useState("");
	const [other, setOther] = useState("");
	/** @type {Item[]} */
	const realms = all.value?.realms ?? [];
	const at = realm || (realms.find((r) => r.n > 0) ?? realms[0])?.realm || OTHER;
	const isOther = at === OTHER, into = isOther ? other.trim() : at;
	const list = useDesk("users", into, Boolean(all.value) && !isOther);
	const [name, setName] = useState("");
	const [password, setPassword] = useState("");
	const deed = useDeed(() => {
		setName("");
		list.again();
	});
	const isThere = !isOther && list.value?.users?.includes(name.trim());
	const add = (/** @type {Event} */ e) => {
		e.preventDefault();
		deed.run({ what: isThere ? "user-passwd" : "user-add", realm: into, name: name.trim(), password });
		setPassword("");
	};
	return html`<${Panel} title=${t("desk.users")} cmd=${`tapir user list ${into ? quoted(into) : "REALM"}`}>
		<p>${t("desk.users.text")}</p>
		${!all.value ? html`<${Failed} error=${all.error}/>` : html`
			<div class="row"><${Field} name=${t("col.realm")} value=${at} set=${setRealm} options=${{ ...Object.fromEntries(realms.map((r) => [r.realm, r.realm])), [OTHER]: t("desk.users.other") }}/>
				${isOther && html`<${Field} name=${t("desk.users.realm")} value=${other} set=${setOther} hint=${t("eg", { what: "sales" })}/>`}</div>
			${isOther ? html`<p>${t("desk.users.begin")} <code>${`<eap users="${into || "REALM"}.users"/>`}</code></p>` : list.error ? html`<${Failed} error=${list.error}/>` :
				list.value?.users && (list.value.users.length ? html`<${Table} name=${t("desk.users")} rows=${list.value.users.map((/** @type {string} */ n) => ({ name: n }))}
				id=${(/** @type {Item} */ u) => u.name} first="name" columns=${[
				{ key: "name", name: t("login.user"), sort: (/** @type {Item} */ u) => u.name },
				{ key: "del", name: t("col.do"), show: (/** @type {Item} */ u) => html`<${Sure} name=${t("desk.del")} label=${t("desk.del.of", { name: u.name })}
					ask=${t("desk.del.ask", { name: u.name })} fields=${{ what: "user-del", realm: into, name: u.name }} then=${list.again}/>` },
			]}/>` : html`<${Empty} text=${t("desk.users.none")}/>`)}
			<form onSubmit=${add}><div class="row"><${Field} name=${t("login.user")} value=${name} set=${setName} hint=${t("eg", { what: "hanako@sales.example.com" })}/>
				<${Password} value=${password} set=${setPassword}/></div>
			<div class="row"><button class="main" disabled=${deed.isBusy || !into || !name.trim() || password.length < MIN}>${isThere ? t("desk.user.passwd") : t("desk.user.add")}</button>
				<${Outcome} of=${deed}/></div></form>
			<${Reload}/>`}<//>`;
}

// ---- the authority --------------------------------------------------------------------------

/** Nothing is there: one question, one button. @param {{then: () => void}} props */
function Begin({ then }) {
	const [name, setName] = useState("VPN CA");
	const [type, setType] = useState("p256");
	const [url, setUrl] = useState("");
	const [word, setWord] = useState("");
	const [again, setAgain] = useState("");
	const deed = useDeed(then);
	const make = (/** @type {Event} */ e) => {
		e.preventDefault();
		deed.run({ what: "ca-init", name: name.trim(), kind: type, ...(url.trim() && { url: url.trim() }), ...(word && { password: word }) });
	};
	return html`<form onSubmit=${make}><p>${t("desk.ca.none")}</p><div class="row"><${Field} name=${t("desk.ca.name")} value=${name} set=${setName}/>
			<${Field} name=${t("cert.type")} value=${type} set=${setType} options=${{ p256: "ECDSA P-256", p384: "ECDSA P-384", ed25519: "Ed25519" }}/>
			<${Field} name=${t("desk.ca.url")} value=${url} set=${setUrl} hint=${t("desk.ca.url.hint")}/>
			<${Field} name=${t("desk.ca.word.new")} value=${word} set=${setWord} type="password" auto="new-password" hint=${t("desk.ca.word.hint")}/>
			${word && html`<${Field} name=${t("desk.ca.word.again")} value=${again} set=${setAgain} type="password" auto="new-password"/>`}</div>
		<div class="row"><button class="main" disabled=${deed.isBusy || !name.trim() || (word && again !== word)}>${t("desk.ca.init")}</button><${Outcome} of=${deed}/></div></form>
		<${Cmd} text=${`tapir ca init ${quoted(name.trim() || "VPN CA")}${word ? " --pass FILE" : ""}`}/>`;
}

/** @param {{hasWord: boolean, then: () => void}} props */
function IssueOne({ hasWord, then }) {
	const [names, setNames] = useState("");
	const [type, setType] = useState("p256");
	const [days, setDays] = useState("365");
	const [word, setWord] = useState("");
	const deed = useDeed(() => {
		setNames("");
		then();
	});
	const renew = useDeed(then);
	const list = names.split(/[\s,]+/).filter(Boolean);
	const lacks = hasWord && !word, by = hasWord ? " --pass FILE" : "";
	const run = (/** @type {any} */ of, /** @type {object} */ fields) => {
		of.run(word ? { ...fields, password: word } : fields);
		setWord("");
	};
	const issue = (/** @type {Event} */ e) => {
		e.preventDefault();
		run(deed, { what: "ca-issue", name: list.join(" "), kind: type, days: Math.floor(Number(days)) || 0 });
	};
	return html`<form onSubmit=${issue}><div class="row"><${Field} name=${t("cert.names")} value=${names} set=${setNames} hint=${t("eg", { what: "vpn.example.com 192.0.2.1" })}/>
			<${Field} name=${t("cert.type")} value=${type} set=${setType} options=${{ p256: "ECDSA P-256", p384: "ECDSA P-384", ed25519: "Ed25519" }}/>
			<${Field} name=${t("cert.days")} value=${days} set=${setDays} type="number" min=${1} max=${3650}/>
			${hasWord && html`<${CaWord} value=${word} set=${setWord}/>`}</div>
		<div class="row"><button class="main" disabled=${deed.isBusy || !list.length || lacks}>${t("desk.ca.issue")}</button>
			<button type="button" disabled=${renew.isBusy || lacks} onClick=${() => run(renew, { what: "ca-renew" })}>${t("desk.ca.renew")}</button>
			<${Outcome} of=${deed}/><${Outcome} of=${renew}/></div></form>
		<${Cmd} text=${`tapir ca issue ${list.map(quoted).join(" ") || "NAME"}${by}`}/><${Cmd} text=${"tapir ca renew" + by}/>`;
}

/** @type {Record<string, string>} */
const sign = { valid: "ok", expiring: "warn", expired: "error", revoked: "error" };

export function Authority() {
	const list = useDesk("certs"), v = list.value;
	if (list.error && list.error.code === "not-found")
		return html`<${Panel} title=${t("desk.ca")}><${Begin} then=${list.again}/><//>`;
	return html`<${Panel} title=${t("desk.ca")} cmd="tapir ca list"><p>${t("cert.make.text")}</p><${Failed} error=${list.error}/>
		${v && html`<p>${v.authority}: ${t("facts.until")} <${When} ms=${v.not_after * 1000}/>. ${t("desk.crl")} <${When} ms=${v.crl_next_update * 1000}/></p>
			${!v.certificates.length ? html`<${Empty} text=${t("desk.certs.none")} hint=${t("desk.certs.none.hint")}/>` : html`<${Table} name=${t("desk.ca")} rows=${v.certificates} id=${(/** @type {Item} */ i) => i.serial} first="until" columns=${[
				{ key: "names", name: t("cert.names"), sort: (/** @type {Item} */ i) => i.names },
				{ key: "until", name: t("facts.until"), sort: (/** @type {Item} */ i) => i.not_after, show: (/** @type {Item} */ i) => html`<${When} ms=${i.not_after * 1000}/>` },
				{ key: "state", name: t("col.state"), show: (/** @type {Item} */ i) => html`<span class=${"state is-" + sign[i.state]}>${word("issued", i.state)}</span>` },
				{ key: "do", name: t("col.do"), show: (/** @type {Item} */ i) => i.state !== "revoked" && html`<${Sure} name=${t("desk.revoke")} label=${t("desk.revoke.of", { name: i.names })}
					ask=${t("desk.revoke.ask", { name: i.names })} hasWord=${v.has_passphrase} fields=${{ what: "ca-revoke", name: i.serial }} then=${list.again}/>` },
			]}/>`}<${IssueOne} hasWord=${v.has_passphrase} then=${list.again}/>`}<//>`;
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
	const send = (/** @type {Event} */ e) => {
		e.preventDefault();
		deed.run({ what: "invite", realm: into, name: name.trim(), kind, ...(at.trim() && { remote: at.trim() }) });
	};
	const isHere = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);
	return html`<${Panel} title=${t("invite.title")} cmd=${`tapir invite ${quoted(name.trim() || "NAME")} --realm ${into ? quoted(into) : "REALM"}${
			kind === "tapir" ? "" : " --as " + kind}${at.trim() ? " --at " + quoted(at.trim()) : ""} --link HOST:PORT`}>
		<form onSubmit=${send}><p>${t("desk.invite.text")}</p><div class="row">
			<${Field} name=${t("invite.kind")} value=${kind} set=${setKind} options=${{ tapir: t("invite.tapir"), apple: t("invite.apple"),
				windows: t("invite.windows"), android: t("invite.android") }}/>
			<${Field} name=${t("invite.name")} value=${name} set=${setName} hint=${t("eg", { what: kind === "tapir" ? "osaka" : "hanako@sales.example.com" })}/>
			<${Field} name=${t("col.realm")} value=${into} set=${setRealm} options=${Object.fromEntries(names.map((n) => [n, n]))}/>
			<${Field} name=${t("invite.at")} value=${at} set=${setAt} hint=${t("eg", { what: "vpn.example.com" })}/></div>
		<div class="row"><button class="main" disabled=${deed.isBusy || !name.trim() || !into}>${t("desk.invite")}</button><${Outcome} of=${deed}/></div></form>
		${made && html`<${Dialog} title=${made.file} onClose=${() => setMade(null)}><p>${t("desk.link.text", { n: Math.round(made.left_s / 60) })}</p>
			<${Code} text=${made.link}/><p><code class="long">${made.link}</code></p>
			${made.passphrase && html`<p>${t("desk.passphrase")} <code>${made.passphrase}</code></p>`}
			${isHere && html`<p class="quiet">${t("desk.link.here")}</p>`}
			${kind === "tapir" ? html`<${Cmd} text=${`tapir join '${made.link}'`}/><${Reload}/>` :
				html`<p><a href=${made.link} download=${made.file}>${t("desk.link.save")}</a></p>`}<//>`}<//>`;
}
