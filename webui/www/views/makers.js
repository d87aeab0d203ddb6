// SPDX-License-Identifier: Apache-2.0
// Commands put together from what somebody chooses: private keys and passwords are
// made on the gateway, and never come into a browser.
import { html, useState } from "../vendor.js";
import { useStore } from "../store.js";
import { t } from "../i18n.js";
import { Cmd, Do, Field, Panel } from "../parts.js";

/** A word for a shell. @param {string} w */
export const quoted = (w) => /^[\w@%+=:,./-]+$/.test(w) ? w : "'" + w.replace(/'/g, "'\\''") + "'";

/** @param {(string|false|"")[]} words */
const line = (words) => words.filter(Boolean).join(" ");

/** What stands for a name until there is one. @param {string} v @param {string} stand */
const or = (v, stand) => v.trim() ? quoted(v.trim()) : stand;

const ends = { tapir: "invite", apple: "mobileconfig", windows: "ps1", android: "sswan" };

/** Another gateway or a device is let in. @param {{realm?: string, name?: string}} props */
export function Invite({ realm: first = "", name: who = "" }) {
	const s = useStore();
	const names = [...s.realms.keys()].sort();
	const [kind, setKind] = useState("tapir");
	const [name, setName] = useState(who);
	const [realm, setRealm] = useState(first);
	const [at, setAt] = useState("");
	const [net, setNet] = useState("");
	const isDevice = kind !== "tapir", into = realm || (names.length === 1 ? names[0] : "");
	return html`<${Panel} title=${t("invite.title")}>
		<p>${t("invite.text")}</p>
		<div class="row">
			<${Field} name=${t("invite.kind")} value=${kind} set=${setKind} options=${{ tapir: t("invite.tapir"), apple: t("invite.apple"),
				windows: t("invite.windows"), android: t("invite.android") }}/>
			<${Field} name=${t("invite.name")} value=${name} set=${setName} hint=${t("eg", { what: isDevice ? "hanako@sales.example.com" : "osaka" })}/>
			<${Field} name=${t("col.realm")} value=${into} set=${setRealm} options=${Object.fromEntries([...(into ? [] : [["", t("any")]]),
				...names.map((n) => [n, n])])}/>
			<${Field} name=${t("invite.at")} value=${at} set=${setAt} hint=${t("eg", { what: "vpn.example.com" })}/>
			${isDevice && html`<${Field} name=${t("invite.net")} value=${net} set=${setNet} hint=${t("invite.net.hint")}/>`}</div>
		<ol class="steps">
			${isDevice && html`<li>${t("invite.user")}<${Cmd} text=${line(["tapir user add", into ? quoted(into) : "REALM", or(name, "NAME")])}/></li>`}
			<li>${t("invite.make")}<${Cmd} text=${line(["tapir invite", or(name, "NAME"), into && "--realm " + quoted(into), isDevice && "--as " + kind,
				at.trim() && "--at " + quoted(at.trim()), isDevice && net.trim() && "--net " + quoted(net.trim().replace(/[\s,]+/g, ","))])}/></li>
			<li>${t(/** @type {any} */ ("invite.then." + kind), { file: (name.trim() || "NAME") + "." + ends[/** @type {keyof typeof ends} */ (kind)] })}
				${!isDevice && html`<${Cmd} text=${line(["tapir join", or(name && name + ".invite", "NAME.invite")])}/><${Cmd} text="tapir reload"/>`}</li></ol><//>`;
}

/** This gateway is to be empty for a while. */
export function Drain() {
	const names = [...useStore().realms.keys()].sort();
	const [how, setHow] = useState("end");
	const [to, setTo] = useState("");
	const [realm, setRealm] = useState("");
	const isSent = how === "send", where = to.trim(), what = realm ? t("realm.of", { realm }) : t("drain.go");
	const end = isSent ? "--to " + or(to, "GATEWAY") : how === "keep" && "--keep";
	return html`<${Panel} title=${t("drain.title")} cmd=${line(["tapir drain", realm && quoted(realm), "--off"])}>
		<p>${t("drain.text")}</p>
		<div class="row"><${Field} name=${t("drain.how")} value=${how} set=${setHow} options=${{ end: t("drain.end"), keep: t("drain.keep"),
				send: t("drain.send") }} hint=${isSent && t("drain.send.hint")}/>
			${isSent && html`<${Field} name=${t("drain.to")} value=${to} set=${setTo} hint=${t("eg", { what: "192.0.2.7, vpn2.example.com" })}/>`}
			${names.length > 1 && html`<${Field} name=${t("col.realm")} value=${realm} set=${setRealm} options=${{ "": t("any"),
				...Object.fromEntries(names.map((n) => [n, n])) }}/>`}</div>
		<div class="row actions"><${Do} name=${t("drain.go")} command="drain" fields=${{ realm, ...(isSent ? { what: where } : { kind: how }) }} role="admin"
				ask=${t("drain.ask", { what, how: t(/** @type {any} */ ("drain." + how)) + (isSent ? " (" + where + ")" : "") })}
				off=${isSent && !where ? t("drain.to") : ""}/>
			<${Do} name=${t("drain.off")} command="drain" fields=${{ realm, what: "" }} role="admin"/></div>
		<${Cmd} text=${line(["tapir drain", realm && quoted(realm), end])}/><//>`;
}

/** A certificate from one's own authority. */
export function Issue() {
	const [names, setNames] = useState("");
	const [type, setType] = useState("p256");
	const [days, setDays] = useState("365");
	const list = names.split(/[\s,]+/).filter(Boolean).map(quoted);
	return html`<${Panel} title=${t("cert.make")}>
		<p>${t("cert.make.text")}</p>
		<div class="row"><${Field} name=${t("cert.names")} value=${names} set=${setNames} hint=${t("eg", { what: "vpn.example.com 192.0.2.1" })}/>
			<${Field} name=${t("cert.type")} value=${type} set=${setType} options=${{ p256: "ECDSA P-256", p384: "ECDSA P-384", ed25519: "Ed25519" }}/>
			<${Field} name=${t("cert.days")} value=${days} set=${setDays} type="number" min=${1} max=${3650}/></div>
		<ol class="steps"><li>${t("cert.step.ca")}<${Cmd} text="tapir ca init"/></li>
			<li>${t("cert.step.issue")}<${Cmd} text=${line(["tapir ca issue", list.join(" ") || "NAME", type !== "p256" && "--type " + type,
				Number(days) > 0 && Number(days) !== 365 && "--days " + Math.floor(Number(days))])}/></li>
			<li>${t("cert.step.export")}<${Cmd} text=${`tapir ca export ${list[0] ?? "NAME"}`}/></li>
			<li>${t("cert.step.renew")}<${Cmd} text="tapir ca renew"/></li></ol><//>`;
}

/** Somebody may use these pages. */
export function Account() {
	const [name, setName] = useState("");
	const [role, setRole] = useState("viewer");
	const [totp, setTotp] = useState(true);
	return html`<div class="row"><${Field} name=${t("login.user")} value=${name} set=${setName}/>
			<${Field} name=${t("user.role")} value=${role} set=${setRole} options=${{ viewer: t("role.viewer"), operator: t("role.operator"),
				admin: t("role.admin") }}/></div>
		<label class="check"><input type="checkbox" checked=${totp} onChange=${() => setTotp(!totp)}/> ${t("user.totp")}</label>
		<${Cmd} text=${line(["tapir web user add", or(name, "NAME"), "--role " + role, totp && "--totp"])}/>
		<${Cmd} text="tapir web user list"/><${Cmd} text=${"tapir web --role " + role}/>`;
}
