// SPDX-License-Identifier: Apache-2.0
// Who are you?
import { html, useState } from "../vendor.js";
import { login } from "../api.js";
import { enter, store, useStore } from "../store.js";
import { language, languages, setLanguage, t } from "../i18n.js";
import { Cmd, Failed, Field } from "../parts.js";

export function Login() {
	const s = useStore();
	const [user, setUser] = useState("");
	const [password, setPassword] = useState("");
	const [code, setCode] = useState("");
	const [state, set] = useState({ isBusy: false, error: null });
	const send = async (/** @type {Event} */ e) => {
		e.preventDefault();
		set({ isBusy: true, error: null });
		try {
			store.who = await login(code ? { user, password, code } : { user, password });
			enter();
		} catch (error) {
			set({ isBusy: false, error });
		}
		setPassword("");
		setCode("");
	};
	const next = language() === "en" ? "ja" : "en";
	return html`<main id="main" class="login"><header class="row"><h1>tapir</h1>
			<button type="button" class="plain" lang=${next} onClick=${() => setLanguage(next)}>${languages[next]}</button></header>
		<p>${t("login.link")}</p><${Cmd} text="tapir web"/>
		<${Failed} error=${s.why}/>
		<form onSubmit=${send}><h2>${t("login.account")}</h2>
			<${Field} name=${t("login.user")} value=${user} set=${setUser} auto="username" isNeeded/>
			<${Field} name=${t("login.password")} value=${password} set=${setPassword} type="password" auto="current-password" isNeeded/>
			<${Field} name=${t("login.code")} value=${code} set=${setCode} auto="one-time-code" hint=${t("login.code.hint")}/>
			<${Failed} error=${state.error}/>
			<button class="main" disabled=${state.isBusy}>${t("login.go")}</button>
			<span role="status" class="quiet">${state.isBusy ? t("busy") : ""}</span></form></main>`;
}
